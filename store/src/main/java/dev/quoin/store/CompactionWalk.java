package dev.quoin.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * Finds what a compaction leaves over, in slices, on any thread: it looks at a view that does not change. The owner of
 * the store then takes each slice out by {@link Store#compactKeys}, between two batches of commands; and once the last
 * one is out says so by {@link Store#compactionFinished}. What has happened to the keys since the view does not matter: a
 * compaction looks at revisions up to its own, and those are in the view.
 */
public final class CompactionWalk {
    /**
     * Keys whose history shrinks.
     *
     * @param dead the positions of the records that nobody can ask for any more
     * @param next where the walk goes on; null if it is done
     */
    public record Slice(long revision, List<Bytes> keys, Positions dead, @Nullable Bytes next) {
        public boolean isLast() {
            return next == null;
        }
    }

    /** Positions of records, by number from 0. */
    public static final class Positions {
        private long[] positions = new long[16];
        private int size;

        Positions() {}

        /** The first {@code count} records of a history. */
        void addFirst(int count, History history) {
            for (int at = 0; at < count; at++) {
                add(history.position(at));
            }
        }

        void add(long position) {
            if (size == positions.length) {
                positions = Arrays.copyOf(positions, 2 * size);
            }
            positions[size++] = position;
        }

        public int size() {
            return size;
        }

        public long get(int number) {
            Invariant.check(number >= 0 && number < size, "position %d of %d", number, size);
            return positions[number];
        }

        public long[] toArray() {
            return Arrays.copyOf(positions, size);
        }
    }

    private final KeyIndex index;
    private final long revision;
    private @Nullable Bytes next;

    /** From the first key on. */
    public CompactionWalk(View view, long revision) {
        this(view, revision, Bytes.EMPTY);
    }

    /** The view must have been published after the compaction was applied. */
    public CompactionWalk(View view, long revision, Bytes fromKey) {
        Invariant.check(revision <= view.compactedRevision(), "a walk for a compaction at %d, the last was at %d",
                revision, view.compactedRevision());
        this.index = view.index();
        this.revision = revision;
        this.next = fromKey;
    }

    /** Looks at {@code visitsMax} keys at most, and stops early with {@code keysMax} that shrink. */
    public Slice next(int keysMax, int visitsMax) {
        Bytes from = next;
        Invariant.check(from != null, "a walk goes on behind its end");
        Gatherer gatherer = new Gatherer(keysMax, visitsMax);
        if (from != null) {
            index.scan(KeyRange.from(from), gatherer);
        }
        next = gatherer.stoppedAt;
        return new Slice(revision, gatherer.keys, gatherer.dead, next);
    }

    private final class Gatherer implements KeyIndex.Visitor {
        private final int keysMax;
        private final List<Bytes> keys = new ArrayList<>();
        private final Positions dead = new Positions();
        private int visitsLeft;
        private @Nullable Bytes stoppedAt;

        private Gatherer(int keysMax, int visitsMax) {
            Invariant.check(keysMax > 0 && visitsMax > 0, "a slice of %d keys in %d visits", keysMax, visitsMax);
            this.keysMax = keysMax;
            this.visitsLeft = visitsMax;
        }

        @Override
        public boolean visit(byte[] key, History history) {
            if (visitsLeft == 0 || keys.size() == keysMax) {
                stoppedAt = Bytes.of(key);
                return false;
            }
            visitsLeft--;
            int kept = history.firstKept(revision);
            if (kept > 0) {
                keys.add(Bytes.of(key));
                dead.addFirst(kept, history);
            }
            return true;
        }
    }
}
