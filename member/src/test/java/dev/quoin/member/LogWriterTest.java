package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.Effect;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.HardState;
import dev.quoin.raft.SnapshotMeta;

import static org.assertj.core.api.Assertions.assertThat;

/** The log's writer and a snapshot from a leader, which may come together with anything else in one turn. */
class LogWriterTest {
    private static final Path DIRECTORY = Path.of("/wal");
    private static final ConfState ALONE = new ConfState(List.of(1L), List.of());
    private static final SnapshotMeta SNAPSHOT = new SnapshotMeta(100, 4, ALONE);

    private final FaultyDisk disk = new FaultyDisk(new Random(1));
    private final Wal wal = Wal.create(disk, DIRECTORY, Bytes.utf8("metadata"), WalLimits.ofSegmentBytes(4_096));
    private final List<String> told = new ArrayList<>();
    private final LogWriter writer = new LogWriter(wal, new DiskRoom(Events.NONE), index -> {
        assertThat(wal.lastSnapshotIndex()).as("the log has not begun anew yet").isLessThan(index);
        told.add("install " + index);
    }, ticket -> told.add("persisted " + ticket), new StillClock(), MemberMetrics.NONE);
    private long ticket;

    private void write(@Nullable SnapshotMeta snapshot, long term, long commit, long... indices) {
        List<Entry> entries = new ArrayList<>();
        for (long index : indices) {
            entries.add(new Entry(term, index, EntryKind.NORMAL, Bytes.utf8("e" + index)));
        }
        writer.mailbox().put(new LogWriter.Message.Write(
                new Effect.Persist(++ticket, snapshot, entries, new HardState(term, 0, commit), true)));
    }

    private Wal.Recovered reopened() {
        wal.close();
        disk.restart();
        return Wal.open(disk, DIRECTORY, WalLimits.ofSegmentBytes(4_096));
    }

    @Test
    void whatCameBeforeASnapshotInTheSameTurnIsVoidAndWhatComesBehindItIsThere() {
        write(null, 3, 1, 1, 2, 3);
        writer.turn();
        write(null, 3, 2, 4, 5);
        write(SNAPSHOT, 4, 100);
        write(null, 4, 101, 101, 102);
        writer.turn();

        assertThat(told).containsExactly("persisted 1", "install 100", "persisted 4");
        Wal.Recovered found = reopened();
        assertThat(found.snapshot()).isEqualTo(new WalSnapshot(100, 4, ConfStates.encode(ALONE)));
        assertThat(found.state()).isEqualTo(new WalState(4, 0, 101));
        assertThat(found.entries()).extracting(WalEntry::index).containsExactly(101L, 102L);
    }

    @Test
    void aMarkThatTheOldLedgerAskedForComesTooLate() {
        write(null, 3, 3, 1, 2, 3);
        write(SNAPSHOT, 4, 100);
        writer.mailbox().put(new LogWriter.Message.Release(new WalSnapshot(3, 3, ConfStates.encode(ALONE)), 1));
        writer.turn();

        assertThat(reopened().snapshot().index()).isEqualTo(100);
    }
}
