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
    /** A put names a lease that was not granted. */
    LEASE_NOT_FOUND,
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
