package dev.quoin.store;

/**
 * The one thing a put has to know about leases: whether the one it names has been granted and not yet revoked. A seam
 * until the lease table lives in this room; it is asked while a command is applied, so its answer must follow from the
 * commands applied before, never from a clock.
 */
@FunctionalInterface
public interface Leases {
    /** No lease was ever granted. */
    Leases NONE = id -> false;

    boolean exists(long id);
}
