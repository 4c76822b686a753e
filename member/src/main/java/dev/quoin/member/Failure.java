package dev.quoin.member;

/** Why a request got no outcome. The words that clients see belong to the server. */
public enum Failure {
    /** Too much is waiting already; nothing was done. */
    TOO_MANY_REQUESTS,
    /** No outcome in time; the request may still take effect. */
    TIMEOUT,
    /** The disk has no room for what was to be written; nothing was done. */
    NO_ROOM,
    /** The member is going down; the request may still have taken effect. */
    STOPPED
}
