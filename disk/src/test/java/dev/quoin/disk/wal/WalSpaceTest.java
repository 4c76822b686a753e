package dev.quoin.disk.wal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A disk without space: what it does not take can be written later, and what it took before is there after any crash. */
class WalSpaceTest {
    private static final Path DIRECTORY = Path.of("wal");
    private static final WalLimits LIMITS = new WalLimits(2_048, 512, 1_024);
    private static final Bytes CONF_STATE = Bytes.of(new byte[]{0x08, 0x01, 0x28, 0x00});
    private static final int SEEDS = 60;

    private static WalEntry entry(long index, int length) {
        return new WalEntry(0, 1, index, Bytes.utf8("e" + index + "x".repeat(length)));
    }

    private static boolean hasSpaceFor(Runnable change) {
        try {
            change.run();
            return true;
        } catch (DiskFailure failure) {
            assertThat(failure.isNoSpace()).as("%s", failure).isTrue();
            return false;
        }
    }

    private static void assertHolds(FaultyDisk disk, List<WalEntry> acknowledged, long mark) {
        disk.full(false);
        Wal.Recovered found = Wal.open(disk, DIRECTORY, LIMITS);
        List<WalEntry> behindMark = acknowledged.stream().filter(entry -> entry.index() > mark).toList();
        assertThat(found.snapshot().index()).isEqualTo(mark);
        assertThat(found.entries()).hasSizeGreaterThanOrEqualTo(behindMark.size());
        assertThat(found.entries().subList(0, behindMark.size())).isEqualTo(behindMark);
        found.wal().close();
    }

    @Test
    void whatFindsNoSpaceIsWrittenLaterAndNothingElseIsLost() {
        int refused = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            try {
                refused += oneLife(seed);
            } catch (AssertionError | RuntimeException broken) {
                throw new AssertionError("seed " + seed, broken);
            }
        }
        assertThat(refused).as("changes that found no space").isGreaterThan(5 * SEEDS);
    }

    private static List<WalEntry> some(Random random, long last) {
        List<WalEntry> entries = new ArrayList<>();
        for (int more = random.nextInt(5); more >= 0; more--) {
            entries.add(entry(last + 1 + entries.size(), random.nextInt(400)));
        }
        return entries;
    }

    private static boolean append(Wal wal, List<WalEntry> entries, WalState state) {
        return hasSpaceFor(() -> wal.append(entries, state));
    }

    private static int oneLife(long seed) {
        Random random = new Random(seed);
        FaultyDisk disk = new FaultyDisk(new Random(seed));
        Wal wal = Wal.create(disk, DIRECTORY, Bytes.utf8("m"), LIMITS);
        List<WalEntry> acknowledged = new ArrayList<>();
        long mark = 0;
        int refused = 0;
        for (int step = 0; step < 120; step++) {
            disk.full(random.nextInt(3) > 0);
            if (random.nextInt(4) == 0 && wal.nextIsWanted()) {
                hasSpaceFor(wal::prepareNext);
            }
            long applied = wal.lastIndex();
            WalState state = new WalState(1, 0, applied);
            List<WalEntry> entries = some(random, applied);
            while (!append(wal, entries, state)) {
                refused++;
                assertThat(wal.lastIndex()).isEqualTo(applied);
                assertHolds(random.nextBoolean() ? disk.afterCrash(random) : disk.copy(random), acknowledged, mark);
                disk.full(random.nextInt(3) > 0);
                // What is tried next may be something else.
                entries = random.nextBoolean() ? entries : some(random, applied);
            }
            assertHolds(disk.afterCrash(random), acknowledged, mark);
            wal.sync();
            acknowledged.addAll(entries);
            if (applied > mark && random.nextInt(6) == 0
                    && hasSpaceFor(() -> wal.saveSnapshot(new WalSnapshot(applied, 1, CONF_STATE)))) {
                mark = applied;
                wal.release(mark, 2);
            }
            assertHolds(disk.copy(random), acknowledged, mark);
        }
        wal.close();
        return refused;
    }

    @Test
    void aLogThatBeginsAnewIsAsItWasIfThereIsNoSpace() {
        FaultyDisk disk = new FaultyDisk(new Random(1));
        Wal wal = Wal.create(disk, DIRECTORY, Bytes.utf8("m"), LIMITS);
        wal.append(List.of(entry(1, 10)), new WalState(1, 0, 1));
        wal.sync();
        WalSnapshot snapshot = new WalSnapshot(100, 4, CONF_STATE);
        disk.full(true);
        assertThat(hasSpaceFor(() -> wal.beginAnew(snapshot, new WalState(4, 0, 100)))).isFalse();
        assertThat(wal.lastIndex()).isEqualTo(1);
        assertHolds(disk.copy(new Random(1)), List.of(entry(1, 10)), 0);
        disk.full(false);
        wal.beginAnew(snapshot, new WalState(4, 0, 100));
        wal.close();
        Wal.Recovered found = Wal.open(disk, DIRECTORY, LIMITS);
        assertThat(found.snapshot()).isEqualTo(snapshot);
        assertThat(found.entries()).isEmpty();
    }

    /** Only a disk that is full may be asked again: of any other failure nobody knows what it has done. */
    @Test
    void aWriteThatFailsOtherwiseIsTheEndOfTheLog() {
        FaultyDisk disk = new FaultyDisk(new Random(1));
        Wal wal = Wal.create(disk, DIRECTORY, Bytes.utf8("m"), LIMITS);
        disk.fail(1, FaultyDisk.Operation.WRITE);
        assertThatThrownBy(() -> wal.append(List.of(entry(1, 10)), null)).isInstanceOf(DiskFailure.class);
        assertThatThrownBy(() -> wal.append(List.of(entry(1, 10)), null))
                .hasMessageContaining("an operation on it failed before");
    }
}
