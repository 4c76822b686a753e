package dev.quoin.ctl.command;

import java.util.Map;
import java.util.TreeMap;

/** How long requests took, and which failed (etcd: pkg/report). Any thread's, until it is ended. */
final class Tally {
    private static final double SECOND_NANOS = 1e9;

    private final long beginNanos = System.nanoTime();
    private final Map<String, Integer> errors = new TreeMap<>();
    private long count;
    private double sum;
    private double sumOfSquares;
    private double slowest;
    private double totalSeconds;

    /** A request that was answered after so long. */
    synchronized void add(long nanos) {
        double seconds = nanos / SECOND_NANOS;
        count++;
        sum += seconds;
        sumOfSquares += seconds * seconds;
        slowest = Math.max(slowest, seconds);
    }

    /** A request that failed. */
    synchronized void add(String error) {
        errors.merge(error, 1, Integer::sum);
    }

    /** Nothing comes any more. */
    synchronized void end() {
        totalSeconds = (System.nanoTime() - beginNanos) / SECOND_NANOS;
    }

    /** Each error, with how often it came. */
    synchronized Map<String, Integer> errors() {
        return new TreeMap<>(errors);
    }

    /** Answered requests of a second. */
    synchronized double perSecond() {
        return count / totalSeconds;
    }

    /** In seconds. */
    synchronized double slowest() {
        return slowest;
    }

    /** The standard deviation, in seconds; 0 if nothing was answered. */
    synchronized double deviation() {
        if (count == 0) {
            return 0;
        }
        double average = sum / count;
        return Math.sqrt(Math.max(0, sumOfSquares / count - average * average));
    }
}
