package dev.quoin.sim;

import java.util.PriorityQueue;

/** Time, and what is to happen when. What is due at the same moment happens in the order in which it was asked for. */
final class Scheduler {
    private record Event(long atNanos, long order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return atNanos != other.atNanos ? Long.compare(atNanos, other.atNanos) : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long nowNanos;
    private long order;

    long now() {
        return nowNanos;
    }

    void after(long delayNanos, Runnable action) {
        events.add(new Event(nowNanos + Math.max(0, delayNanos), order++, action));
    }

    /** Lets everything happen that is due by then. */
    void runUntil(long nanos) {
        while (true) {
            Event next = events.peek();
            if (next == null || next.atNanos > nanos) {
                nowNanos = nanos;
                return;
            }
            events.remove();
            nowNanos = next.atNanos;
            next.action.run();
        }
    }
}
