package dev.quoin.member;

import java.time.Instant;

import dev.quoin.base.Clock;

/** A clock that a test moves on by hand. */
final class HandClock implements Clock {
    long nanos;

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public Instant now() {
        return Instant.ofEpochMilli(1_700_000_000_000L);
    }
}
