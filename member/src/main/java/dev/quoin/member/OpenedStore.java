package dev.quoin.member;

import java.nio.file.Path;
import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Disk;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.store.CompactionWalk;
import dev.quoin.store.Store;

/**
 * A ledger that was opened, with the store that it holds.
 *
 * @param membership as of then
 * @param last the last batch, as of then; null if there is none
 */
record OpenedStore(Store store, Ledger ledger, Membership membership, Ledger.@Nullable Commit last, Path directory) {
    /**
     * @param logReachesBackTo what lies behind this index can be applied again, so damage there is cut off; Long.MAX_VALUE
     *        if nothing can
     * @throws dev.quoin.disk.Damaged if the ledger is not what was written
     */
    static OpenedStore open(Disk disk, Path directory, MemberLimits limits, Events events, long logReachesBackTo) {
        LedgerRecords records = new LedgerRecords();
        Store store = new Store(records, limits.minLeaseTtlSeconds());
        Ledger.Recovered opened = Ledger.open(disk, directory, limits.ledger(), new Restoration(store),
                logReachesBackTo);
        boolean done = false;
        try {
            opened.damage().forEach(events::damaged);
            if (opened.repaired() != null) {
                events.repaired(opened.repaired());
            }
            records.bind(opened.ledger());
            forget(opened.ledger(), store.restored());
            OpenedStore whole = new OpenedStore(store, opened.ledger(), Membership.load(store), opened.last(),
                    directory);
            done = true;
            return whole;
        } finally {
            if (!done) {
                opened.ledger().close();
            }
        }
    }

    /** What the checkpoint does not know to be dead. In the order of the files, which may have to be read for it. */
    private static void forget(Ledger ledger, CompactionWalk.Positions dead) {
        long[] positions = dead.toArray();
        Arrays.sort(positions);
        ledger.forget(positions, positions.length);
    }

    long appliedIndex() {
        return last == null ? 0 : last.appliedIndex();
    }

    long appliedTerm() {
        return last == null ? 0 : last.term();
    }

    /** Takes what the ledger tells while it is opened. */
    private record Restoration(Store store) implements Ledger.Visitor {
        @Override
        public void image(int kind, Bytes payload) {
            store.restoreImage(kind, payload);
        }

        @Override
        public void record(long position, long main, int sub, int kind, Bytes payload) {
            store.restore(position, main, sub, kind, payload);
        }
    }
}
