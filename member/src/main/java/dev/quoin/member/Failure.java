package dev.quoin.member;

/** Why a request got no outcome. The words that clients see belong to the server. */
public enum Failure {
    /** Too much is waiting already; nothing was done. */
    TOO_MANY_REQUESTS,
    /** No outcome in time; the request may still take effect. */
    TIMEOUT,
    /** No outcome in time, and the leader, or a quorum, was out of reach; the request may still take effect. */
    CONNECTION_LOST,
    /** The leader that was to append it is gone; the request may still take effect. */
    LEADER_LOST,
    /** Only the leader can do that; nothing was done. */
    NOT_LEADER,
    /** The disk has no room for what was to be written; nothing was done. */
    NO_ROOM,
    /** The disk of this member is full, so it takes no more to write; nothing was done. */
    DISK_FULL,
    /** The member is going down; the request may still have taken effect. */
    STOPPED
}
