package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.Effect;
import dev.quoin.raft.Entry;
import dev.quoin.raft.HardState;

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
    private final LongConsumer onPersisted;

    /**
     * @param onPersisted told the last ticket of every turn, after the sync if one was asked for
     */
    LogWriter(Wal wal, LongConsumer onPersisted) {
        this.wal = wal;
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
            wal.saveSnapshot(release.mark());
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
            for (Entry entry : persist.entries()) {
                entries.add(new WalEntry(entry.kind().number(), entry.term(), entry.index(), entry.data()));
            }
        }
        // Of several states only the last matters to a reader of the log.
        HardState state = writes.getLast().state();
        wal.append(entries, new WalState(state.term(), state.vote(), state.commit()));
        if (sync) {
            wal.sync();
        }
        onPersisted.accept(writes.getLast().ticket());
    }
}
