package dev.quoin.server.peer;

import java.util.concurrent.LinkedBlockingQueue;

/**
 * What is told to the member from a thread of its own, because who found it out must not call back. Unbounded: each link
 * has at most one thing to say at a time, and a state that was to be sent another.
 */
final class Later implements AutoCloseable {
    private final LinkedBlockingQueue<Runnable> due = new LinkedBlockingQueue<>();
    private final Thread thread = Thread.ofVirtual().name("peer-later").unstarted(this::run);

    void start() {
        thread.start();
    }

    void run(Runnable task) {
        due.add(task);
    }

    private void run() {
        try {
            while (true) {
                due.take().run();
            }
        } catch (InterruptedException closed) {
            // That is all.
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
