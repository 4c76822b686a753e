package dev.quoin.store;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/**
 * The revisions of one key that are still known, oldest first, each with its version and the place of its record. A
 * deletion is a revision too, and ends a generation: the next put starts at version 1 again.
 *
 * <p>A value: a change gives a new history and leaves the old one to whoever reads it. Most keys have one live revision
 * and nothing else, which is {@link Single}, in 48 bytes; all others are {@link Many}. The lease is known of the newest
 * revision only: what an older one was attached to, its record tells.
 */
abstract sealed class History {
    /** Stands for a revision at which the key does not exist. */
    static final int ABSENT = -1;

    /** A key that did not exist before (main, sub). */
    static History created(long main, int sub, long position, long lease) {
        return restored(main, 1, main, sub, position, lease);
    }

    /** A key whose first known revision is a put, of which a record says create revision and version. */
    static History restored(long create, long version, long main, int sub, long position, long lease) {
        return lease == 0
                ? new Single(create, version, main, sub, position)
                : new Leased(create, version, main, sub, position, lease);
    }

    /** A key of which nothing is known but its deletion. */
    static History restoredTombstone(long main, int sub, long position) {
        return Many.ofTombstone(main, sub, position);
    }

    /** How many revisions are known, at least one. */
    abstract int count();

    /** The newest revision, or {@link #ABSENT} if it is a deletion. */
    abstract int newest();

    /** What the key was at {@code revision}: the newest put up to there, or {@link #ABSENT}. */
    abstract int at(long revision);

    abstract long main(int index);

    abstract int sub(int index);

    abstract long create(int index);

    abstract long version(int index);

    abstract long position(int index);

    abstract boolean isTombstone(int index);

    /** The lease that the key is attached to now; 0 if there is none. */
    abstract long lease();

    abstract History put(long main, int sub, long position, long lease);

    /** The key must be live. */
    abstract History delete(long main, int sub, long position);

    /**
     * What is left after a compaction at {@code revision}: the newest revision up to there and all later ones; of a
     * deletion up to there only one exactly at {@code revision} stays. Null if nothing is left.
     */
    abstract @Nullable History compact(long revision);

    final boolean isLive() {
        return newest() != ABSENT;
    }

    /** One put, and nothing else known. */
    static sealed class Single extends History {
        private final long create;
        private final long version;
        private final long main;
        private final long position;
        private final int sub;

        private Single(long create, long version, long main, int sub, long position) {
            this.create = create;
            this.version = version;
            this.main = main;
            this.sub = sub;
            this.position = position;
        }

        @Override
        int count() {
            return 1;
        }

        @Override
        int newest() {
            return 0;
        }

        @Override
        int at(long revision) {
            return main <= revision ? 0 : ABSENT;
        }

        @Override
        long main(int index) {
            return main;
        }

        @Override
        int sub(int index) {
            return sub;
        }

        @Override
        long create(int index) {
            return create;
        }

        @Override
        long version(int index) {
            return version;
        }

        @Override
        long position(int index) {
            return position;
        }

        @Override
        boolean isTombstone(int index) {
            return false;
        }

        @Override
        long lease() {
            return 0;
        }

        @Override
        History put(long newMain, int newSub, long newPosition, long newLease) {
            return Many.of(this).put(newMain, newSub, newPosition, newLease);
        }

        @Override
        History delete(long newMain, int newSub, long newPosition) {
            return Many.of(this).delete(newMain, newSub, newPosition);
        }

        @Override
        History compact(long revision) {
            return this;
        }
    }

    /** One put that attached the key to a lease. */
    static final class Leased extends Single {
        private final long lease;

        private Leased(long create, long version, long main, int sub, long position, long lease) {
            super(create, version, main, sub, position);
            this.lease = lease;
        }

        @Override
        long lease() {
            return lease;
        }
    }

    /**
     * Revisions in slots of three numbers: main; position; and, packed, where the generation starts (32 bits), whether
     * this is a deletion (1 bit), and sub (31 bits). With the start of the generation at hand, version and create
     * revision are sums, not walks. Only the first generation may have lost its beginning, so what it began with is kept
     * apart.
     *
     * <p>A change appends to the same array if it has room: older histories share it and never look beyond their own
     * count. That makes a change of a busy key cost constant time on average, and is sound because there is one writer
     * who only ever changes the newest history of a key.
     */
    static final class Many extends History {
        private static final int WIDTH = 3;
        private static final int POSITION = 1;
        private static final int PACKED = 2;
        private static final long TOMBSTONE = 1L << 31;
        private static final long SUB_MASK = TOMBSTONE - 1;

        private final long[] slots;
        private final int count;
        private final long firstCreate;
        private final long firstVersion;
        private final long lease;

        private Many(long[] slots, int count, long firstCreate, long firstVersion, long lease) {
            this.slots = slots;
            this.count = count;
            this.firstCreate = firstCreate;
            this.firstVersion = firstVersion;
            this.lease = lease;
        }

        private static Many of(Single single) {
            long[] slots = new long[2 * WIDTH];
            fill(slots, 0, single.main, single.position, 0, single.sub);
            return new Many(slots, 1, single.create, single.version, single.lease());
        }

        private static Many ofTombstone(long main, int sub, long position) {
            long[] slots = new long[WIDTH];
            fill(slots, 0, main, position, TOMBSTONE, sub);
            return new Many(slots, 1, 0, 1, 0);
        }

        private static void fill(long[] slots, int index, long main, long position, long startAndFlag, int sub) {
            slots[index * WIDTH] = main;
            slots[index * WIDTH + POSITION] = position;
            slots[index * WIDTH + PACKED] = startAndFlag | sub;
        }

        @Override
        int count() {
            return count;
        }

        @Override
        int newest() {
            return isTombstone(count - 1) ? ABSENT : count - 1;
        }

        @Override
        int at(long revision) {
            int index = lastUpTo(revision);
            return index == ABSENT || isTombstone(index) ? ABSENT : index;
        }

        /** The last slot of a revision up to {@code revision}. Of several in one transaction the last one counts. */
        private int lastUpTo(long revision) {
            int low = 0;
            int high = count;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (main(middle) <= revision) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low - 1;
        }

        @Override
        long main(int index) {
            return slots[index * WIDTH];
        }

        @Override
        int sub(int index) {
            return (int) (packed(index) & SUB_MASK);
        }

        @Override
        long create(int index) {
            int start = start(index);
            return start == 0 ? firstCreate : main(start);
        }

        @Override
        long version(int index) {
            int start = start(index);
            return index - start + (start == 0 ? firstVersion : 1);
        }

        @Override
        long position(int index) {
            return slots[index * WIDTH + POSITION];
        }

        @Override
        boolean isTombstone(int index) {
            return (packed(index) & TOMBSTONE) != 0;
        }

        /** Where the generation of a revision starts. */
        private int start(int index) {
            return (int) (packed(index) >>> 32);
        }

        private long packed(int index) {
            return slots[index * WIDTH + PACKED];
        }

        @Override
        long lease() {
            return lease;
        }

        @Override
        History put(long main, int sub, long position, long newLease) {
            int start = isTombstone(count - 1) ? count : start(count - 1);
            return append(main, sub, position, (long) start << 32, newLease);
        }

        @Override
        History delete(long main, int sub, long position) {
            Invariant.check(isLive(), "deletion at %d of a key that does not exist", main);
            return append(main, sub, position, (long) start(count - 1) << 32 | TOMBSTONE, 0);
        }

        private Many append(long main, int sub, long position, long startAndFlag, long newLease) {
            int last = count - 1;
            Invariant.check(main > main(last) || (main == main(last) && sub > sub(last)),
                    "change at %d of a key that changed at %d", main, main(last));
            long[] target = slots;
            if (slots.length < (count + 1) * WIDTH) {
                target = Arrays.copyOf(slots, (count + 1 + count / 2) * WIDTH);
            }
            fill(target, count, main, position, startAndFlag, sub);
            return new Many(target, count + 1, firstCreate, firstVersion, newLease);
        }

        @Override
        @Nullable
        History compact(long revision) {
            int first = firstKept(revision);
            if (first == count) {
                return null;
            }
            if (first == count - 1 && !isTombstone(first)) {
                return restored(create(first), version(first), main(first), sub(first), position(first), lease);
            }
            return first == 0 ? this : suffix(first);
        }

        private int firstKept(long revision) {
            int first = Math.max(0, lastUpTo(revision));
            if (isTombstone(first) && main(first) < revision) {
                return first + 1;
            }
            // A transaction may delete a key and put it again. The deletion closes the generation that the compaction
            // looks into, so it stays, and with it what follows.
            for (int index = first; index >= 0 && main(index) == revision; index--) {
                if (isTombstone(index)) {
                    first = index;
                }
            }
            return first;
        }

        private Many suffix(int first) {
            long[] kept = Arrays.copyOfRange(slots, first * WIDTH, count * WIDTH);
            for (int index = 0; index < count - first; index++) {
                int start = Math.max(0, start(first + index) - first);
                kept[index * WIDTH + PACKED] = (long) start << 32 | (packed(first + index) & (TOMBSTONE | SUB_MASK));
            }
            return new Many(kept, count - first, create(first), version(first), lease);
        }
    }
}
