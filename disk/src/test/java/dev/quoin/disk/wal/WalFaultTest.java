package dev.quoin.disk.wal;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;
import dev.quoin.disk.memory.PowerCut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What was acknowledged is there, and nothing is there by half, whatever operation of the disk a fault hits. */
class WalFaultTest {
    private static final int STEPS = 60;
    private static final int OUTCOMES = 12;
    private static final Operation[] CHANGES = Operation.CHANGES.toArray(Operation[]::new);

    /** Power goes at every single operation; every time, a dozen of the disks that this can leave behind are tried. */
    @Test
    void powerMayGoAtAnyOperation() {
        int recoveries = 0;
        for (long seed = 1; seed <= 3; seed++) {
            long operations = count(seed, CHANGES);
            assertThat(operations).isGreaterThan(200);
            for (long n = 1; n <= operations + 1; n++) {
                FaultyDisk disk = new FaultyDisk(new Random(seed));
                WalScript script = new WalScript(disk, seed);
                disk.cutPowerBefore(n, CHANGES);
                try {
                    script.run(STEPS);
                    disk.cutPower();
                } catch (PowerCut expected) {
                    assertThat(disk.powerless()).isTrue();
                }
                for (int outcome = 0; outcome < OUTCOMES; outcome++) {
                    long outcomeSeed = 1_000_000 * seed + 100 * n + outcome;
                    String story = "seed " + seed + ", power cut before operation " + n + ", outcome " + outcomeSeed;
                    FaultyDisk survivor = disk.afterCrash(new Random(outcomeSeed));
                    recover(script, survivor, outcomeSeed, story);
                    recoveries++;
                }
            }
        }
        assertThat(recoveries).isGreaterThan(10_000);
    }

    private static long count(long seed, Operation... operations) {
        FaultyDisk disk = new FaultyDisk(new Random(seed));
        new WalScript(disk, seed).run(STEPS);
        return disk.operations(operations);
    }

    /** Recovers, with power going once more while doing so; goes on; loses power again; recovers. */
    private static void recover(WalScript script, FaultyDisk disk, long seed, String story) {
        // Generators of neighbouring small seeds begin alike: all of them would go the same way.
        Random random = new Random(seed * 0x9e3779b97f4a7c15L);
        try {
            FaultyDisk second = disk;
            if (random.nextBoolean()) {
                second.cutPowerBefore(1 + random.nextInt(12), CHANGES);
                try {
                    open(script, second);
                    second.cutPower();
                } catch (PowerCut expected) {
                    assertThat(second.powerless()).isTrue();
                }
                second = second.afterCrash(random);
            }
            Wal.Recovered recovered = open(script, second);
            if (recovered == null) {
                assertThat(script.created()).as(story).isFalse();
                return;
            }
            assertThat(script.acceptable()).as(story).contains(WalScript.content(recovered));
            assertThat(recovered.metadata()).as(story).isEqualTo(WalScript.METADATA);
            goOn(recovered, second, random, story);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(story, e);
        }
    }

    private static Wal.@Nullable Recovered open(WalScript script, FaultyDisk disk) {
        if (!script.created() && !Wal.exists(disk, WalScript.DIRECTORY)) {
            return null;
        }
        return Wal.open(disk, WalScript.DIRECTORY, WalScript.LIMITS);
    }

    private static void goOn(Wal.Recovered recovered, FaultyDisk disk, Random random, String story) {
        List<WalEntry> expected = new ArrayList<>(recovered.entries());
        Wal wal = recovered.wal();
        for (int i = 0; i < 6; i++) {
            byte[] data = new byte[random.nextInt(600)];
            random.nextBytes(data);
            WalEntry entry = new WalEntry(0, 99, wal.lastIndex() + 1, Bytes.of(data));
            wal.append(List.of(entry), null);
            expected.add(entry);
        }
        wal.sync();
        FaultyDisk survivor = disk.afterCrash(random);
        Wal.Recovered again = Wal.open(survivor, WalScript.DIRECTORY, WalScript.LIMITS);
        if (recovered.entries().isEmpty() && recovered.snapshot().index() < expected.getFirst().index() - 1) {
            return;
        }
        assertThat(again.entries()).as(story).isEqualTo(expected);
        assertThat(again.state()).as(story).isEqualTo(recovered.state());
    }

    /** Each operation fails once. The log says so and refuses to go on; a new process finds all that was acknowledged. */
    @Test
    void anyOperationMayFail() {
        for (long seed = 1; seed <= 3; seed++) {
            long operations = count(seed);
            for (long n = 1; n <= operations; n++) {
                String story = "seed " + seed + ", operation " + n + " fails";
                FaultyDisk disk = new FaultyDisk(new Random(seed));
                WalScript script = new WalScript(disk, seed);
                disk.fail(n);
                assertThatThrownBy(() -> script.run(STEPS)).as(story).isInstanceOf(DiskFailure.class)
                        .hasMessageContaining("a planned fault");
                Wal wal = script.wal();
                if (wal != null && !script.preparing()) {
                    assertThatThrownBy(wal::sync).as(story).isInstanceOf(DiskFailure.class)
                            .hasMessageContaining("failed before");
                }
                FaultyDisk afterPowerCut = disk.afterCrash(new Random(n));
                recover(script, afterPowerCut, n, story + ", then power goes");
                disk.restartProcess();
                recover(script, disk, n, story + ", then the process restarts");
            }
        }
    }

    /** A process that is killed leaves the page cache to the next one, which may build on it only once it is synced. */
    @Test
    void aKilledProcessLosesNothingItWrote() {
        for (long seed = 1; seed <= 50; seed++) {
            String story = "seed " + seed;
            FaultyDisk disk = new FaultyDisk(new Random(seed));
            WalScript script = new WalScript(disk, seed);
            disk.cutPowerBefore(1 + new Random(seed).nextInt(300), CHANGES);
            try {
                script.run(STEPS);
            } catch (PowerCut killed) {
                disk.restartProcess();
            }
            if (!Wal.exists(disk, WalScript.DIRECTORY)) {
                continue;
            }
            disk.restartProcess();
            Wal.Recovered found = Wal.open(disk, WalScript.DIRECTORY, WalScript.LIMITS);
            assertThat(script.acceptable()).as(story).contains(WalScript.content(found));
            FaultyDisk survivor = disk.afterCrash(new Random(seed));
            Wal.Recovered again = Wal.open(survivor, WalScript.DIRECTORY, WalScript.LIMITS);
            assertThat(WalScript.content(again)).as(story).isEqualTo(WalScript.content(found));
        }
    }
}
