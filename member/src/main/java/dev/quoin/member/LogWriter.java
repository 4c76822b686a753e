package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

import dev.quoin.base.Clock;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.Effect;
import dev.quoin.raft.Entry;
import dev.quoin.raft.HardState;
import dev.quoin.raft.SnapshotMeta;

/**
 * The owner of the write-ahead log: writes everything that has gathered since its last turn in one go, syncs once, and
 * says how far it came (group commit). This is the one place where a promise becomes durable: a request is acknowledged
 * only after {@link #turn} has returned from {@code sync} for it.
 */
final class LogWriter implements Actor {
    /** What others send. */
    sealed interface Message {
        record Write(Effect.Persist persist) implements Message {}

        /** The ledger holds everything up to {@code mark}: a restart needs only what follows. */
        record Release(WalSnapshot mark, int walsMax) implements Message {}
    }

    private static final long NOT_BEFORE_A_MESSAGE = Long.MAX_VALUE;

    private final Mailbox<Message> mailbox = new Mailbox<>();
    private final Wal wal;
    private final LongConsumer beforeInstall;
    private final LongConsumer onPersisted;
    private final Clock clock;
    private final MemberMetrics metrics;

    /**
     * @param beforeInstall told the index of a snapshot just before the log begins anew behind it, which commits this member
     *        to the snapshot's state; see {@link LedgerDirectories#markInstalled}
     * @param onPersisted told the last ticket of every turn, after the sync if one was asked for
     */
    LogWriter(Wal wal, LongConsumer beforeInstall, LongConsumer onPersisted, Clock clock, MemberMetrics metrics) {
        this.wal = wal;
        this.clock = clock;
        this.metrics = metrics;
        this.beforeInstall = beforeInstall;
        this.onPersisted = onPersisted;
    }

    @Override
    public Mailbox<Message> mailbox() {
        return mailbox;
    }

    @Override
    public long turn() {
        List<Effect.Persist> writes = new ArrayList<>();
        List<Message.Release> releases = new ArrayList<>();
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.Write(Effect.Persist persist) -> writes.add(persist);
                case Message.Release release -> releases.add(release);
            }
        }
        write(writes);
        for (Message.Release release : releases) {
            // If the log has begun anew meanwhile, the ledger that says so is not in force any more.
            if (release.mark().index() > wal.lastSnapshotIndex()) {
                wal.saveSnapshot(release.mark());
            }
            wal.release(release.mark().index(), release.walsMax());
        }
        return NOT_BEFORE_A_MESSAGE;
    }

    private void write(List<Effect.Persist> writes) {
        if (writes.isEmpty()) {
            return;
        }
        boolean sync = false;
        List<WalEntry> entries = new ArrayList<>();
        for (Effect.Persist persist : writes) {
            sync |= persist.sync();
            SnapshotMeta snapshot = persist.snapshot();
            if (snapshot != null) {
                // What came before it is void: the log does not go on from there.
                entries.clear();
                beginAnew(snapshot, state(persist.state()));
            }
            for (Entry entry : persist.entries()) {
                entries.add(new WalEntry(entry.kind().number(), entry.term(), entry.index(), entry.data()));
            }
        }
        // Of several states only the last matters to a reader of the log.
        long begun = clock.nanos();
        long before = wal.writtenBytes();
        wal.append(entries, state(writes.getLast().state()));
        long appended = clock.nanos();
        metrics.logWritten(wal.writtenBytes() - before, appended - begun);
        if (sync) {
            wal.sync();
            metrics.logSynced(clock.nanos() - appended);
        }
        onPersisted.accept(writes.getLast().ticket());
    }

    private void beginAnew(SnapshotMeta snapshot, WalState state) {
        beforeInstall.accept(snapshot.index());
        wal.beginAnew(new WalSnapshot(snapshot.index(), snapshot.term(), ConfStates.encode(snapshot.configuration())),
                state);
    }

    private static WalState state(HardState state) {
        return new WalState(state.term(), state.vote(), state.commit());
    }
}
