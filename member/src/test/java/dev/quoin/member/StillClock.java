package dev.quoin.member;

import java.time.Instant;

import dev.quoin.base.Clock;

/** A clock that stands still, for tests in which time does not matter. */
final class StillClock implements Clock {
    @Override
    public long nanos() {
        return 0;
    }

    @Override
    public Instant now() {
        return Instant.EPOCH;
    }
}
