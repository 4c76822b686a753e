package dev.quoin.member;

/** Why a change of members is not made. The words that clients see belong to the server. */
public enum ChangeRefusal {
    ID_REMOVED,
    ID_EXISTS,
    ID_NOT_FOUND,
    PEER_URL_EXISTS,
    NOT_A_LEARNER,
    TOO_MANY_LEARNERS,
    /** The leader says that the learner's log is too far behind. */
    LEARNER_NOT_READY,
    /** Strict check: with the change, the members that have started would be no quorum. */
    NOT_ENOUGH_STARTED,
    /** Strict check: some member is out of reach, or has not been within reach for long enough. */
    UNHEALTHY,
    /** Only the leader can say whether a learner is ready. */
    NOT_LEADER
}
