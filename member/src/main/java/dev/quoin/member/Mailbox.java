package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;

/**
 * How others talk to the owner of a loop: many put in, one takes everything out at once. A batch in costs one lock and at
 * most one wake-up, and so does a batch out. Unbounded by itself: what may be put in is bounded before, where the client
 * can still be told.
 *
 * <p>If the owner is {@linkplain #helpedBy helped}, whoever puts something in may see to it at once, on its own thread, after it
 * has let go of the lock here.
 */
final class Mailbox<T> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private List<T> messages = new ArrayList<>();
    private boolean asleep;
    private boolean nudged;
    private volatile @Nullable BooleanSupplier helper;

    /**
     * Sets who is tried after something was put in, on the thread that put it. Answers whether it is seen to; if not, the owner is
     * woken.
     */
    void helpedBy(BooleanSupplier somebody) {
        helper = somebody;
    }

    void put(T message) {
        putAll(List.of(message));
    }

    void putAll(List<? extends T> batch) {
        if (batch.isEmpty()) {
            return;
        }
        BooleanSupplier help = helper;
        lock.lock();
        try {
            messages.addAll(batch);
            if (help == null) {
                wake();
            }
        } finally {
            lock.unlock();
        }
        if (help != null && !help.getAsBoolean()) {
            wakeOwner();
        }
    }

    private void wakeOwner() {
        lock.lock();
        try {
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

    boolean isEmpty() {
        lock.lock();
        try {
            return messages.isEmpty();
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
