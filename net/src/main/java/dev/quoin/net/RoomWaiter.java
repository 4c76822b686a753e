package dev.quoin.net;

import java.util.concurrent.locks.LockSupport;

import org.jspecify.annotations.Nullable;

/** How a thread waits until what it sends has room. One thread at a time, never a loop; woken from anywhere. */
abstract class RoomWaiter {
    private volatile @Nullable Thread waiter;

    /** Whether nothing can be sent any more. Any thread. */
    abstract boolean isOver();

    /** Any thread. */
    abstract boolean hasRoom();

    /** Waits until there is room; false if there never will be. */
    final boolean awaitRoom() throws InterruptedException {
        waiter = Thread.currentThread();
        try {
            while (!isOver() && !hasRoom()) {
                LockSupport.park(this);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        } finally {
            waiter = null;
        }
        return !isOver();
    }

    /** There may be room, or an end. */
    final void wakeWaiter() {
        Thread waiting = waiter;
        if (waiting != null) {
            LockSupport.unpark(waiting);
        }
    }
}
