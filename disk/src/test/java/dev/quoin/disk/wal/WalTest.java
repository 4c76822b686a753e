package dev.quoin.disk.wal;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WalTest {
    private static final Path DIRECTORY = Path.of("wal");
    private static final Bytes METADATA = Bytes.utf8("somedata");
    private static final WalLimits LIMITS = WalLimits.ofSegmentBytes(4096);
    private static final Bytes CONF_STATE = Bytes.of(new byte[]{0x08, 0x01, 0x28, 0x00});

    /** What etcd writes into a new log, by its rules: three frames, the chain 00000000, 741f6a05, 18206d80. */
    private static final String FRESH = "0400000000000084" + "08041000" + "00000000"
            + "1200000000000086" + "08011085d4fda0071a08" + "736f6d6564617461" + "000000000000"
            + "0e00000000000082" + "08051080db81c1011a0408001000" + "0000";

    private final FaultyDisk disk = new FaultyDisk(new Random(1));

    private static WalEntry entry(long term, long index, String data) {
        return new WalEntry(0, term, index, Bytes.utf8(data));
    }

    private Wal.Recovered reopen(Wal wal) {
        wal.close();
        return Wal.open(disk, DIRECTORY, LIMITS);
    }

    @Test
    void aNewLogIsTheBytesEtcdWrites() {
        Wal.create(disk, DIRECTORY, METADATA, LIMITS).close();

        byte[] segment = disk.contents(DIRECTORY.resolve("0000000000000000-0000000000000000.wal"));

        byte[] fresh = HexFormat.of().parseHex(FRESH);
        assertThat(segment).hasSize(4096).startsWith(fresh);
        for (int i = fresh.length; i < segment.length; i++) {
            assertThat(segment[i]).isZero();
        }
    }

    /** Nobody waits at a start for zeros that are not needed yet. */
    @Test
    void theFirstSegmentIsShortAndTheNextIsMadeOnlyOnceItIsInUse() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, WalLimits.DEFAULT);
        assertThat(disk.contents(DIRECTORY.resolve("0000000000000000-0000000000000000.wal"))).hasSize(8 << 20);
        wal.close();
        wal = Wal.open(disk, DIRECTORY, WalLimits.DEFAULT).wal();
        assertThat(disk.contents(DIRECTORY.resolve("0000000000000000-0000000000000000.wal"))).hasSize(8 << 20);
        assertThat(wal.nextIsWanted()).isFalse();

        String megabyte = "x".repeat(1 << 20);
        wal.append(List.of(entry(1, 1, megabyte)), null);
        assertThat(wal.nextIsWanted()).isTrue();
        wal.prepareNext();
        assertThat(wal.nextIsWanted()).isFalse();
        for (int i = 2; i <= 8; i++) {
            wal.append(List.of(entry(1, i, megabyte)), null);
        }
        assertThat(wal.segmentCount()).isEqualTo(2);
        assertThat(disk.contents(DIRECTORY.resolve("0000000000000001-0000000000000009.wal"))).hasSize(64_000_000);
        assertThat(wal.nextIsWanted()).isFalse();
        wal.close();
        assertThat(Wal.open(disk, DIRECTORY, WalLimits.DEFAULT).entries()).hasSize(8);
    }

    /** Else who was told that there is no room for it would never hear that there is. */
    @Test
    void aSegmentThatIsDueStaysSoWhenTheLogGoesOnWithoutIt() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, WalLimits.DEFAULT);
        for (int i = 1; i <= 9; i++) {
            wal.append(List.of(entry(1, i, "x".repeat(1 << 20))), null);
        }
        assertThat(wal.segmentCount()).isEqualTo(2);
        assertThat(wal.nextIsWanted()).isTrue();
        wal.prepareNext();
        assertThat(wal.nextIsWanted()).isFalse();
        wal.close();
    }

    @Test
    void everyFieldOfARecordIsWrittenEvenWhenItIsZeroOrEmpty() {
        FrameWriter frames = new FrameWriter(0);
        frames.entry(new WalEntry(0, 0, 1, Bytes.EMPTY));
        int entryEnd = frames.size();
        frames.state(new WalState(1, 0, 0));

        // Data: 08 00 | 10 00 | 18 01 | 22 00; then 08 01 | 10 00 | 18 00. The length counts from the type to the data.
        String hex = HexFormat.of().formatHex(frames.buffer(), 0, frames.size());
        assertThat(hex.substring(0, 2 * entryEnd)).matches("1200000000000086" + "080210(..){5}1a08" + "0800100018012200"
                + "000000000000");
        assertThat(hex.substring(2 * entryEnd)).matches("1000000000000000" + "080310(..){5}1a06" + "080110001800");
    }

    @Test
    void numbersAreUnsignedAndKeepAll64Bits() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(-1, 1, "a")), new WalState(-1, 0x8e9e05c52164694dL, 1));

        Wal.Recovered recovered = reopen(wal);

        assertThat(recovered.entries()).containsExactly(entry(-1, 1, "a"));
        assertThat(recovered.state()).isEqualTo(new WalState(-1, 0x8e9e05c52164694dL, 1));
    }

    /** The number before the data is shorter than usual for one checksum in sixteen. */
    @Test
    void checksumsOfEveryLengthAreRead() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, WalLimits.ofSegmentBytes(1 << 20));
        List<WalEntry> entries = new ArrayList<>();
        for (int i = 1; i <= 5_000; i++) {
            entries.add(entry(1, i, "x".repeat(i % 40)));
        }
        wal.append(entries, null);

        assertThat(reopen(wal).entries()).isEqualTo(entries);
    }

    @Test
    void whatWasAppendedIsThereAfterReopening() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "one"), entry(1, 2, "two")), new WalState(1, 7, 1));
        wal.sync();

        Wal.Recovered recovered = reopen(wal);

        assertThat(recovered.metadata()).isEqualTo(METADATA);
        assertThat(recovered.snapshot()).isEqualTo(WalSnapshot.ZERO);
        assertThat(recovered.state()).isEqualTo(new WalState(1, 7, 1));
        assertThat(recovered.entries()).containsExactly(entry(1, 1, "one"), entry(1, 2, "two"));
        assertThat(recovered.wal().lastIndex()).isEqualTo(2);
    }

    @Test
    void aLaterEntryReplacesTheEarlierAndAllBehindIt() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a"), entry(1, 2, "b"), entry(1, 3, "c")), null);
        wal.append(List.of(entry(2, 2, "B")), new WalState(2, 0, 2));

        assertThat(reopen(wal).entries()).containsExactly(entry(1, 1, "a"), entry(2, 2, "B"));
    }

    @Test
    void segmentsAreCutAndReadAsOneLog() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        List<WalEntry> entries = new ArrayList<>();
        for (int i = 1; i <= 50; i++) {
            WalEntry entry = entry(1, i, "x".repeat(500));
            entries.add(entry);
            if (i % 2 == 0) {
                wal.prepareNext();
            }
            wal.append(List.of(entry), new WalState(1, 1, i));
        }
        assertThat(wal.segmentCount()).isGreaterThan(5);
        assertThat(disk.list(DIRECTORY)).contains("0000000000000001-0000000000000009.wal");

        assertThat(reopen(wal).entries()).isEqualTo(entries);
    }

    @Test
    void aRecordLargerThanASegmentIsKept() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "x".repeat(100_000)), entry(1, 2, "y")), null);

        assertThat(reopen(wal).entries()).hasSize(2);
    }

    @Test
    void aRestartBeginsAtTheNewestSnapshotMarkTheCommittedStateCovers() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a"), entry(1, 2, "b"), entry(1, 3, "c")), new WalState(1, 1, 2));
        wal.saveSnapshot(new WalSnapshot(2, 1, CONF_STATE));
        wal.saveSnapshot(new WalSnapshot(3, 1, CONF_STATE));

        Wal.Recovered recovered = reopen(wal);

        assertThat(recovered.snapshot()).isEqualTo(new WalSnapshot(2, 1, CONF_STATE));
        assertThat(recovered.entries()).containsExactly(entry(1, 3, "c"));
    }

    @Test
    void aSnapshotFromALeaderMayLeaveAGapBeforeIt() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a")), new WalState(1, 1, 1));
        wal.saveSnapshot(new WalSnapshot(10, 2, CONF_STATE));
        wal.append(List.of(entry(2, 11, "k")), new WalState(2, 1, 10));

        Wal.Recovered recovered = reopen(wal);

        assertThat(recovered.snapshot().index()).isEqualTo(10);
        assertThat(recovered.entries()).containsExactly(entry(2, 11, "k"));
    }

    @Test
    void aLogBeginsAnewBehindASnapshotFarBeyondItsEnd() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a"), entry(1, 2, "b")), new WalState(1, 1, 1));
        wal.beginAnew(new WalSnapshot(1_000, 3, CONF_STATE), new WalState(3, 0, 1_000));
        wal.append(List.of(entry(3, 1_001, "c")), null);

        Wal.Recovered recovered = reopen(wal);

        assertThat(recovered.snapshot()).isEqualTo(new WalSnapshot(1_000, 3, CONF_STATE));
        assertThat(recovered.state()).isEqualTo(new WalState(3, 0, 1_000));
        assertThat(recovered.entries()).containsExactly(entry(3, 1_001, "c"));
        assertThat(disk.list(DIRECTORY)).contains("0000000000000001-00000000000003e8.wal");
    }

    @Test
    void nothingOfAnotherHistoryIsLeftBehindASnapshot() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        for (int i = 1; i <= 50; i++) {
            wal.append(List.of(entry(1, i, "x".repeat(500))), new WalState(1, 1, Math.min(i, 20)));
        }
        wal.beginAnew(new WalSnapshot(30, 2, CONF_STATE), new WalState(2, 0, 30));

        Wal.Recovered recovered = reopen(wal);
        assertThat(recovered.snapshot().index()).isEqualTo(30);
        assertThat(recovered.entries()).isEmpty();
        assertThat(recovered.wal().lastIndex()).isEqualTo(30);

        for (int i = 31; i <= 60; i++) {
            recovered.wal().append(List.of(entry(2, i, "y".repeat(500))), new WalState(2, 0, i));
        }
        recovered.wal().saveSnapshot(new WalSnapshot(45, 2, CONF_STATE));
        recovered.wal().release(45, 1);
        Wal.Recovered again = reopen(recovered.wal());
        assertThat(again.entries()).hasSize(15).startsWith(entry(2, 46, "y".repeat(500)));
        assertThat(again.wal().segmentCount()).isLessThan(5);
    }

    /** As etcd's logs have it, which mark a snapshot that came from a leader where they are. */
    @Test
    void aMarkOfAnotherTermThanItsEntryVoidsWhatWasReadBehindIt() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a"), entry(1, 2, "b"), entry(1, 3, "c")), new WalState(1, 1, 1));
        wal.saveSnapshot(new WalSnapshot(2, 2, CONF_STATE));
        wal.append(List.of(), new WalState(2, 1, 2));

        assertThat(reopen(wal).entries()).isEmpty();
    }

    @Test
    void anEntryThatWasReplacedUpToTheMarkTakesAllBehindItAway() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a"), entry(1, 2, "b"), entry(1, 3, "c")), new WalState(1, 1, 1));
        wal.append(List.of(entry(2, 2, "B")), new WalState(2, 1, 2));
        wal.saveSnapshot(new WalSnapshot(2, 2, CONF_STATE));

        Wal.Recovered recovered = reopen(wal);

        assertThat(recovered.entries()).isEmpty();
        assertThat(recovered.wal().lastIndex()).isEqualTo(2);
    }

    @Test
    void aLogDoesNotBeginAnewAtWhatIsCommittedNorMarkWhatLiesBefore() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a"), entry(1, 2, "b")), new WalState(1, 1, 2));
        wal.saveSnapshot(new WalSnapshot(2, 1, CONF_STATE));

        assertThatThrownBy(() -> wal.saveSnapshot(new WalSnapshot(1, 1, CONF_STATE)))
                .isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(() -> wal.beginAnew(new WalSnapshot(2, 2, CONF_STATE), new WalState(2, 0, 2)))
                .isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(() -> wal.beginAnew(new WalSnapshot(9, 2, CONF_STATE), new WalState(2, 0, 8)))
                .isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void releasingKeepsTheSegmentThatReachesBackToTheSnapshot() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        for (int i = 1; i <= 50; i++) {
            wal.append(List.of(entry(1, i, "x".repeat(500))), new WalState(1, 1, i));
        }
        wal.saveSnapshot(new WalSnapshot(30, 1, CONF_STATE));
        int before = wal.segmentCount();

        wal.release(30, 1);

        assertThat(wal.segmentCount()).isLessThan(before);
        Wal.Recovered recovered = reopen(wal);
        assertThat(recovered.snapshot().index()).isEqualTo(30);
        assertThat(recovered.entries()).hasSize(20).startsWith(entry(1, 31, "x".repeat(500)));
        recovered.wal().append(List.of(entry(1, 51, "more")), new WalState(1, 1, 51));
        assertThat(reopen(recovered.wal()).entries()).hasSize(21);
    }

    @Test
    void asManySegmentsAsTheUserWantsAreKept() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        for (int i = 1; i <= 50; i++) {
            wal.append(List.of(entry(1, i, "x".repeat(500))), new WalState(1, 1, i));
        }
        wal.saveSnapshot(new WalSnapshot(50, 1, CONF_STATE));
        wal.release(50, 0);
        assertThat(wal.segmentCount()).isEqualTo(7);
        wal.release(50, 5);
        assertThat(wal.segmentCount()).isEqualTo(5);
    }

    @Test
    void nothingIsReleasedWithoutASnapshotMark() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a")), new WalState(1, 1, 1));

        assertThatThrownBy(() -> wal.release(1, 1)).isInstanceOf(Invariant.Violation.class)
                .hasMessageContaining("last snapshot mark is at 0");
    }

    @Test
    void aGapIsRefusedWhenWrittenAndWhenRead() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        assertThatThrownBy(() -> wal.append(List.of(entry(1, 2, "b")), null)).isInstanceOf(Invariant.Violation.class);
        wal.close();

        Wal.Recovered recovered = Wal.open(disk, DIRECTORY, LIMITS);
        recovered.wal().saveSnapshot(new WalSnapshot(9, 1, CONF_STATE));
        recovered.wal().append(List.of(entry(1, 10, "j")), null);
        recovered.wal().close();

        assertThatThrownBy(() -> Wal.open(disk, DIRECTORY, LIMITS)).isInstanceOf(Damaged.class)
                .hasMessageContaining("entry 10 follows entry 0");
    }

    @Test
    void twoOwnersAreOneTooMany() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);

        assertThatThrownBy(() -> Wal.open(disk, DIRECTORY, LIMITS)).isInstanceOf(DiskFailure.class)
                .hasMessageContaining("in use by another process");
        assertThatThrownBy(() -> Wal.create(disk, DIRECTORY, METADATA, LIMITS)).isInstanceOf(DiskFailure.class)
                .hasMessageContaining("there is one already");
        wal.close();
    }

    @Test
    void aSegmentThatIsMissingIsNamed() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        for (int i = 1; i <= 30; i++) {
            wal.append(List.of(entry(1, i, "x".repeat(500))), null);
        }
        wal.close();
        List<String> names = disk.list(DIRECTORY).stream().filter(name -> name.endsWith(".wal")).toList();

        disk.delete(DIRECTORY.resolve(names.getLast()));
        assertThatThrownBy(() -> Wal.open(disk, DIRECTORY, LIMITS)).isInstanceOf(Damaged.class)
                .hasMessageContaining("segment 3 of the log is missing");

        disk.delete(DIRECTORY.resolve(names.get(1)));
        assertThatThrownBy(() -> Wal.open(disk, DIRECTORY, LIMITS)).isInstanceOf(Damaged.class)
                .hasMessageContaining("segment 1 of the log is missing");
    }

    @Test
    void segmentsOfAnotherMemberAreRefused() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        for (int i = 1; i <= 10; i++) {
            wal.append(List.of(entry(1, i, "x".repeat(500))), null);
        }
        wal.close();
        Path second = DIRECTORY.resolve("0000000000000001-0000000000000009.wal");
        byte[] bytes = disk.contents(second);
        // The head again, with other metadata but a good checksum.
        ByteBuffer crc = ByteBuffer.wrap(bytes);
        assertThat(crc.get(8)).isEqualTo((byte) 8);
        FrameWriter head = new FrameWriter(crcOfHead(bytes));
        head.crcRecord();
        head.metadata(Bytes.utf8("somebody"));
        try (DiskFile file = disk.open(second)) {
            file.writeFully(0, head.buffer(), 0, head.size());
        }

        assertThatThrownBy(() -> Wal.open(disk, DIRECTORY, LIMITS)).isInstanceOf(Damaged.class)
                .hasMessageContaining("another member or cluster");
    }

    private static int crcOfHead(byte[] segment) {
        long crc = 0;
        int at = 11;
        for (int shift = 0;; shift += 7) {
            crc |= (long) (segment[at] & 0x7f) << shift;
            if (segment[at++] >= 0) {
                return (int) crc;
            }
        }
    }

    /** A log begun by etcd has no mark and may lack fields that we always write; from where we go on we are strict. */
    @Test
    void aLogOfEtcdIsTakenOver() {
        FrameWriter frames = new FrameWriter(0);
        frames.crcRecord();
        frames.metadata(METADATA);
        frames.snapshot(WalSnapshot.ZERO);
        frames.entry(entry(1, 1, "theirs"));
        byte[] segment = new byte[4096];
        System.arraycopy(frames.buffer(), 0, segment, 0, frames.size());
        disk.createDirectories(DIRECTORY);
        disk.put(DIRECTORY.resolve("0000000000000000-0000000000000000.wal"), segment);
        disk.put(DIRECTORY.resolve("0.tmp"), new byte[100]);

        Wal.Recovered recovered = Wal.open(disk, DIRECTORY, LIMITS);
        recovered.wal().append(List.of(entry(1, 2, "ours")), null);

        assertThat(reopen(recovered.wal()).entries()).containsExactly(entry(1, 1, "theirs"), entry(1, 2, "ours"));
        assertThat(disk.list(DIRECTORY)).contains("synced").doesNotContain("0.tmp");
    }

    @Test
    void aFailedSyncPoisonsTheLog() {
        Wal wal = Wal.create(disk, DIRECTORY, METADATA, LIMITS);
        wal.append(List.of(entry(1, 1, "a")), null);
        disk.fail(1, FaultyDisk.Operation.SYNC);

        assertThatThrownBy(wal::sync).isInstanceOf(DiskFailure.class).hasMessageContaining("SYNC failed");
        assertThatThrownBy(wal::sync).isInstanceOf(DiskFailure.class).hasMessageContaining("failed before");
        assertThatThrownBy(() -> wal.append(List.of(entry(1, 2, "b")), null)).isInstanceOf(DiskFailure.class);
    }
}
