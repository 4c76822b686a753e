package dev.quoin.disk.memory;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

import org.junit.jupiter.api.Test;

import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.memory.FaultyDisk.Operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class FaultyDiskTest {
    private static final Path FILE = Path.of("file");
    private static final int OUTCOMES = 400;

    private final FaultyDisk disk = new FaultyDisk(new Random(1));

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static void write(DiskFile file, long position, byte[] bytes) {
        file.writeFully(position, ByteBuffer.wrap(bytes));
    }

    @Test
    void whatWasSyncedSurvivesAndTheRestMaySurviveInAnyPart() {
        DiskFile file = disk.create(FILE);
        write(file, 0, filled(2048, 1));
        file.sync();
        disk.syncDirectory(Path.of(""));
        write(file, 512, filled(1024, 2));

        Set<List<Boolean>> seen = new HashSet<>();
        boolean torn = false;
        for (int seed = 0; seed < OUTCOMES; seed++) {
            byte[] found = disk.afterCrash(new Random(seed)).contents(FILE);
            assertThat(found).hasSize(2048);
            assertThat(found).startsWith(filled(512, 1)).endsWith(filled(512, 1));
            seen.add(List.of(found[512] == 2, found[1024] == 2));
            for (int sector = 512; sector < 1536; sector += 512) {
                torn |= found[sector] == 2 && found[sector + 511] == 1;
                // A torn sector is new at the front and old behind.
                for (int i = sector + 1; i < sector + 512; i++) {
                    assertThat(found[i]).as("seed %d", seed).isLessThanOrEqualTo(found[i - 1]);
                }
            }
        }
        assertThat(seen).hasSize(4);
        assertThat(torn).isTrue();
    }

    @Test
    void aLengthThatWasNotSyncedMayBeForgotten() {
        DiskFile file = disk.create(FILE);
        disk.syncDirectory(Path.of(""));
        write(file, 0, filled(100, 1));
        write(file, 100, filled(100, 1));
        file.truncate(50);

        Set<Long> sizes = new HashSet<>();
        for (int seed = 0; seed < OUTCOMES; seed++) {
            sizes.add((long) disk.afterCrash(new Random(seed)).contents(FILE).length);
        }
        assertThat(sizes).contains(0L, 50L, 200L);
    }

    @Test
    void namesAreDurableInOrderOnceTheirDirectoryIsSynced() {
        disk.createDirectory(Path.of("d"));
        disk.syncDirectory(Path.of(""));
        disk.create(Path.of("d", "a")).close();
        disk.create(Path.of("d", "b")).close();
        disk.rename(Path.of("d", "a"), Path.of("d", "c"));
        disk.delete(Path.of("d", "b"));

        Set<List<String>> seen = new HashSet<>();
        for (int seed = 0; seed < OUTCOMES; seed++) {
            seen.add(disk.afterCrash(new Random(seed)).list(Path.of("d")));
        }
        assertThat(seen).containsExactlyInAnyOrder(List.of(), List.of("a"), List.of("a", "b"), List.of("b", "c"),
                List.of("c"));
        disk.syncDirectory(Path.of("d"));
        assertThat(disk.afterCrash(new Random(1)).list(Path.of("d"))).containsExactly("c");
    }

    @Test
    void afterAFailedSyncTheNextOneSucceedsWithoutTheData() {
        int lost = 0;
        for (int seed = 0; seed < OUTCOMES; seed++) {
            FaultyDisk one = new FaultyDisk(new Random(seed));
            DiskFile file = one.create(FILE);
            one.syncDirectory(Path.of(""));
            write(file, 0, filled(512, 1));
            one.fail(1, Operation.SYNC);
            assertThatThrownBy(file::sync).isInstanceOf(DiskFailure.class);
            file.sync();
            assertThat(one.contents(FILE)).as("the page cache has it, seed %d", seed).isEqualTo(filled(512, 1));
            byte[] found = one.afterCrash(new Random(seed)).contents(FILE);
            lost += found.length < 512 || found[0] == 0 ? 1 : 0;
        }
        assertThat(lost).isBetween(OUTCOMES / 10, OUTCOMES * 9 / 10);
    }

    @Test
    void withoutPowerNothingWorksUntilTheRestart() {
        DiskFile file = disk.create(FILE);
        disk.syncDirectory(Path.of(""));
        disk.cutPowerBefore(2, Operation.WRITE);
        disk.shortTransfers(false);
        write(file, 0, filled(10, 1));
        assertThatThrownBy(() -> write(file, 10, filled(10, 1))).isInstanceOf(PowerCut.class);
        assertThatThrownBy(file::sync).isInstanceOf(PowerCut.class);
        assertThatThrownBy(() -> disk.open(FILE)).isInstanceOf(PowerCut.class);

        disk.restart();

        assertThatThrownBy(file::sync).as("a file of the life before").isInstanceOf(PowerCut.class);
        disk.open(FILE).close();
    }

    @Test
    void everyOperationCanBeCountedAndHit() {
        DiskFile file = disk.create(FILE);
        file.sync();
        assertThat(disk.operations()).isEqualTo(2);
        assertThat(disk.operations(Operation.SYNC)).isEqualTo(1);
        disk.fail(2);
        file.sync();
        assertThatThrownBy(() -> disk.delete(FILE)).isInstanceOf(DiskFailure.class)
                .hasMessage("file: DELETE failed: a planned fault");
        disk.cutPowerAfter(1, Operation.DELETE);
        assertThatThrownBy(() -> disk.delete(FILE)).isInstanceOf(PowerCut.class);
        disk.restartProcess();
        assertThat(disk.exists(FILE)).isFalse();
    }

    @Test
    void theSameSeedIsTheSameDisk() {
        for (int seed = 0; seed < 20; seed++) {
            assertThat(history(seed)).as("seed %d", seed).isEqualTo(history(seed));
        }
        assertThat(history(1)).isNotEqualTo(history(2));
    }

    private static byte[] history(int seed) {
        FaultyDisk one = new FaultyDisk(new Random(seed));
        DiskFile file = one.create(FILE);
        one.syncDirectory(Path.of(""));
        for (int i = 1; i < 50; i++) {
            write(file, 100L * i, filled(700, i));
        }
        one.restart();
        return one.contents(FILE);
    }
}
