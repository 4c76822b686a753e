package dev.quoin.server;

import java.time.Duration;

/** Does something again and again, on a virtual thread of its own, until it is stopped. */
final class Ticks implements AutoCloseable {
    private final Thread thread;

    private Ticks(Thread thread) {
        this.thread = thread;
    }

    /** @param what must not throw; its time is not made up for */
    static Ticks every(Duration pause, Runnable what) {
        return new Ticks(Thread.ofVirtual().name("ticks").start(() -> {
            try {
                while (true) {
                    Thread.sleep(pause);
                    what.run();
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
