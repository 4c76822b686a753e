package dev.quoin.ctl.rpc;

import java.util.concurrent.TimeUnit;

/** The moment at which a call's time is up; perhaps never. */
public final class Deadline {
    public static final Deadline NEVER = new Deadline(0, false);
    /** What {@code grpc-timeout} has room for. */
    private static final long AMOUNT_MAX = 99_999_999;

    private final long atNanos;
    private final boolean isFinite;

    private Deadline(long atNanos, boolean isFinite) {
        this.atNanos = atNanos;
        this.isFinite = isFinite;
    }

    /** So long from now; more than a hundred years are for ever. */
    public static Deadline in(long nanos) {
        return TimeUnit.NANOSECONDS.toDays(nanos) > 36_500 ? NEVER : new Deadline(System.nanoTime() + nanos, true);
    }

    public boolean isFinite() {
        return isFinite;
    }

    /** Nanoseconds that are left; 0 or less when the time is up. Without a deadline, more than anyone waits. */
    public long nanosLeft() {
        return isFinite ? atNanos - System.nanoTime() : Long.MAX_VALUE;
    }

    public boolean isOver() {
        return nanosLeft() <= 0;
    }

    /** The value of the header {@code grpc-timeout}, rounded up to a unit in which it has eight digits at most. */
    String header() {
        long nanos = Math.max(nanosLeft(), 1);
        if (nanos <= AMOUNT_MAX) {
            return nanos + "n";
        }
        if (nanos / 1_000 < AMOUNT_MAX) {
            return nanos / 1_000 + 1 + "u";
        }
        if (nanos / 1_000_000 < AMOUNT_MAX) {
            return nanos / 1_000_000 + 1 + "m";
        }
        return nanos / 1_000_000_000 + 1 + "S";
    }
}
