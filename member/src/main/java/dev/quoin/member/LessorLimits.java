package dev.quoin.member;

import java.time.Duration;

/**
 * The bounds and periods of leases.
 *
 * @param revocationsMax expired leases that may be on their way through the log at the same time; etcd's are 16
 * @param questionsMax renewals and the like that may wait for their answer at the same time; one more is refused
 * @param sliceLeases leases that are looked at in one go after a promotion; what waits is served in between
 * @param retryNanos after which a revocation that came to nothing is proposed again
 * @param lookUpNanos how long a lease that is not known may be one that is still to be applied; 1 s, as etcd
 * @param checkpointNanos how often what leases have left is written down, if that is done; no lease that lasts less is; 5
 *        min, as etcd
 * @param checkpointLeases leases of one such entry; 1,000, as etcd
 */
public record LessorLimits(int revocationsMax, int questionsMax, int sliceLeases, long retryNanos, long lookUpNanos,
        long checkpointNanos, int checkpointLeases) {
    public static final LessorLimits DEFAULT = new LessorLimits(1_000, 1_000_000, 5_000,
            Duration.ofMillis(500).toNanos(), Duration.ofSeconds(1).toNanos(), Duration.ofMinutes(5).toNanos(), 1_000);
}
