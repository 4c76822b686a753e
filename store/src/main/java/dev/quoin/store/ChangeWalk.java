package dev.quoin.store;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * Finds what has happened to the keys of a range since a revision, for those who watch and have fallen behind. The history
 * lies in the key index by key, so a small range is found quickly however far back it begins, and a large one costs a look
 * at each of its keys.
 *
 * <p>Works in steps, on any thread, on a view that does not change. Keeps the oldest changes only, about twice as many as
 * asked for, and of the last revision that it keeps all: what comes later is for another walk. A single revision that is
 * larger than that is kept whole, since nobody may see a part of it.
 *
 * <p>A change at the revision of the last compaction, or later, is found for certain; an older one may have been given up.
 */
public final class ChangeWalk {
    /**
     * A change, without its record.
     *
     * @param position of its record: the encoded KeyValue of a put, the key of a deletion
     * @param previous as in {@link Change}
     */
    public record Found(long main, int sub, boolean isDeletion, long position, long previous) {}

    /**
     * What was found: every change of the range from {@code from} on and before {@code end}, in the order of (main, sub).
     *
     * @param records where their positions lead
     * @param revision of the view that was looked at
     */
    public record Result(KeyRange range, long from, long end, List<Found> changes, Records records, long revision) {}

    private static final Comparator<Found> ORDER = Comparator.comparingLong(Found::main).thenComparingInt(Found::sub);

    private final KeyIndex index;
    private final Records records;
    private final long revision;
    private final KeyRange range;
    private final long from;
    private final int changesMax;
    private @Nullable Bytes next;
    private List<Found> found = new ArrayList<>();
    private int sortAt;
    private long end;

    /**
     * @param from the first revision asked for, not before the view's last compaction
     * @param changesMax how many changes there are about to be at most
     */
    ChangeWalk(View view, KeyRange range, long from, int changesMax) {
        Invariant.check(changesMax > 0 && from >= view.compactedRevision(),
                "a walk for %d changes from revision %d, compacted at %d", changesMax, from, view.compactedRevision());
        this.index = view.index();
        this.records = view.records();
        this.revision = view.revision();
        this.range = range;
        this.from = from;
        this.changesMax = changesMax;
        this.next = range.key();
        this.end = revision + 1;
        this.sortAt = 2 * changesMax;
    }

    /** Looks at {@code visitsMax} keys more; true once it is done. */
    public boolean step(int visitsMax) {
        Bytes start = next;
        if (start != null) {
            Gatherer gatherer = new Gatherer(visitsMax);
            index.scan(range.isSingle() ? range : new KeyRange(start, range.rangeEnd()), gatherer);
            next = gatherer.stoppedAt;
        }
        return next == null;
    }

    /** All at once. */
    public Result run() {
        while (!step(Integer.MAX_VALUE)) {
            Invariant.check(next != null, "a walk without an end");
        }
        return result();
    }

    public Result result() {
        Invariant.check(next == null, "the result of a walk that is not done");
        sort();
        List<Found> sorted = found;
        found = List.of();
        return new Result(range, from, end, sorted, records, revision);
    }

    private final class Gatherer implements KeyIndex.Visitor {
        private int visitsLeft;
        private @Nullable Bytes stoppedAt;

        private Gatherer(int visitsMax) {
            Invariant.check(visitsMax > 0, "a walk of %d visits", visitsMax);
            visitsLeft = visitsMax;
        }

        @Override
        public boolean visit(byte[] key, History history) {
            if (visitsLeft == 0) {
                stoppedAt = Bytes.of(key);
                return false;
            }
            visitsLeft--;
            for (int at = history.lastUpTo(from - 1) + 1; at < history.count() && history.main(at) < end; at++) {
                add(history, at);
            }
            return true;
        }
    }

    private void add(History history, int at) {
        long main = history.main(at);
        boolean isDeletion = history.isTombstone(at);
        boolean isCreation = !isDeletion && history.create(at) == main;
        found.add(new Found(main, history.sub(at), isDeletion, history.position(at),
                isCreation ? Change.NONE : Change.previous(history, main)));
        if (found.size() >= sortAt) {
            sort();
        }
    }

    /** Sorts, and cuts off what is too much, between two revisions. */
    private void sort() {
        found.sort(ORDER);
        if (found.size() <= changesMax) {
            return;
        }
        long cut = found.get(changesMax).main;
        if (cut == found.getFirst().main) {
            cut++;
        }
        int kept = found.size();
        while (kept > 0 && found.get(kept - 1).main >= cut) {
            kept--;
        }
        found.subList(kept, found.size()).clear();
        end = Math.min(end, cut);
        sortAt = 2 * Math.max(changesMax, kept);
    }
}
