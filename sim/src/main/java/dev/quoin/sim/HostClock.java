package dev.quoin.sim;

import java.time.Instant;

import dev.quoin.base.Clock;

/** A clock of one machine: it runs a little too fast or too slow, and begins anywhere. */
final class HostClock implements Clock {
    private static final Instant ERA = Instant.ofEpochSecond(1_800_000_000L);

    private final Scheduler time;
    /** Parts in a million that it runs too fast. */
    private long driftPpm;
    private long localNanos;
    private long sinceNanos;
    private long wallOffsetNanos;

    HostClock(Scheduler time, long startNanos, long driftPpm) {
        this.time = time;
        this.localNanos = startNanos;
        this.driftPpm = driftPpm;
    }

    @Override
    public long nanos() {
        long passed = time.now() - sinceNanos;
        return localNanos + passed + passed / 1_000 * driftPpm / 1_000;
    }

    @Override
    public Instant now() {
        return ERA.plusNanos(time.now() + wallOffsetNanos);
    }

    /** What {@code nanos} on this clock are in true time, rounded up. */
    long trueNanos(long nanos) {
        return nanos - nanos / 1_000 * driftPpm / 1_000 + 1_000;
    }

    void drift(long ppm) {
        localNanos = nanos();
        sinceNanos = time.now();
        driftPpm = ppm;
    }

    /** Between two lives only: within one it is monotonic. */
    void restartAt(long nanos) {
        localNanos = nanos;
        sinceNanos = time.now();
    }

    void jumpWall(long nanos) {
        wallOffsetNanos += nanos;
    }
}
