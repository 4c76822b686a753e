package dev.quoin.disk.ledger;

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

/** A disk without space: the ledger keeps what was not taken, and writes it when there is some again. */
class LedgerSpaceTest {
    private static final Path DIRECTORY = Path.of("data", "ledger");
    private static final LedgerLimits LIMITS = new LedgerLimits(2_048, 512, 1 << 20);
    private static final Bytes CONFIGURATION = Bytes.utf8("voters 1");
    private static final int SEEDS = 60;

    private record Written(long position, Bytes payload, long appliedIndex) {}

    private static Ledger open(FaultyDisk disk) {
        return Ledger.open(disk, DIRECTORY, LIMITS, (position, main, sub, kind, payload) -> {}).ledger();
    }

    @Test
    void whatFindsNoSpaceIsWrittenLaterAndCanBeReadMeanwhile() {
        int refused = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            try {
                refused += oneLife(seed);
            } catch (AssertionError | RuntimeException broken) {
                throw new AssertionError("seed " + seed, broken);
            }
        }
        assertThat(refused).as("flushes that found no space").isGreaterThan(5 * SEEDS);
    }

    private static int oneLife(long seed) {
        Random random = new Random(seed);
        FaultyDisk disk = new FaultyDisk(new Random(seed));
        Ledger ledger = open(disk);
        List<Written> written = new ArrayList<>();
        int refused = 0;
        for (int batch = 1; batch <= 80; batch++) {
            for (int record = random.nextInt(4); record >= 0; record--) {
                Bytes payload = Bytes.utf8("r" + batch + "x".repeat(random.nextInt(300)));
                written.add(new Written(ledger.append(batch, record, 1, payload), payload, batch));
            }
            ledger.commit(batch, 1, CONFIGURATION);
            disk.full(random.nextInt(3) > 0);
            try {
                ledger.flush();
                assertThat(ledger.durableIndex()).isEqualTo(batch);
            } catch (DiskFailure failure) {
                assertThat(failure.isNoSpace()).as("%s", failure).isTrue();
                refused++;
            }
            assertThat(written).allSatisfy(
                    record -> assertThat(ledger.read(record.position)).isEqualTo(record.payload));
            FaultyDisk crashed = disk.afterCrash(random);
            crashed.full(false);
            assertDurable(crashed, written, ledger.durableIndex());
        }
        disk.full(false);
        ledger.flush();
        ledger.close();
        assertDurable(disk, written, 80);
        return refused;
    }

    private static void assertDurable(FaultyDisk disk, List<Written> written, long index) {
        Ledger found = open(disk);
        assertThat(found.durableIndex()).isGreaterThanOrEqualTo(index);
        for (Written record : written) {
            if (record.appliedIndex <= index) {
                assertThat(found.read(record.position)).isEqualTo(record.payload);
            }
        }
        found.close();
    }

    @Test
    void aWriteThatFailsOtherwiseIsTheEndOfTheLedger() {
        FaultyDisk disk = new FaultyDisk(new Random(1));
        Ledger ledger = open(disk);
        ledger.append(1, 0, 1, Bytes.utf8("one"));
        ledger.commit(1, 1, CONFIGURATION);
        disk.fail(1, FaultyDisk.Operation.WRITE);
        assertThatThrownBy(ledger::flush).isInstanceOf(DiskFailure.class);
        assertThatThrownBy(ledger::flush).hasMessageContaining("a flush failed before");
    }
}
