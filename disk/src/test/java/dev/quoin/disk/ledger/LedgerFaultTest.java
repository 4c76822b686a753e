package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;
import dev.quoin.disk.memory.PowerCut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A batch is there as a whole or not at all, and one that was flushed is there, whatever a fault hits. */
class LedgerFaultTest {
    private static final Path DIRECTORY = Path.of("ledger");
    private static final LedgerLimits LIMITS = new LedgerLimits(2048, 512, 16_384);
    private static final int STEPS = 60;
    private static final int OUTCOMES = 12;
    private static final Operation[] CHANGES = Operation.CHANGES.toArray(Operation[]::new);

    private record Written(long position, long main, int sub, int kind, Bytes payload) {}

    private record Batch(List<Written> records, Ledger.Commit commit) {}

    /** What an opened ledger holds. */
    private record Content(List<Written> records, Ledger.@Nullable Commit last) {}

    /** A life of a ledger, and what was promised in it. */
    private static final class Script {
        final FaultyDisk disk;
        final Random random;
        final List<Batch> batches = new ArrayList<>();
        int flushed;

        Script(FaultyDisk disk, long seed) {
            this.disk = disk;
            random = new Random(seed);
        }

        void run(int steps) {
            Ledger current = open(disk, new ArrayList<>()).ledger();
            for (int step = 0; step < steps; step++) {
                commitBatch(current);
                readSome(current);
                if (random.nextInt(3) == 0) {
                    current.flush();
                    flushed = batches.size();
                    assertThat(current.durableIndex()).isEqualTo(batches.size());
                }
                if (random.nextInt(10) == 0) {
                    current.close();
                    flushed = batches.size();
                    List<Written> found = new ArrayList<>();
                    current = open(disk, found).ledger();
                    assertThat(found).isEqualTo(after(batches.size()).records());
                }
            }
            current.append(1_000, 0, 1, Bytes.utf8("of an open batch"));
            current.close();
            flushed = batches.size();
        }

        private void commitBatch(Ledger current) {
            List<Written> records = new ArrayList<>();
            long main = batches.size() + 1L;
            for (int sub = 0; sub < random.nextInt(4); sub++) {
                byte[] data = new byte[random.nextInt(12) == 0 ? 1500 : random.nextInt(150)];
                random.nextBytes(data);
                if (random.nextInt(4) == 0) {
                    Arrays.fill(data, (byte) 0);
                }
                int kind = 1 + random.nextInt(200);
                long position = current.append(main, sub, kind, Bytes.of(data));
                records.add(new Written(position, main, sub, kind, Bytes.of(data)));
            }
            Bytes configuration = Bytes.of(new byte[random.nextInt(40)]);
            batches.add(new Batch(records, new Ledger.Commit(main, 3, configuration)));
            current.commit(main, 3, configuration);
        }

        private void readSome(Ledger current) {
            for (int i = 0; i < 3; i++) {
                for (Written record : batches.get(random.nextInt(batches.size())).records) {
                    assertThat(current.read(record.position)).isEqualTo(record.payload);
                }
            }
        }

        Content after(int count) {
            List<Written> records = new ArrayList<>();
            batches.subList(0, count).forEach(batch -> records.addAll(batch.records));
            return new Content(records, count == 0 ? null : batches.get(count - 1).commit);
        }

        void check(Content found, int atLeast, String story) {
            int count = found.last() == null ? 0 : (int) found.last().appliedIndex();
            assertThat(count).as(story).isBetween(atLeast, batches.size());
            assertThat(found).as(story).isEqualTo(after(count));
        }
    }

    private static Ledger.Recovered open(FaultyDisk disk, List<Written> found) {
        return Ledger.open(disk, DIRECTORY, LIMITS, (position, main, sub, kind, payload) -> found
                .add(new Written(position, main, sub, kind, payload.compact())));
    }

    @Test
    void powerMayGoAtAnyOperation() {
        int recoveries = 0;
        for (long seed = 1; seed <= 3; seed++) {
            FaultyDisk counting = new FaultyDisk(new Random(seed));
            new Script(counting, seed).run(STEPS);
            long operations = counting.operations(CHANGES);
            for (long n = 1; n <= operations + 1; n++) {
                FaultyDisk disk = new FaultyDisk(new Random(seed));
                Script script = new Script(disk, seed);
                disk.cutPowerBefore(n, CHANGES);
                try {
                    script.run(STEPS);
                    disk.cutPower();
                } catch (PowerCut expected) {
                    assertThat(disk.powerless()).isTrue();
                }
                for (int outcome = 0; outcome < OUTCOMES; outcome++) {
                    long outcomeSeed = 1_000_000 * seed + 100 * n + outcome;
                    recover(script, disk.afterCrash(new Random(outcomeSeed)), outcomeSeed,
                            "seed " + seed + ", power cut before operation " + n + ", outcome " + outcomeSeed);
                    recoveries++;
                }
            }
        }
        assertThat(recoveries).isGreaterThan(5_000);
    }

    @Test
    void anyOperationMayFail() {
        for (long seed = 1; seed <= 2; seed++) {
            FaultyDisk counting = new FaultyDisk(new Random(seed));
            new Script(counting, seed).run(STEPS);
            long operations = counting.operations();
            for (long n = 1; n <= operations; n++) {
                String story = "seed " + seed + ", operation " + n + " fails";
                FaultyDisk disk = new FaultyDisk(new Random(seed));
                Script script = new Script(disk, seed);
                disk.fail(n);
                // A failure inside a reader's view is damage to that reader, and to nobody else.
                assertThatThrownBy(() -> script.run(STEPS)).as(story)
                        .isInstanceOfAny(DiskFailure.class, Damaged.class);
                recover(script, disk.afterCrash(new Random(n)), n, story + ", then power goes");
                disk.restartProcess();
                recover(script, disk, n, story + ", then the process restarts");
            }
        }
    }

    /** Recovers, sometimes with power going while doing so; goes on; loses power again; recovers. */
    private static void recover(Script script, FaultyDisk disk, long seed, String story) {
        // Generators of neighbouring small seeds begin alike: all of them would go the same way.
        Random random = new Random(seed * 0x9e3779b97f4a7c15L);
        try {
            FaultyDisk second = disk;
            if (random.nextBoolean()) {
                second.cutPowerBefore(1 + random.nextInt(6), CHANGES);
                try {
                    open(second, new ArrayList<>());
                    second.cutPower();
                } catch (PowerCut expected) {
                    assertThat(second.powerless()).isTrue();
                }
                second = second.afterCrash(random);
            }
            List<Written> found = new ArrayList<>();
            Ledger.Recovered recovered = open(second, found);
            script.check(new Content(found, recovered.last()), script.flushed, story);
            goOn(recovered, second, found, random, story);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(story, e);
        }
    }

    private static void goOn(Ledger.Recovered recovered, FaultyDisk disk, List<Written> found, Random random,
            String story) {
        Ledger ledger = recovered.ledger();
        for (int i = 1; i <= 4; i++) {
            Bytes payload = Bytes.of(new byte[random.nextInt(900)]);
            found.add(new Written(ledger.append(5_000 + i, 0, 1, payload), 5_000 + i, 0, 1, payload));
            ledger.commit(5_000 + i, 4, Bytes.EMPTY);
            if (i == 3) {
                ledger.flush();
            }
        }
        for (Written record : found) {
            assertThat(ledger.read(record.position)).as(story).isEqualTo(record.payload);
        }
        List<Written> again = new ArrayList<>();
        Ledger.Recovered second = open(disk.afterCrash(random), again);
        assertThat(second.last()).as(story).isEqualTo(new Ledger.Commit(5_003, 4, Bytes.EMPTY));
        assertThat(again).as(story).isEqualTo(found.subList(0, found.size() - 1));
    }

    // --- damage -----------------------------------------------------------------------------------------------------

    private static final class Sample {
        final FaultyDisk disk = new FaultyDisk(new Random(1));
        final Script script = new Script(disk, 7);
        final List<String> segments;

        Sample() {
            disk.shortTransfers(false);
            Ledger ledger = open(disk, new ArrayList<>()).ledger();
            for (int i = 0; i < 22; i++) {
                script.commitBatch(ledger);
                if (i % 4 == 3) {
                    ledger.flush();
                }
            }
            ledger.close();
            segments = disk.list(DIRECTORY);
        }

        int batches() {
            return script.batches.size();
        }

        Path last() {
            return DIRECTORY.resolve(segments.getLast());
        }

        /** How the ledger is refused; if it is accepted, it must be as it was after at least {@code atLeast} batches. */
        @Nullable
        Damaged refusal(FaultyDisk damaged, int atLeast, String story) {
            try {
                List<Written> found = new ArrayList<>();
                Ledger.Recovered recovered = open(damaged, found);
                script.check(new Content(found, recovered.last()), atLeast, story);
                recovered.ledger().close();
                return null;
            } catch (Damaged refused) {
                return refused;
            } catch (RuntimeException | Error e) {
                throw new AssertionError(story + ": not an answer", e);
            }
        }
    }

    /** After an orderly stop every bit that means anything is guarded: the last commit confirms all that came before. */
    @Test
    void everyBitIsGuardedAfterAnOrderlyStop() {
        Sample sample = new Sample();
        int accepted = 0;
        for (String name : sample.segments) {
            Path file = DIRECTORY.resolve(name);
            byte[] bytes = sample.disk.contents(file);
            int end = bytes.length;
            while (bytes[end - 1] == 0) {
                end--;
            }
            for (int bit = 0; bit < 8 * end; bit++) {
                FaultyDisk damaged = sample.disk.copy(new Random(bit));
                damaged.corrupt(file, bit / 8, 1 << bit % 8);
                String story = name + ", bit " + bit;
                Damaged refusal = sample.refusal(damaged, sample.batches(), story);
                if (refusal == null) {
                    accepted++;
                    continue;
                }
                assertThat(refusal.file()).as(story).isEqualTo(file.toString());
                assertThat(refusal.offset()).as(story).isBetween(0L, bit / 8L);
                assertThat(damaged.contents(file)).as("%s: nothing is repaired", story).hasSize(bytes.length);
            }
        }
        // Only the closing commit itself may go: it says again what the one before it said.
        assertThat(accepted).isBetween(1, 8 * 100);
    }

    /** A tail that is missing altogether leaves no proof behind; then the ledger is older, but never other. */
    @Test
    void everyTruncationIsRefusedOrLeavesAnOlderState() {
        Sample sample = new Sample();
        for (String name : sample.segments) {
            Path file = DIRECTORY.resolve(name);
            byte[] bytes = sample.disk.contents(file);
            for (int length = 0; length < bytes.length; length++) {
                FaultyDisk damaged = sample.disk.copy(new Random(length));
                damaged.put(file, Arrays.copyOf(bytes, length));
                Damaged refusal = sample.refusal(damaged, 0, name + " cut to " + length);
                if (!file.equals(sample.last())) {
                    assertThat(refusal).as("%s cut to %d", name, length).isNotNull();
                }
            }
        }
    }

    @Test
    void rubbishIsRefusedOrLeavesAnOlderState() {
        Sample sample = new Sample();
        for (int seed = 0; seed < 3_000; seed++) {
            Random random = new Random(seed);
            FaultyDisk damaged = sample.disk.copy(random);
            Path file = DIRECTORY.resolve(sample.segments.get(random.nextInt(sample.segments.size())));
            byte[] bytes = damaged.contents(file);
            byte[] rubbish = new byte[1 + random.nextInt(random.nextBoolean() ? 16 : bytes.length)];
            random.nextBytes(rubbish);
            int from = random.nextInt(bytes.length);
            System.arraycopy(rubbish, 0, bytes, from, Math.min(rubbish.length, bytes.length - from));
            damaged.put(file, bytes);
            sample.refusal(damaged, 0, "seed " + seed);
        }
    }

    @Test
    void aSegmentThatIsMissingIsNamed() {
        Sample sample = new Sample();
        sample.disk.delete(DIRECTORY.resolve(sample.segments.get(1)));
        assertThat(sample.refusal(sample.disk, 0, "segment 2 is gone")).isNotNull()
                .hasMessageContaining("segment 2 of the ledger is missing");
    }
}
