package dev.quoin.member;

import dev.quoin.base.Clock;

/**
 * When this process stood still: it got no processor, it was stopped, or its JVM paused. A thread that has nothing to do wakes
 * up every {@value #PERIOD_MILLIS} ms and sees how late it is; meanwhile nobody else in the process has got far (the idea is
 * jHiccup's). So time that the processor took is not blamed on a disk, on the store or on another member.
 *
 * <p>A pause counts from when the thread should have woken, so up to a period less than it was. One that it has not woken from
 * yet counts up to now: who comes first out of a pause is told of it as well. Without a thread, as in the simulator, nothing
 * ever stands still. Nanoseconds, on the member's clock. Any thread.
 */
final class Pauses implements Actor {
    private static final long PERIOD_MILLIS = 25;
    private static final long PERIOD_NANOS = PERIOD_MILLIS * 1_000_000;
    /** A thread may wake so late where all is well. */
    private static final long LATE_NANOS = 10_000_000;
    /** How many are remembered: more than there can be while a request waits. */
    private static final int REMEMBERED_MAX = 512;

    private final Mailbox<Object> doorbell = new Mailbox<>();
    private final Clock clock;
    private final MemberMetrics metrics;
    private final long[] begins = new long[REMEMBERED_MAX];
    private final long[] ends = new long[REMEMBERED_MAX];
    /** How many there ever were. */
    private long count;
    private boolean hasThread;
    private long dueNanos;

    Pauses(Clock clock, MemberMetrics metrics) {
        this.clock = clock;
        this.metrics = metrics;
    }

    @Override
    public long turn() {
        long paused = woke(clock.nanos());
        if (paused > 0) {
            metrics.paused(paused);
        }
        return PERIOD_NANOS;
    }

    private synchronized long woke(long now) {
        long paused = lateness(now);
        if (paused > 0) {
            int at = at(count++);
            begins[at] = dueNanos;
            ends[at] = now;
        }
        hasThread = true;
        dueNanos = now + PERIOD_NANOS;
        return paused;
    }

    private long lateness(long now) {
        return hasThread && now - dueNanos > LATE_NANOS ? now - dueNanos : 0;
    }

    private static int at(long number) {
        return (int) (number % REMEMBERED_MAX);
    }

    /** How much of this time the process stood still. */
    synchronized long within(long from, long to) {
        long sum = lateness(to) > 0 ? overlap(dueNanos, to, from, to) : 0;
        for (long number = count - 1; number >= Math.max(0, count - REMEMBERED_MAX); number--) {
            int at = at(number);
            if (ends[at] - from <= 0) {
                break;
            }
            sum += overlap(begins[at], ends[at], from, to);
        }
        return sum;
    }

    /** How much of this time it did not. */
    long awake(long from, long to) {
        return to - from - within(from, to);
    }

    /** Differences only: a clock may begin anywhere. */
    private static long overlap(long begin, long end, long from, long to) {
        long first = begin - from > 0 ? begin : from;
        long last = end - to < 0 ? end : to;
        return Math.max(0, last - first);
    }

    @Override
    public Mailbox<?> mailbox() {
        return doorbell;
    }
}
