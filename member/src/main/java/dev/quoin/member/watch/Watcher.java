package dev.quoin.member.watch;

import org.jspecify.annotations.Nullable;

import dev.quoin.store.KeyRange;

/** One watcher of a {@link WatchStream}. Belongs to its hub's thread. */
final class Watcher {
    final WatchStream stream;
    final long id;
    final KeyRange range;
    final WatchOptions options;
    /** What it was created with; 0 for what came after then. */
    final long start;
    /** The first revision that it has not been told, nor passed over. Up to date only while it is not in step. */
    long next;
    /** Where it is in step; null while it catches up. */
    WatchHub.@Nullable Node node;
    int slot;
    /** Nothing was told yet. */
    boolean isNew = true;
    /** Nothing was told since it was said how far it is. */
    boolean isQuiet = true;
    boolean isGone;

    Watcher(WatchStream stream, long id, KeyRange range, WatchOptions options, long start, long next) {
        this.stream = stream;
        this.id = id;
        this.range = range;
        this.options = options;
        this.start = start;
        this.next = next;
    }

    /** What it takes of the {@link WatchBudget}. */
    static long cost(KeyRange range) {
        return WatchBudget.WATCHER_BYTES + (long) range.key().length() + range.rangeEnd().length();
    }

    CatchUp.Wanted wanted() {
        return new CatchUp.Wanted(range, next, isNew, options);
    }
}
