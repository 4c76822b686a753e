package dev.quoin.net;

import java.util.concurrent.TimeUnit;

import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * A hashed timer wheel, one for each event loop: arming and disarming cost a few field writes, whatever the number of
 * calls that wait. Turns only while something is armed. A timer fires up to two ticks late, never early.
 *
 * <p>Owned by its loop.
 */
final class Deadlines {
    private static final long TICK_NANOS = 10_000_000L;
    private static final int SLOTS = 1024;

    private final EventLoop loop;
    private final Timer[] slots = new Timer[SLOTS];
    private final long origin = System.nanoTime();
    private long tick; // all ticks up to and including this one have been fired
    private int armed;
    private boolean turning;

    /** Something that happens at a time unless disarmed: an element of a doubly linked list with a head of its own. */
    abstract static class Timer {
        private @Nullable Timer next;
        private @Nullable Timer previous;
        private long dueTick;

        abstract void due();
    }

    private static final class Head extends Timer {
        @Override
        void due() {}
    }

    Deadlines(EventLoop loop) {
        this.loop = loop;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Head();
        }
    }

    /** Arms a timer that is not armed for a time on the scale of {@link System#nanoTime}. */
    void arm(Timer timer, long atNanos) {
        long ahead = Math.max(0, atNanos - origin);
        if (armed == 0) {
            tick = (System.nanoTime() - origin) / TICK_NANOS;
        }
        timer.dueTick = Math.max(tick + 1, ahead / TICK_NANOS + 1);
        Timer head = slots[(int) (timer.dueTick & (SLOTS - 1))];
        timer.next = head.next;
        timer.previous = head;
        if (head.next != null) {
            head.next.previous = timer;
        }
        head.next = timer;
        armed++;
        if (!turning) {
            turning = true;
            next();
        }
    }

    void disarm(Timer timer) {
        Timer previous = timer.previous;
        if (previous == null) {
            return;
        }
        previous.next = timer.next;
        if (timer.next != null) {
            timer.next.previous = previous;
        }
        timer.previous = null;
        timer.next = null;
        armed--;
    }

    private void next() {
        var _ = loop.schedule(this::turn, TICK_NANOS, TimeUnit.NANOSECONDS);
    }

    private void turn() {
        long now = (System.nanoTime() - origin) / TICK_NANOS;
        // After a stall of more than a whole turn every slot has been passed: once round is enough.
        long from = Math.max(tick, now - SLOTS);
        for (long t = from + 1; t <= now; t++) {
            fire(slots[(int) (t & (SLOTS - 1))], now);
        }
        tick = Math.max(tick, now);
        turning = armed > 0;
        if (turning) {
            next();
        }
    }

    private void fire(Timer head, long now) {
        // A timer that fires may disarm others of the same slot, so the list is read anew after each.
        Timer timer = head.next;
        while (timer != null) {
            Timer following = timer.next;
            if (timer.dueTick <= now) {
                disarm(timer);
                timer.due();
                following = head.next;
            }
            timer = following;
        }
    }
}
