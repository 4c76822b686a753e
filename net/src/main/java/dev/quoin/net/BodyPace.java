package dev.quoin.net;

/**
 * How quickly an event loop takes bodies that are read while they arrive, all its connections together: who sends them without end costs
 * everybody else a share of the processors and of the collector that this bounds. Owned by the loop.
 */
final class BodyPace {
    /** Far more than members write to their logs; a message of the largest size is there in a tenth of a second. */
    static final long BYTES_PER_SECOND = 16L << 20;
    /** What was not used for a while may be at once. */
    private static final long BURST_NANOS = 100_000_000;

    private boolean isUsed;
    private long paidUntilNanos;

    /** Bytes have come; for how long their connection is not to be read, 0 if it may go on. */
    long took(int bytes, long nowNanos) {
        long earliest = nowNanos - BURST_NANOS;
        if (!isUsed || paidUntilNanos - earliest < 0) {
            isUsed = true;
            paidUntilNanos = earliest;
        }
        paidUntilNanos += bytes * 1_000_000_000L / BYTES_PER_SECOND;
        return Math.max(0, paidUntilNanos - nowNanos);
    }
}
