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

    /** What it was sent since its last turn; where its driver waits for the next. */
    Mailbox<?> mailbox();
}
