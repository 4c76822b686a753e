package dev.quoin.disk.wal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;

import static org.assertj.core.api.Assertions.assertThat;

/** A round through a log finds in its full segments what a start would find, and nothing else. */
class LogScrubTest {
    private static final Path DIRECTORY = Path.of("wal");

    private final FaultyDisk disk = new FaultyDisk(new Random(8));
    private final Wal wal = Wal.create(disk, DIRECTORY, Bytes.utf8("m"), WalLimits.ofSegmentBytes(4_096));
    private final List<Damaged> found = new ArrayList<>();

    LogScrubTest() {
        for (long index = 1; index <= 200; index++) {
            wal.append(List.of(new WalEntry(0, 1, index, Bytes.utf8("x".repeat(100)))), new WalState(1, 1, index));
            wal.sync();
        }
        assertThat(wal.segmentCount()).isGreaterThan(5);
    }

    @AfterEach
    void close() {
        wal.close();
    }

    private List<Path> segments() {
        return disk.list(DIRECTORY).stream().filter(name -> name.endsWith(".wal")).map(DIRECTORY::resolve).toList();
    }

    private List<Damaged> round(int stepBytes) {
        found.clear();
        LogScrub scrub = wal.scrub(found::add);
        while (!scrub.step(stepBytes)) {
            assertThat(found).hasSizeLessThan(100);
        }
        return List.copyOf(found);
    }

    @Test
    void aSoundLogIsSound() {
        assertThat(round(1)).isEmpty();
        assertThat(round(1 << 20)).isEmpty();
    }

    @Test
    void everyBitOfAFullSegmentIsLookedAt() {
        Path second = segments().get(1);
        int length = disk.contents(second).length;
        Random random = new Random(1);
        for (int at = 0; at < length; at++) {
            int bit = 1 << random.nextInt(8);
            disk.corrupt(second, at, bit);
            assertThat(round(1 << 20)).as("byte %d", at).isNotEmpty()
                    .allMatch(damage -> damage.file().equals(second.toString())
                            || damage.file().equals(segments().get(2).toString()));
            disk.corrupt(second, at, bit);
        }
        assertThat(round(1 << 20)).isEmpty();
    }

    @Test
    void damageIsToldOnceAndTheOthersAreLookedAtAllTheSame() {
        disk.corrupt(segments().get(1), 2_000, 1);
        disk.corrupt(segments().get(3), 2_000, 1);
        assertThat(round(64)).hasSize(2).satisfiesExactly(
                first -> assertThat(first).hasMessageContaining(segments().get(1).toString()),
                second -> assertThat(second).hasMessageContaining(segments().get(3).toString()));
    }

    /** Its end is not known yet, and its owner will look at it when it is full. */
    @Test
    void theSegmentThatIsWrittenIsLeftAlone() {
        disk.corrupt(segments().getLast(), 200, 1);
        assertThat(round(1 << 20)).isEmpty();
        disk.corrupt(segments().getLast(), 200, 1);
    }

    @Test
    void whatIsGivenUpMeanwhileIsNoDamage() {
        LogScrub scrub = wal.scrub(found::add);
        assertThat(scrub.step(5_000)).isFalse();
        wal.saveSnapshot(new WalSnapshot(190, 1, Bytes.of(new byte[]{0x08, 0x01, 0x28, 0x00})));
        wal.release(190, 1);
        assertThat(segments()).hasSizeLessThan(3);
        while (!scrub.step(5_000)) {
            assertThat(found).isEmpty();
        }
        assertThat(found).isEmpty();
    }

    @Test
    void whatCannotBeReadIsDamage() {
        disk.fail(3, Operation.READ);
        assertThat(round(1 << 20)).hasSize(1);
        disk.fail(1, Operation.LIST);
        assertThat(round(1 << 20)).hasSize(1);
        assertThat(round(1 << 20)).isEmpty();
    }
}
