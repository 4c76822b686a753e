package dev.quoin.server.metrics;

import java.util.concurrent.atomic.LongAdder;

/**
 * How values are distributed over buckets. They are told as whole numbers of a small unit, nanoseconds for what is shown in
 * seconds, so that nothing is rounded and no number with a point is touched where it counts. Any thread.
 */
public final class Histogram {
    /** In what values are told. */
    public enum Unit {
        /** Nanoseconds, shown as seconds. */
        NANOS_AS_SECONDS(1e9),
        /** Nanoseconds, shown as milliseconds. */
        NANOS_AS_MILLIS(1e6),
        /** As they are. */
        PLAIN(1);

        private final double perShown;

        Unit(double perShown) {
            this.perShown = perShown;
        }
    }

    private final Buckets buckets;
    private final Unit unit;
    /** The bounds in the unit of what is told. */
    private final long[] bounds;
    /** One more than there are bounds. */
    private final LongAdder[] counts;
    private final LongAdder sum = new LongAdder();

    Histogram(Buckets buckets, Unit unit) {
        this.buckets = buckets;
        this.unit = unit;
        bounds = new long[buckets.count()];
        counts = new LongAdder[bounds.length + 1];
        for (int at = 0; at < bounds.length; at++) {
            bounds[at] = Math.round(buckets.bound(at) * unit.perShown);
        }
        for (int at = 0; at < counts.length; at++) {
            counts[at] = new LongAdder();
        }
    }

    public void observe(long value) {
        observe(value, 1);
    }

    /** The same value so many times. */
    public void observe(long value, long times) {
        int at = 0;
        while (at < bounds.length && value > bounds[at]) {
            at++;
        }
        counts[at].add(times);
        sum.add(value * times);
    }

    Buckets buckets() {
        return buckets;
    }

    /** How many values each bucket got, the one without a bound last. */
    long[] counts() {
        long[] now = new long[counts.length];
        for (int at = 0; at < now.length; at++) {
            now[at] = counts[at].sum();
        }
        return now;
    }

    /** As it is shown. */
    double sum() {
        return sum.sum() / unit.perShown;
    }
}
