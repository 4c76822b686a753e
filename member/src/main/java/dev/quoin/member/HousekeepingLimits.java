package dev.quoin.member;

import java.time.Duration;

/**
 * How much the housekeeper does at a time, and how long it pauses in between, so that nobody notices it.
 *
 * @param pauseNanos between two steps of anything that is due; a step takes about a millisecond
 * @param sliceKeys keys whose history is given up in one step of a compaction
 * @param stepBytes bytes that are read, and perhaps written again, in one step
 * @param checkpointBytes growth of the ledger after which a checkpoint is worth while; it is also at least the size of
 *        the last checkpoint
 * @param scrubPauseNanos between two steps of the search for damage, which is never due
 * @param pinNanosMax how long records are kept for somebody who sends them elsewhere; then space is given back all the same
 */
public record HousekeepingLimits(long pauseNanos, int sliceKeys, int stepBytes, long checkpointBytes,
        long scrubPauseNanos, long pinNanosMax) {

    public static final HousekeepingLimits DEFAULT = new HousekeepingLimits(Duration.ofMillis(3).toNanos(), 300,
            256 << 10, 64 << 20, Duration.ofMillis(100).toNanos(), Duration.ofMinutes(10).toNanos());
}
