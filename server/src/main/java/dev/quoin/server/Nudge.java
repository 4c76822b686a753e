package dev.quoin.server;

/**
 * A tap on the shoulder: it may be worth looking again. One thread waits for it, any other gives it, and one that is given
 * before anybody waits is not lost. Giving never waits.
 */
final class Nudge {
    private boolean given;

    synchronized void give() {
        given = true;
        notifyAll();
    }

    /** Waits until one has been given since the last time. */
    synchronized void await() throws InterruptedException {
        while (!given) {
            wait();
        }
        given = false;
    }
}
