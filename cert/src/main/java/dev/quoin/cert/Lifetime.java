package dev.quoin.cert;

import java.time.Duration;
import java.time.Instant;

/**
 * From when and until when a certificate is valid; of both, certificates hold whole seconds.
 *
 * @param from  the first moment
 * @param until the last
 */
record Lifetime(Instant from, Instant until) {
    /** Clocks of hosts differ; a certificate that is carried to another is to be valid there at once. */
    private static final Duration SKEW = Duration.ofHours(1);

    static Lifetime ofDays(Instant now, int days) {
        return new Lifetime(now.minus(SKEW), now.plus(Duration.ofDays(days)));
    }

    /** This one, but no longer than the other: what is signed is worth nothing without who has signed it. */
    Lifetime within(Lifetime other) {
        return until.isAfter(other.until) ? new Lifetime(from, other.until) : this;
    }
}
