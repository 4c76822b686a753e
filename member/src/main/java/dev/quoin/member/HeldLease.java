package dev.quoin.member;

/**
 * A lease as the {@link Lessor} holds it: what was granted, and until when. Times are those of the lessor, nanoseconds since
 * it began.
 */
final class HeldLease {
    final long id;
    /** What it was granted for. */
    final long ttlSeconds;
    /** What it had left at the last checkpoint that is in force; 0 if there is none. */
    long remainingSeconds;
    /** The promotion under which {@link #expiryNanos} was set; under a later one it counts for nothing. */
    long promotion;
    long expiryNanos;
    /** It is being revoked because its time was over: nothing renews it any more, under the same promotion. */
    boolean isDecided;
    /** Somebody was asked to revoke it, and has not answered. */
    boolean isAsked;
    /** How many checkpoints of it have been proposed under this promotion. */
    int written;
    /** How many of these are known to be applied, or to have come to nothing: what was proposed after them is applied. */
    int settled;
    /** It is in the queue at this place, and is to be looked at then; both belong to {@link ExpiryQueue}. */
    int place;
    long dueNanos;

    HeldLease(long id, long ttlSeconds, long remainingSeconds) {
        this.id = id;
        this.ttlSeconds = ttlSeconds;
        this.remainingSeconds = remainingSeconds;
    }

    /** Whether a checkpoint of it may still come out of the log. */
    boolean isCheckpointed() {
        return written != settled;
    }

    /** What is left of it if nobody has renewed it since it was granted, or since its checkpoint. */
    long secondsLeft() {
        return remainingSeconds > 0 ? remainingSeconds : ttlSeconds;
    }
}
