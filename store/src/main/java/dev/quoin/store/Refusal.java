package dev.quoin.store;

/** Why a command or a question was not answered. The words that clients see belong to the server. */
public enum Refusal {
    /** A key is empty. */
    EMPTY_KEY,
    /** A put that keeps the value or the lease names a key that is not there; or a step of a transaction is empty. */
    KEY_NOT_FOUND,
    /** A put that keeps the value brings one. */
    VALUE_PROVIDED,
    /** A put that keeps the lease names one. */
    LEASE_PROVIDED,
    /** A lease that is named was not granted, or its id is 0. */
    LEASE_NOT_FOUND,
    /** A lease of this id is granted already. */
    LEASE_EXISTS,
    /** A lease is asked for longer than {@link Lease#TTL_MAX}. */
    LEASE_TTL_TOO_LARGE,
    /** The alarm about space is raised, and the command would take some. */
    NO_SPACE,
    /** The alarm about members that differ is raised. */
    CORRUPT,
    /** A transaction has more conditions or steps than the limit. */
    TOO_MANY_OPS,
    /** Two steps of a transaction would write the same key. */
    DUPLICATE_KEY,
    /** A sort order or target that does not exist. */
    INVALID_SORT_OPTION,
    /** The revision asked for has been compacted. */
    COMPACTED,
    /** The revision asked for does not exist yet. */
    FUTURE_REVISION
}
