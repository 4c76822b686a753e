package dev.quoin.member;

/**
 * Something that owns state and works through what it was sent, one turn at a time. A thread drives it in the server, the
 * scheduler of the simulator elsewhere; it does not know which.
 */
interface Actor {
    /**
     * Does all there is to do now, without waiting for anybody.
     *
     * @return nanoseconds after which it wants another turn even if nothing arrives
     */
    long turn();

    /** Waits until something has arrived or the time is over. */
    void await(long nanos) throws InterruptedException;

    /** Ends the waiting, now or the next time. For any thread. */
    void nudge();
}
