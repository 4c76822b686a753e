package dev.quoin.base;

import java.time.Instant;

/**
 * The seam for time. Everything that decides uses {@link #nanos}; {@link #now} appears only in logs, in generated ids and
 * in certificates, because a wall clock may jump.
 */
public interface Clock {
    /** Monotonic nanoseconds from an arbitrary origin: only differences mean something. */
    long nanos();

    /** The wall clock. */
    Instant now();
}
