package dev.quoin.member;

/** A piece of work of the {@link Housekeeper}, in small steps, so that whatever else there is to do is not held up. */
interface Job {
    /** What {@link #step} answers when there is nothing left to do. */
    long DONE = -1;
    /** What it answers when it can only go on once the apply loop has answered. */
    long UNTIL_A_MESSAGE = Long.MAX_VALUE;

    /** Does a little; {@link #DONE}, or the nanoseconds after which it wants to go on. */
    long step();

    /** What the apply loop answered to something this job has asked of it. */
    void hear(Housekeeper.Reply reply);

    /** It will not go on: what it has begun is taken back. */
    void abandon();
}
