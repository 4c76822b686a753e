package dev.quoin.server.auth;

import java.time.Duration;
import java.time.Instant;

import dev.quoin.base.Clock;

/** Goes on when it is told to. */
final class ManualClock implements Clock {
    private long nanos;

    void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public Instant now() {
        return Instant.ofEpochSecond(1_800_000_000).plusNanos(nanos);
    }
}
