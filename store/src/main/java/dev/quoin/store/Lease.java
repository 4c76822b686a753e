package dev.quoin.store;

/**
 * A lease that was granted and not yet revoked, as the commands left it: whether its time is over is not known here.
 *
 * @param ttl the seconds it was granted for
 * @param remainingTtl the seconds it had left at the last checkpoint; 0 if there was none
 */
public record Lease(long id, long ttl, long remainingTtl) {
    /** The longest time that can be granted, in seconds. */
    public static final long TTL_MAX = 9_000_000_000L;
}
