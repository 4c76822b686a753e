package dev.quoin.member;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.LongConsumer;

import dev.quoin.base.Clock;
import dev.quoin.disk.DiskFailure;
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
    private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

    private final Mailbox<Message> mailbox = new Mailbox<>();
    private final Wal wal;
    private final DiskRoom room;
    private final LongConsumer beforeInstall;
    private final LongConsumer onPersisted;
    /** What is being written. If the disk has no space for it, it is tried again before anything else. */
    private final List<Effect.Persist> batch = new ArrayList<>();
    private final List<Effect.Persist> arrived = new ArrayList<>();
    private final Deque<Message.Release> releases = new ArrayDeque<>();
    private final Clock clock;
    private final MemberMetrics metrics;

    /**
     * @param beforeInstall told the index of a snapshot just before the log begins anew behind it, which commits this member
     *        to the snapshot's state; see {@link LedgerDirectories#markInstalled}. May be told again
     * @param onPersisted told the last ticket of everything that was written together, after the sync if one was asked for
     */
    LogWriter(Wal wal, DiskRoom room, LongConsumer beforeInstall, LongConsumer onPersisted, Clock clock,
            MemberMetrics metrics) {
        this.wal = wal;
        this.room = room;
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
        for (Message message : mailbox.take()) {
            switch (message) {
                case Message.Write(Effect.Persist persist) -> arrived.add(persist);
                case Message.Release release -> releases.add(release);
            }
        }
        try {
            writeBatch();
            batch.addAll(arrived);
            arrived.clear();
            writeBatch();
            release();
            room.taken(DiskRoom.Part.LOG);
            return NOT_BEFORE_A_MESSAGE;
        } catch (DiskFailure failure) {
            room.refused(DiskRoom.Part.LOG, failure);
            return RETRY_NANOS;
        }
    }

    private void release() {
        while (!releases.isEmpty()) {
            Message.Release release = releases.getFirst();
            // If the log has begun anew meanwhile, the ledger that says so is not in force any more.
            if (release.mark().index() > wal.lastSnapshotIndex()) {
                wal.saveSnapshot(release.mark());
            }
            wal.release(release.mark().index(), release.walsMax());
            releases.removeFirst();
        }
    }

    private void writeBatch() {
        if (batch.isEmpty()) {
            return;
        }
        for (int at = 0; at < batch.size(); at++) {
            SnapshotMeta snapshot = batch.get(at).snapshot();
            if (snapshot != null) {
                beginAnew(snapshot, state(batch.get(at).state()));
                // What came before it is void: the log does not go on from there.
                batch.subList(0, at).clear();
                batch.set(0, withoutSnapshot(batch.getFirst()));
                at = 0;
            }
        }
        boolean sync = false;
        List<WalEntry> entries = new ArrayList<>();
        for (Effect.Persist persist : batch) {
            sync |= persist.sync();
            for (Entry entry : persist.entries()) {
                entries.add(new WalEntry(entry.kind().number(), entry.term(), entry.index(), entry.data()));
            }
        }
        // Of several states only the last matters to a reader of the log.
        Effect.Persist last = batch.getLast();
        long begun = clock.nanos();
        long before = wal.writtenBytes();
        wal.append(entries, state(last.state()));
        long appended = clock.nanos();
        metrics.logWritten(wal.writtenBytes() - before, appended - begun);
        if (sync) {
            wal.sync();
            metrics.logSynced(clock.nanos() - appended);
        }
        onPersisted.accept(last.ticket());
        batch.clear();
    }

    private static Effect.Persist withoutSnapshot(Effect.Persist persist) {
        return new Effect.Persist(persist.ticket(), null, persist.entries(), persist.state(), persist.sync());
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
