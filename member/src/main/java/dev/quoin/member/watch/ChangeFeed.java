package dev.quoin.member.watch;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;
import dev.quoin.store.Change;
import dev.quoin.store.Records;

/**
 * The one log of recent changes, shared by all who watch. The apply loop appends to it, right after the view was published
 * that has the changes; anybody may read. It holds batches of consecutive revisions without a gap between them, up to so
 * many bytes: then the oldest go, and who needs them reads the store's history. While nobody watches it holds nothing.
 *
 * <p>What a reader must know: the view is ahead of the feed for a moment, never behind it. Who listens first and then looks
 * at the view misses nothing: what the view does not have yet is told.
 */
public final class ChangeFeed {
    /** Told when there is more. On the apply loop's thread; must not block. */
    @FunctionalInterface
    interface Listener {
        /** {@code batch} is the newest; null if there is none to be had, because the state is another one now. */
        void grew(@Nullable FeedBatch batch);
    }

    private final long bytesMax;
    private final ConcurrentSkipListMap<Long, FeedBatch> batches = new ConcurrentSkipListMap<>();
    private final CopyOnWriteArrayList<Listener> listeners = new CopyOnWriteArrayList<>();
    /** What the batches take. Grows by the readers too, who make what a batch does not begin with. */
    private final AtomicLong held = new AtomicLong();
    /** The newest revision of which something was said. */
    private volatile long newest;

    /** @param newest the revision that the store begins with */
    public ChangeFeed(long bytesMax, long newest) {
        this.bytesMax = bytesMax;
        this.newest = newest;
    }

    // ---- for the apply loop

    /** These changes were published, the next revisions. */
    public void append(List<Change> changes, Records records) {
        if (changes.isEmpty()) {
            return;
        }
        long first = changes.getFirst().main();
        Invariant.check(first == newest + 1, "changes of revision %d follow those of %d", first, newest);
        if (listeners.isEmpty()) {
            giveUpTo(Long.MAX_VALUE);
            newest = changes.getLast().main();
            return;
        }
        FeedBatch batch = new FeedBatch(changes, records, held, bytesMax);
        batches.put(first, batch);
        makeRoom();
        newest = batch.last();
        listeners.forEach(listener -> listener.grew(batch));
    }

    /** Another state is in force, of this revision: what lies between is not known here. */
    public void reset(long revision) {
        giveUpTo(Long.MAX_VALUE);
        newest = revision;
        listeners.forEach(listener -> listener.grew(null));
    }

    /** A batch that is too large by itself does not stay either: it is in the store. */
    private void makeRoom() {
        while (held.get() > bytesMax && !batches.isEmpty()) {
            giveUpTo(batches.firstKey());
        }
    }

    private void giveUpTo(long firstOfLast) {
        for (Map.Entry<Long, FeedBatch> oldest = batches.firstEntry(); oldest != null
                && oldest.getKey() <= firstOfLast; oldest = batches.firstEntry()) {
            batches.remove(oldest.getKey());
            oldest.getValue().giveUp();
        }
    }

    /** What it takes on the heap, about. */
    long heldBytes() {
        return held.get();
    }

    // ---- for readers

    void listen(Listener listener) {
        listeners.add(listener);
    }

    void forget(Listener listener) {
        listeners.remove(listener);
    }

    /** The newest revision that was appended. */
    public long newest() {
        return newest;
    }

    /** The batch with this revision; null if it is not there any more, or not yet. */
    @Nullable
    FeedBatch with(long revision) {
        Map.Entry<Long, FeedBatch> entry = batches.floorEntry(revision);
        return entry != null && entry.getValue().last() >= revision ? entry.getValue() : null;
    }
}
