package dev.quoin.server;

import java.time.Instant;

import dev.quoin.base.Clock;

/** The machine's clocks. */
final class RealClock implements Clock {
    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public Instant now() {
        return Instant.now();
    }
}
