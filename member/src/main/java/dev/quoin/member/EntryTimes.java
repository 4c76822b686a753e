package dev.quoin.member;

/**
 * When the entries of the log came by on their way: into this member's log, onto its disk, to be applied. Not for each
 * entry: for all that comes within {@value #GRAIN_MILLIS} ms there is one mark, and so many marks are kept that a request
 * still finds its own when it gives up. So it costs nothing to speak of, and whoever asks why one request took long is
 * told about to that grain.
 *
 * <p>Written by the raft loop, read by the apply loop, for what was slow.
 */
final class EntryTimes {
    private static final long GRAIN_MILLIS = 10;
    private static final long GRAIN_NANOS = GRAIN_MILLIS * 1_000_000;
    /** Ten seconds, if something is appended all the time. */
    private static final int MARKS = 1_024;

    /** Marks of one kind, the oldest of which are overwritten. */
    private static final class Trail {
        private final long[] indices = new long[MARKS];
        private final long[] nanos = new long[MARKS];
        private final boolean[] own = new boolean[MARKS];
        /** How many there ever were. */
        private long count;

        void mark(long index, long now, boolean isOwn) {
            while (count > 0 && indices[at(count - 1)] > index) {
                count--; // Another leader has replaced what came after it.
            }
            int last = at(count - 1);
            if (count > 0 && now - nanos[last] < GRAIN_NANOS && own[last] == isOwn) {
                indices[last] = index;
                return;
            }
            int next = at(count++);
            indices[next] = index;
            nanos[next] = now;
            own[next] = isOwn;
        }

        /** The place of the mark that an entry belongs to, -1 if it is not known: the oldest that is kept may stand for others. */
        int find(long index) {
            long oldest = Math.max(0, count - MARKS);
            int found = -1;
            for (long number = count - 1; number >= oldest && indices[at(number)] >= index; number--) {
                found = at(number);
            }
            return oldest > 0 && found == at(oldest) ? -1 : found;
        }

        private static int at(long number) {
            return (int) Math.floorMod(number, (long) MARKS);
        }
    }

    private final Trail appended = new Trail();
    private final Trail synced = new Trail();
    private final Trail committed = new Trail();

    /** Entries up to {@code index} are in the log; {@code isOwn} if this member leads, and has put them there. */
    synchronized void appended(long index, long now, boolean isOwn) {
        appended.mark(index, now, isOwn);
    }

    /** They are on this member's disk. */
    synchronized void synced(long index, long now) {
        synced.mark(index, now, false);
    }

    /** They are there to be applied. */
    synchronized void committed(long index, long now) {
        committed.mark(index, now, false);
    }

    /**
     * Where the time of a request went, whose entry was applied.
     *
     * @param start when it was asked for
     * @param now when it was applied
     */
    synchronized Phases phases(long index, long start, long now) {
        int appendedAt = appended.find(index);
        int syncedAt = synced.find(index);
        int committedAt = committed.find(index);
        if (appendedAt < 0 || syncedAt < 0 || committedAt < 0) {
            return Phases.NONE.with(Phases.Phase.QUEUE, now - start);
        }
        long inLog = Math.max(start, appended.nanos[appendedAt]);
        long onDisk = Math.max(inLog, synced.nanos[syncedAt]);
        long agreed = Math.max(onDisk, committed.nanos[committedAt]);
        // What a follower passes on has come back with the leader's entries.
        Phases.Phase before = appended.own[appendedAt] ? Phases.Phase.QUEUE : Phases.Phase.PEER;
        return Phases.NONE.with(before, inLog - start).with(Phases.Phase.SYNC, onDisk - inLog)
                .with(Phases.Phase.PEER, agreed - onDisk).with(Phases.Phase.APPLY, now - agreed);
    }
}
