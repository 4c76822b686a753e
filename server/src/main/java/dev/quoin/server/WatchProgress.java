package dev.quoin.server;

import java.time.Duration;
import java.util.function.LongUnaryOperator;

/**
 * How often watchers are told how far they are, if they asked for it: every so often and up to a tenth more, which is left
 * to chance for each stream, so that not all of them are told at once (api/v3rpc/watch.go).
 *
 * @param interval at least {@link #LEAST}
 * @param chance a number from 0 to before the one that it is given
 */
record WatchProgress(Duration interval, LongUnaryOperator chance) {
    static final Duration LEAST = Duration.ofMillis(100);
    private static final Duration USUAL = Duration.ofMinutes(10);
    private static final int JITTER_SHARE = 10;

    /** What the flag asks for; nothing or less is the usual interval. */
    static Duration interval(Duration asked) {
        if (!asked.isPositive()) {
            return USUAL;
        }
        return asked.compareTo(LEAST) < 0 ? LEAST : asked;
    }

    /** Nanoseconds, for one stream. */
    long jittered() {
        long nanos = interval.toNanos();
        return nanos + chance.applyAsLong(nanos / JITTER_SHARE);
    }
}
