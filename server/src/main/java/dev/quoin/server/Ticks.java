package dev.quoin.server;

import java.time.Duration;

/** Does something again and again, on a virtual thread of its own, until it is stopped. */
final class Ticks implements AutoCloseable {
    /** Something that says after how long it wants to be done again. It may wait, and must not throw anything else. */
    @FunctionalInterface
    interface Paced {
        Duration run() throws InterruptedException;
    }

    private final Thread thread;

    private Ticks(Thread thread) {
        this.thread = thread;
    }

    /** @param what must not throw; its time is not made up for */
    static Ticks every(Duration pause, Runnable what) {
        return paced(pause, () -> {
            what.run();
            return pause;
        });
    }

    /** @param first the pause before it is done for the first time */
    static Ticks paced(Duration first, Paced what) {
        return new Ticks(Thread.ofVirtual().name("ticks").start(() -> {
            try {
                Duration pause = first;
                while (true) {
                    Thread.sleep(pause);
                    pause = what.run();
                }
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        }));
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
