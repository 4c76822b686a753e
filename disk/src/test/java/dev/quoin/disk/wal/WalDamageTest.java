package dev.quoin.disk.wal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;

/** Damage is refused, with file and place, or it is harmless: what the log held is then found unchanged. */
class WalDamageTest {
    private static final Path DIRECTORY = WalScript.DIRECTORY;
    /** How large the log is: 1 is 2 KiB; 32, which takes minutes, is 64 KiB. */
    private static final int SCALE = Integer.getInteger("quoin.wal.scale", 1);
    private static final WalLimits LIMITS = WalLimits.ofSegmentBytes(1_024L * SCALE);
    private static final int SECTOR = 512;

    private final FaultyDisk disk = new FaultyDisk(new Random(1));
    private WalScript.Content whole = new WalScript.Content(WalSnapshot.ZERO, WalState.EMPTY, List.of());
    private Path last = DIRECTORY;
    /** Where the records of the last segment end. */
    private int end;
    /** The mark as it was when the log was made, which power going may leave behind. */
    private byte[] oldMark = new byte[0];

    @BeforeEach
    void writeALog() {
        disk.shortTransfers(false);
        Wal wal = Wal.create(disk, DIRECTORY, WalScript.METADATA, LIMITS);
        oldMark = disk.contents(DIRECTORY.resolve("synced"));
        Random random = new Random(5);
        for (int i = 1; i <= 14 * SCALE; i++) {
            byte[] data = new byte[i == 7 ? 0 : 40 + random.nextInt(120)];
            random.nextBytes(data);
            wal.append(List.of(new WalEntry(i % 3, i / 4, i, Bytes.of(data))), new WalState(i / 4, 1, i - 1));
            if (i == 10 * SCALE) {
                wal.saveSnapshot(new WalSnapshot(2, 0, Bytes.of(new byte[]{8, 1})));
            }
        }
        wal.close();
        whole = open(disk);
        List<String> names = segments(disk);
        assertThat(names).hasSize(3);
        last = DIRECTORY.resolve(names.getLast());
        byte[] bytes = disk.contents(last);
        end = bytes.length;
        while (bytes[end - 1] == 0) {
            end--;
        }
        end = (end + 7) & -8;
    }

    private static List<String> segments(FaultyDisk disk) {
        return disk.list(DIRECTORY).stream().filter(name -> name.endsWith(".wal")).toList();
    }

    private static WalScript.Content open(FaultyDisk disk) {
        Wal.Recovered recovered = Wal.open(disk, DIRECTORY, LIMITS);
        recovered.wal().close();
        return WalScript.content(recovered);
    }

    @Test
    void everyBitOfARecordIsGuarded() {
        for (String name : segments(disk)) {
            Path file = DIRECTORY.resolve(name);
            byte[] bytes = disk.contents(file);
            int records = file.equals(last) ? end : bytes.length;
            for (int bit = 0; bit < 8 * records; bit++) {
                FaultyDisk damaged = disk.copy(new Random(bit));
                damaged.corrupt(file, bit / 8, 1 << bit % 8);
                String story = name + ", bit " + bit;
                Damaged refusal = refusal(damaged, story);
                assertThat(refusal).as(story).isNotNull();
                // A wrong checksum at the head of a segment shows only in the record behind it.
                assertThat(refusal.file()).as(story).isEqualTo(file.toString());
                assertThat(refusal.offset()).as(story).isBetween(0L, bit / 8 + 16L);
                assertThat(refusal).as(story).hasMessageContaining("is damaged at byte")
                        .hasMessageContaining("cannot be trusted").hasMessageContaining(Damaged.REMEDY);
                assertThat(damaged.contents(file)).as("%s: nothing is repaired", story).hasSize(bytes.length);
            }
        }
    }

    /** The zeros behind the last record promise nothing: a bit there is refused or cleared away. */
    @Test
    void aBitInTheUnusedTailIsHarmless() {
        int refused = 0;
        for (int bit = 8 * end; bit < 8 * 1024 * SCALE; bit++) {
            FaultyDisk damaged = disk.copy(new Random(bit));
            damaged.corrupt(last, bit / 8, 1 << bit % 8);
            if (refusal(damaged, "bit " + bit) != null) {
                refused++;
                continue;
            }
            assertThat(damaged.contents(last)[bit / 8]).as("bit %d", bit).isZero();
        }
        assertThat(refused).isLessThan(8 * SECTOR);
    }

    @Test
    void everyTruncationOfConfirmedRecordsIsRefused() {
        for (String name : segments(disk)) {
            Path file = DIRECTORY.resolve(name);
            byte[] bytes = disk.contents(file);
            for (int length = 0; length < bytes.length; length++) {
                FaultyDisk damaged = disk.copy(new Random(length));
                damaged.put(file, Arrays.copyOf(bytes, length));
                String story = name + " cut to " + length;
                Damaged refusal = refusal(damaged, story);
                boolean harmless = file.equals(last) && length >= end;
                assertThat(refusal == null).as(story).isEqualTo(harmless);
            }
        }
    }

    /** With a mark that lags, the end of the log can be taken for torn; what is left must still be its beginning. */
    @Test
    void behindTheMarkALogMayBecomeShorterButNeverOther() {
        disk.put(DIRECTORY.resolve("synced"), oldMark);
        byte[] bytes = disk.contents(last);
        int cut = 0;
        for (int bit = 0; bit < 8 * end; bit++) {
            FaultyDisk damaged = disk.copy(new Random(bit));
            damaged.corrupt(last, bit / 8, 1 << bit % 8);
            cut += isPrefixOrRefused(damaged, "bit " + bit) ? 1 : 0;
        }
        for (int length = 0; length < end; length++) {
            FaultyDisk damaged = disk.copy(new Random(length));
            damaged.put(last, Arrays.copyOf(bytes, length));
            isPrefixOrRefused(damaged, "cut to " + length);
        }
        assertThat(cut).isPositive();
    }

    private boolean isPrefixOrRefused(FaultyDisk damaged, String story) {
        if (refusal(damaged, story, false) != null) {
            return false;
        }
        WalScript.Content found = open(damaged);
        assertThat(whole.entries()).as(story).startsWith(found.entries().toArray(WalEntry[]::new));
        assertThat(found.snapshot()).as(story).isEqualTo(whole.snapshot());
        return true;
    }

    /** Whole stretches of rubbish, in a log with and without a mark: an answer, no other exception, no memory. */
    @Test
    void rubbishIsRefused() {
        for (int seed = 0; seed < 3_000; seed++) {
            Random random = new Random(seed);
            FaultyDisk damaged = disk.copy(random);
            if (random.nextBoolean()) {
                damaged.delete(DIRECTORY.resolve("synced"));
            }
            Path file = DIRECTORY.resolve(segments(disk).get(random.nextInt(3)));
            byte[] bytes = damaged.contents(file);
            int from = random.nextInt(bytes.length);
            byte[] rubbish = new byte[1 + random.nextInt(random.nextBoolean() ? 16 : bytes.length)];
            random.nextBytes(rubbish);
            System.arraycopy(rubbish, 0, bytes, from, Math.min(rubbish.length, bytes.length - from));
            damaged.put(file, bytes);
            refusal(damaged, "seed " + seed, false);
        }
    }

    /** A length is not believed: where records are confirmed it is refused, and behind them it never costs more than the file has. */
    @ParameterizedTest
    @ValueSource(longs = {0x00ff_ffff_ffff_fff8L, 0x0000_0000_7fff_fff8L, 0x0000_7fff_ffff_fff8L,
        0x8400_0000_7fff_fffcL,
        0x7fff_ffff_ffff_ffffL, 0xffff_ffff_ffff_ffffL})
    void cve202015106AHugeLengthIsRefused(long length) {
        for (int at : new int[]{0, end}) {
            FaultyDisk damaged = disk.copy(new Random(at));
            byte[] bytes = damaged.contents(last);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(at, length);
            damaged.put(last, bytes);
            Damaged refusal = refusal(damaged, "length %x at %d".formatted(length, at), at == end);
            assertThat(refusal != null || at == end).as("length %x at %d", length, at).isTrue();
        }
    }

    /** An index says where an entry belongs, and is not believed either. */
    @ParameterizedTest
    @ValueSource(longs = {16, 1_000, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE, -1})
    void cve202015112AnIndexThatDoesNotFollowIsRefused(long index) {
        FaultyDisk crafted = new FaultyDisk(new Random(1));
        Wal wal = Wal.create(crafted, DIRECTORY, Bytes.utf8("somedata"), LIMITS);
        for (int i = 1; i <= 5; i++) {
            wal.append(List.of(new WalEntry(0, 1, i, Bytes.utf8("data"))), new WalState(1, 1, 0));
        }
        wal.close();
        Path file = DIRECTORY.resolve(segments(crafted).getLast());
        byte[] bytes = crafted.contents(file);
        int at = bytes.length;
        while (bytes[at - 1] == 0) {
            at--;
        }
        at = (at + 7) & -8;
        FrameWriter frames = new FrameWriter(chain(crafted, file, at));
        frames.entry(new WalEntry(0, 1, index, Bytes.utf8("data")));
        System.arraycopy(frames.buffer(), 0, bytes, at, frames.size());
        crafted.put(file, bytes);

        assertThat(refusal(crafted, "index " + index, false)).isNotNull();
    }

    /** The checksum of all records of a segment that ends there. */
    private static int chain(FaultyDisk disk, Path segment, int end) {
        try (DiskFile file = disk.open(segment)) {
            SegmentReader reader = new SegmentReader(file, end, 0, false);
            while (reader.next()) {
                assertThat(reader.type()).isPositive();
            }
            return reader.crc();
        } catch (BadRecord bad) {
            throw new AssertionError(bad);
        }
    }

    @Test
    void everyBitOfTheMarkIsGuarded() {
        Path mark = DIRECTORY.resolve("synced");
        byte[] bytes = disk.contents(mark);
        for (int bit = 0; bit < 8 * bytes.length; bit++) {
            FaultyDisk damaged = disk.copy(new Random(bit));
            damaged.corrupt(mark, bit / 8, 1 << bit % 8);
            assertThat(open(damaged)).as("bit %d of the mark", bit).isEqualTo(whole);
        }
        FaultyDisk damaged = disk.copy(new Random(1));
        damaged.corrupt(mark, 20, 1);
        damaged.corrupt(mark, 532, 1);
        Damaged refusal = refusal(damaged, "both copies of the mark");
        assertThat(refusal).isNotNull().hasMessageContaining("nobody knows how much of this log was confirmed");
    }

    private @Nullable Damaged refusal(FaultyDisk damaged, String story) {
        return refusal(damaged, story, true);
    }

    /** How the log is refused; null if it is accepted, which it must then be as it was. */
    private @Nullable Damaged refusal(FaultyDisk damaged, String story, boolean unchanged) {
        try {
            WalScript.Content found = open(damaged);
            if (unchanged) {
                assertThat(found).as(story).isEqualTo(whole);
            }
            return null;
        } catch (Damaged refused) {
            return refused;
        } catch (DiskFailure e) {
            throw new AssertionError(story, e);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(story + ": not an answer", e);
        }
    }
}
