package dev.quoin.disk.ledger;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class LedgerTest {
    private static final Path DIRECTORY = Path.of("data", "ledger");
    private static final LedgerLimits LIMITS = new LedgerLimits(4096, 1024, 16_384);
    private static final Bytes CONFIGURATION = Bytes.utf8("voters 1 2 3");

    private record Seen(long position, long main, int sub, int kind, Bytes payload) {}

    private final FaultyDisk disk = new FaultyDisk(new Random(1));
    private final List<Seen> seen = new ArrayList<>();

    private Ledger.Recovered open() {
        seen.clear();
        return Ledger.open(disk, DIRECTORY, LIMITS,
                (position, main, sub, kind, payload) -> seen.add(new Seen(position, main, sub, kind, payload)));
    }

    private static Bytes text(int i) {
        return Bytes.utf8("value " + i + " " + "x".repeat(i % 90));
    }

    @Test
    void aRecordIsReadableBeforeAndAfterItIsOnTheDisk() {
        Ledger ledger = open().ledger();
        long first = ledger.append(5, 0, 1, Bytes.utf8("five"));
        long empty = ledger.append(5, 1, 2, Bytes.EMPTY);

        assertThat(ledger.read(first)).isEqualTo(Bytes.utf8("five"));
        assertThat(ledger.flush()).as("an open batch is not written").isFalse();
        ledger.commit(17, 3, CONFIGURATION);
        assertThat(ledger.durableIndex()).isZero();
        assertThat(ledger.flush()).isTrue();
        assertThat(ledger.flush()).isFalse();

        assertThat(ledger.durableIndex()).isEqualTo(17);
        assertThat(ledger.unwrittenBytes()).isZero();
        assertThat(ledger.read(first)).isEqualTo(Bytes.utf8("five"));
        assertThat(ledger.read(empty)).isEqualTo(Bytes.EMPTY);
    }

    @Test
    void reopeningReplaysCommittedBatchesInOrder() {
        Ledger ledger = open().ledger();
        List<Seen> written = new ArrayList<>();
        for (int i = 1; i <= 500; i++) {
            written.add(new Seen(ledger.append(i, 0, 1, text(i)), i, 0, 1, text(i)));
            written.add(new Seen(ledger.append(i, 1, 7, text(2 * i)), i, 1, 7, text(2 * i)));
            ledger.commit(i, 2, CONFIGURATION);
            if (i % 7 == 0) {
                ledger.flush();
            }
        }
        ledger.append(501, 0, 1, Bytes.utf8("never committed"));
        ledger.close();

        Ledger.Recovered recovered = open();

        assertThat(recovered.last()).isEqualTo(new Ledger.Commit(500, 2, CONFIGURATION));
        assertThat(recovered.ledger().durableIndex()).isEqualTo(500);
        assertThat(seen).isEqualTo(written);
        assertThat(disk.list(DIRECTORY)).hasSizeGreaterThan(10);
        for (Seen record : written) {
            assertThat(recovered.ledger().read(record.position())).isEqualTo(record.payload());
        }
        recovered.ledger().close();
    }

    @Test
    void appendingGoesOnWhereItStopped() {
        Ledger ledger = open().ledger();
        for (int round = 1; round <= 100; round++) {
            ledger.append(round, 0, 1, text(round));
            ledger.commit(round, 1, CONFIGURATION);
            ledger.close();
            ledger = open().ledger();
            assertThat(seen).hasSize(round);
        }
        ledger.close();
    }

    @Test
    void openingAndClosingAddsNothing() {
        Ledger ledger = open().ledger();
        ledger.append(1, 0, 1, text(1));
        ledger.commit(1, 1, CONFIGURATION);
        ledger.close();
        ledger = open().ledger();
        long bytes = ledger.totalBytes();
        ledger.close();
        ledger = open().ledger();
        assertThat(ledger.totalBytes()).isEqualTo(bytes);
        ledger.close();
    }

    @Test
    void aBatchLargerThanASegmentStaysInOne() {
        Ledger ledger = open().ledger();
        long large = ledger.append(1, 0, 1, Bytes.of(new byte[50_000]));
        long behind = ledger.append(1, 1, 1, text(3));
        ledger.commit(1, 1, CONFIGURATION);
        ledger.flush();
        ledger.append(2, 0, 1, text(4));
        ledger.commit(2, 1, CONFIGURATION);
        ledger.flush();

        assertThat(large >>> 32).isEqualTo(behind >>> 32);
        assertThat(ledger.read(large).length()).isEqualTo(50_000);
        assertThat(ledger.read(behind)).isEqualTo(text(3));
        ledger.close();
        open().ledger().close();
        assertThat(seen).hasSize(3);
    }

    @Test
    void theBacklogIsKnownInBytes() {
        Ledger ledger = open().ledger();
        while (!ledger.isBacklogged()) {
            ledger.append(1, 0, 1, text(80));
        }
        ledger.commit(1, 1, CONFIGURATION);
        assertThat(ledger.unwrittenBytes()).isBetween(16_384L, 17_000L);
        ledger.flush();
        assertThat(ledger.unwrittenBytes()).isZero();
        assertThat(ledger.isBacklogged()).isFalse();
        ledger.close();
    }

    @Test
    void aRecordThatRottedIsNamedAndItsNeighboursAreServed() {
        Ledger ledger = open().ledger();
        long one = ledger.append(1, 0, 1, text(1));
        long two = ledger.append(1, 1, 1, text(2));
        long three = ledger.append(1, 2, 1, text(3));
        ledger.commit(1, 1, CONFIGURATION);
        ledger.flush();
        disk.corrupt(DIRECTORY.resolve("00000001.ledger"), Format.offset(two) + 30, 4);

        assertThatThrownBy(() -> ledger.read(two)).isInstanceOf(Damaged.class)
                .hasMessage("data/ledger/00000001.ledger is damaged at byte %d: the record there fails its checksum",
                        Format.offset(two));
        assertThat(ledger.read(one)).isEqualTo(text(1));
        assertThat(ledger.read(three)).isEqualTo(text(3));
        ledger.close();
    }

    @Test
    void aRecordIsReadInPiecesOfWhichNoneIsLarge() {
        Ledger ledger = open().ledger();
        Random random = new Random(2);
        List<Bytes> payloads = new ArrayList<>();
        List<Long> positions = new ArrayList<>();
        for (int size : new int[]{0, 1, 8, 39, Ledger.PIECE_BYTES - 25, Ledger.PIECE_BYTES - 24,
            Ledger.PIECE_BYTES - 23, Ledger.PIECE_BYTES, 3 * Ledger.PIECE_BYTES - 24, 200_003}) {
            byte[] payload = new byte[size];
            random.nextBytes(payload);
            payloads.add(Bytes.of(payload));
            positions.add(ledger.append(1, payloads.size(), 1, Bytes.of(payload)));
        }
        ledger.commit(1, 1, CONFIGURATION);
        for (int i = 0; i < payloads.size(); i++) {
            assertThat(inPieces(ledger, positions.get(i))).as("%d, not written", i).isEqualTo(payloads.get(i));
        }
        ledger.flush();
        for (int i = 0; i < payloads.size(); i++) {
            assertThat(inPieces(ledger, positions.get(i))).as("%d, in its file", i).isEqualTo(payloads.get(i));
            ledger.read(positions.get(i), (bytes, offset, length) -> {
                assertThat(length).isBetween(0, Ledger.PIECE_BYTES);
                return true;
            });
        }
        List<Integer> taken = new ArrayList<>();
        assertThat(ledger.read(positions.getLast(), (bytes, offset, length) -> {
            taken.add(length);
            return taken.size() < 2;
        })).isFalse();
        assertThat(taken).as("no more than was wanted").hasSize(2);
        ledger.close();
    }

    /** What is read in pieces, put together. */
    static Bytes inPieces(Ledger ledger, long position) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        assertThat(ledger.read(position, (bytes, offset, length) -> {
            whole.write(bytes, offset, length);
            return true;
        })).isTrue();
        return Bytes.of(whole.toByteArray());
    }

    @Test
    void ofARecordThatRottedTheLastPieceIsNotGiven() {
        Ledger ledger = open().ledger();
        byte[] payload = new byte[200_000];
        new Random(3).nextBytes(payload);
        long position = ledger.append(1, 0, 1, Bytes.of(payload));
        ledger.commit(1, 1, CONFIGURATION);
        ledger.flush();
        disk.corrupt(DIRECTORY.resolve("00000001.ledger"), Format.offset(position) + 100_000, 1);

        AtomicLong given = new AtomicLong();
        assertThatThrownBy(() -> ledger.read(position, (bytes, offset, length) -> {
            given.addAndGet(length);
            return true;
        })).isInstanceOf(Damaged.class).hasMessageContaining("fails its checksum");
        assertThat(given).hasValue(3L * Ledger.PIECE_BYTES - Format.RECORD_HEAD);
        ledger.close();
    }

    @Test
    void aRecordInTheWrongPlaceDoesNotVerify() {
        Ledger ledger = open().ledger();
        long one = ledger.append(1, 0, 1, text(1));
        long two = ledger.append(1, 0, 1, text(1));
        ledger.commit(1, 1, CONFIGURATION);
        ledger.flush();
        Path path = DIRECTORY.resolve("00000001.ledger");
        byte[] bytes = disk.contents(path);
        try (DiskFile file = disk.open(path)) {
            file.writeFully(Format.offset(two), bytes, (int) Format.offset(one), (int) (two - one));
        }

        assertThatThrownBy(() -> ledger.read(two)).isInstanceOf(Damaged.class);
        ledger.close();
    }

    @Test
    void aNewerFormatIsRefusedByName() {
        Ledger ledger = open().ledger();
        ledger.commit(1, 1, CONFIGURATION);
        ledger.close();
        byte[] bytes = disk.contents(DIRECTORY.resolve("00000001.ledger"));
        bytes[8] = 2;
        int crc = Crc32c.of(bytes, 0, 28);
        for (int i = 0; i < 4; i++) {
            bytes[28 + i] = (byte) (crc >>> (8 * i));
        }
        disk.put(DIRECTORY.resolve("00000001.ledger"), bytes);

        assertThatThrownBy(this::open).isInstanceOf(DiskFailure.class)
                .hasMessageContaining("written in format 2 by a newer Quoin; this one reads format 1");
    }

    @Test
    void aFailedSyncPoisonsTheWriter() {
        Ledger ledger = open().ledger();
        ledger.commit(1, 1, CONFIGURATION);
        disk.fail(1, FaultyDisk.Operation.SYNC);

        assertThatThrownBy(ledger::flush).isInstanceOf(DiskFailure.class);
        assertThatThrownBy(ledger::flush).isInstanceOf(DiskFailure.class).hasMessageContaining("failed before");
        assertThat(ledger.durableIndex()).isZero();
        ledger.close();
    }
}
