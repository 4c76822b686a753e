package dev.quoin.net;

import java.util.concurrent.Semaphore;

/** Virtual threads, at most so many at once: what does not fit is refused, it never waits. Any thread. */
final class VirtualWork {
    private final Semaphore room;
    private final Thread.Builder.OfVirtual threads;

    VirtualWork(String name, int max) {
        room = new Semaphore(max);
        threads = Thread.ofVirtual().name(name + "-", 0);
    }

    boolean start(Runnable work) {
        if (!room.tryAcquire()) {
            return false;
        }
        threads.start(() -> {
            try {
                work.run();
            } finally {
                room.release();
            }
        });
        return true;
    }
}
