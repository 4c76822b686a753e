package dev.quoin.server.metrics;

import java.util.concurrent.atomic.LongAdder;

/** A number that goes up and down by what is told; whether it may go down, its type says to who reads it. Any thread. */
public final class Counter {
    private final LongAdder sum = new LongAdder();

    public void increment() {
        sum.increment();
    }

    public void add(long more) {
        sum.add(more);
    }

    long value() {
        return sum.sum();
    }
}
