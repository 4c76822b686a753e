package dev.quoin.member.watch;

/** Where a {@link WatchHub} lives. */
public interface WatchHost {
    /** Runs it on the hub's thread, later, and in the order in which one thread gives it. Any thread may call. */
    void execute(Runnable task);

    /** Runs it where one may wait for a disk, not on the hub's thread. Called on the hub's thread. */
    void work(Runnable task);
}
