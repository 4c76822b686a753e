package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How others talk to the owner of a loop: many put in, one takes everything out at once. A batch in costs one lock and at
 * most one wake-up, and so does a batch out. Unbounded by itself: what may be put in is bounded before, where the client
 * can still be told.
 */
final class Mailbox<T> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private List<T> messages = new ArrayList<>();
    private boolean asleep;
    private boolean nudged;

    void put(T message) {
        lock.lock();
        try {
            messages.add(message);
            wake();
        } finally {
            lock.unlock();
        }
    }

    void putAll(List<? extends T> batch) {
        lock.lock();
        try {
            messages.addAll(batch);
            wake();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the owner's waiting, now or the next time, although there is nothing for it. */
    void nudge() {
        lock.lock();
        try {
            nudged = true;
            wake();
        } finally {
            lock.unlock();
        }
    }

    private void wake() {
        if (asleep) {
            filled.signal();
        }
    }

    /** Everything that is there now, in order; empty if nothing is. For the owner. */
    List<T> take() {
        lock.lock();
        try {
            if (messages.isEmpty()) {
                return List.of();
            }
            List<T> taken = messages;
            messages = new ArrayList<>();
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Whether {@link #await} would return at once, and forgets a nudge as it does. For an owner that has no thread. */
    boolean poll() {
        lock.lock();
        try {
            boolean wanted = nudged || !messages.isEmpty();
            nudged = false;
            return wanted;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until there is something, the time is over, or for no reason at all. For the owner. */
    @SuppressWarnings("WaitNotInLoop") // The loop is the owner's: it takes a turn after every return.
    void await(long nanos) throws InterruptedException {
        lock.lock();
        try {
            if (messages.isEmpty() && !nudged && nanos > 0) {
                asleep = true;
                filled.awaitNanos(Math.min(nanos, TimeUnit.HOURS.toNanos(1)));
            }
        } finally {
            asleep = false;
            nudged = false;
            lock.unlock();
        }
    }
}
