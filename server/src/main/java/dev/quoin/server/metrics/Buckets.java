package dev.quoin.server.metrics;

/** The upper bounds of a histogram's buckets, rising, in the unit of its name. The last bucket, without a bound, is not among them. */
public final class Buckets {
    /** What Go's client has if nothing is said. */
    static final Buckets DEFAULT = new Buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);

    private final double[] bounds;

    private Buckets(double... bounds) {
        this.bounds = bounds;
    }

    /** As Go makes them: {@code ExponentialBuckets}. */
    static Buckets exponential(double start, double factor, int count) {
        double[] bounds = new double[count];
        double bound = start;
        for (int at = 0; at < count; at++) {
            bounds[at] = bound;
            bound *= factor;
        }
        return new Buckets(bounds);
    }

    int count() {
        return bounds.length;
    }

    double bound(int at) {
        return bounds[at];
    }
}
