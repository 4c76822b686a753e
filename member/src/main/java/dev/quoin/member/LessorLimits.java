package dev.quoin.member;

import java.time.Duration;

/**
 * The bounds and periods of leases.
 *
 * @param revocationsMax expired leases that may be on their way through the log at the same time; etcd's are 16
 * @param questionsMax renewals and the like that may wait for their answer at the same time; one more is refused
 * @param sliceLeases leases that are put in order in one go after a promotion; what waits is served in between
 * @param retryNanos after which a revocation that came to nothing is proposed again
 * @param lookUpNanos how long a lease that is not known may be one that is still to be applied; 1 s, as etcd
 */
record LessorLimits(int revocationsMax, int questionsMax, int sliceLeases, long retryNanos, long lookUpNanos) {
    static final LessorLimits DEFAULT = new LessorLimits(1_000, 1_000_000, 5_000, Duration.ofMillis(500).toNanos(),
            Duration.ofSeconds(1).toNanos());
}
