package dev.quoin.member.watch;

/**
 * The bounds of watching.
 *
 * @param feedBytesMax what the feed of recent changes may hold; a watcher that needs older ones reads the store
 * @param liveMessageBytesMax events of a message that is sent to a watcher that keeps up; one that is due more falls behind
 *        and is sent it in parts
 * @param wholeMessageBytesMax events of a message to a watcher that catches up that is made as a whole; a larger one is made
 *        while it is sent
 * @param sliceRevisionsMax revisions in a message to a watcher that catches up, etcd's watchBatchMaxRevs
 * @param sliceBytesMax events of such a message, unless a single revision has more
 * @param walkChangesMax changes that a walk over the history keeps, about; twice as many while it is under way
 * @param walksMax walks at work at the same time
 * @param walksKeptMax walks that are kept for others who need the same
 * @param messagesPerTurnMax messages that a hub sends before it lets others use its thread
 * @param changesPerDrainMax changes that a hub delivers at a time
 * @param nearRevisionsMax how far a watcher may be behind to be brought up on the hub's own thread
 */
public record WatchLimits(long feedBytesMax, int liveMessageBytesMax, int wholeMessageBytesMax, int sliceRevisionsMax,
        int sliceBytesMax, int walkChangesMax, int walksMax, int walksKeptMax, int messagesPerTurnMax,
        int changesPerDrainMax, int nearRevisionsMax) {
    private static final long FEED_BYTES_MAX = 64L << 20;
    private static final int FEED_HEAP_SHARE = 16;

    public static final WatchLimits DEFAULT = new WatchLimits(
            Math.min(FEED_BYTES_MAX, Runtime.getRuntime().maxMemory() / FEED_HEAP_SHARE), 256 << 10, 64 << 10, 1_000,
            1 << 20, 100_000, 2, 8, 256, 10_000, 100);
}
