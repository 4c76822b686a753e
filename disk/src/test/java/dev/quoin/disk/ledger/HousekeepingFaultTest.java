package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;
import dev.quoin.disk.memory.PowerCut;

import static dev.quoin.disk.ledger.LedgerLife.DIRECTORY;
import static dev.quoin.disk.ledger.LedgerLife.LIMITS;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Nothing that was durable is lost and nothing else is found, whatever a fault hits while the ledger is compacted, rewritten,
 * checkpointed and scrubbed. {@code -Dquoin.ledger.seeds} and {@code -Dquoin.ledger.cases} ask for more than every build
 * has time for.
 */
class HousekeepingFaultTest {
    private static final long SEEDS = Long.getLong("quoin.ledger.seeds", 2);
    /** How many of the bits of a ledger are flipped, one at a time, and how many lengths tried; all if there are fewer. */
    private static final int CASES = Integer.getInteger("quoin.ledger.cases", 8_000);
    private static final int STEPS = 120;
    private static final int STEPS_WITH_A_FAILURE = 80;
    private static final int OUTCOMES = 3;
    private static final Operation[] CHANGES = Operation.CHANGES.toArray(Operation[]::new);

    @Test
    void anOrdinaryLife() {
        int rewrites = 0;
        int checkpoints = 0;
        for (long seed = 1; seed <= 200; seed++) {
            FaultyDisk disk = new FaultyDisk(new Random(seed));
            LedgerLife life = new LedgerLife(disk, seed);
            try {
                life.run(STEPS);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
            assertThat(life.scrubbed).as("seed " + seed).isEmpty();
            rewrites += life.rewrites;
            checkpoints += life.checkpoints;
        }
        assertThat(rewrites).isGreaterThan(100);
        assertThat(checkpoints).isGreaterThan(400);
    }

    @Test
    void powerMayGoBeforeAndAfterAnyOperation() {
        long recoveries = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            long operations = count(seed, STEPS, CHANGES);
            recoveries += 2 * operations * OUTCOMES;
            assertThat(operations).isGreaterThan(100);
            for (long n = 1; n <= operations; n++) {
                cutPower(seed, n, true);
                cutPower(seed, n, false);
            }
        }
        tell("power goes at any operation", recoveries);
    }

    private static void cutPower(long seed, long n, boolean before) {
        FaultyDisk disk = new FaultyDisk(new Random(seed));
        LedgerLife life = new LedgerLife(disk, seed);
        if (before) {
            disk.cutPowerBefore(n, CHANGES);
        } else {
            disk.cutPowerAfter(n, CHANGES);
        }
        try {
            life.run(STEPS);
        } catch (PowerCut expected) {
            assertThat(disk.powerless()).isTrue();
        }
        for (int outcome = 0; outcome < OUTCOMES; outcome++) {
            long outcomeSeed = (1_000_000 * seed + 100 * n + outcome) * (before ? 1 : -1);
            String story = "seed " + seed + ", power goes " + (before ? "before" : "after") + " operation " + n
                    + ", outcome " + outcome;
            recover(life, disk.afterCrash(new Random(outcomeSeed)), outcomeSeed, story);
        }
    }

    @Test
    void anyOperationMayFail() {
        int stopped = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            long operations = count(seed, STEPS_WITH_A_FAILURE);
            for (long n = 1; n <= operations; n++) {
                String story = "seed " + seed + ", operation " + n + " fails";
                FaultyDisk disk = new FaultyDisk(new Random(seed));
                LedgerLife life = new LedgerLife(disk, seed);
                disk.fail(n);
                try {
                    life.run(STEPS_WITH_A_FAILURE);
                } catch (DiskFailure | Damaged expected) {
                    stopped++;
                } catch (RuntimeException | Error e) {
                    throw new AssertionError(story, e);
                }
                if (n % 2 == 0) {
                    stopAllTheSame(life);
                }
                recover(life, disk.afterCrash(new Random(n)), n, story + ", then power goes");
                disk.restartProcess();
                recover(life, disk, -n, story + ", then the process restarts");
            }
        }
        assertThat(stopped).isGreaterThan(100);
        tell("an operation fails and stops the ledger", stopped);
    }

    /** Nobody knows what is on the disk any more, so an orderly stop may fail as well, but it must not make it worse. */
    private static void stopAllTheSame(LedgerLife life) {
        try {
            life.stopAfterFailure();
        } catch (DiskFailure | Damaged expected) {
            assertThat(expected.getMessage()).contains("ledger");
        }
    }

    private static long count(long seed, int steps, Operation... operations) {
        FaultyDisk disk = new FaultyDisk(new Random(seed));
        new LedgerLife(disk, seed).run(steps);
        return disk.operations(operations);
    }

    /** Recovers, sometimes with power going while doing so, and lives on. */
    private static void recover(LedgerLife life, FaultyDisk disk, long seed, String story) {
        // Generators of neighbouring small seeds begin alike: all of them would go the same way.
        Random random = new Random(seed * 0x9e3779b97f4a7c15L);
        try {
            FaultyDisk second = disk;
            if (random.nextBoolean()) {
                second.cutPowerBefore(1 + random.nextInt(8), CHANGES);
                try {
                    Ledger.open(second, DIRECTORY, LIMITS, new LedgerLife.MiniStore());
                    second.cutPower();
                } catch (PowerCut expected) {
                    assertThat(second.powerless()).isTrue();
                }
                second = second.afterCrash(random);
            }
            LedgerLife.MiniStore found = new LedgerLife.MiniStore();
            Ledger.Recovered recovered = Ledger.open(second, DIRECTORY, LIMITS, found);
            life.check(recovered, found, story);
            LedgerLife next = new LedgerLife(second, seed);
            next.payloads.putAll(life.payloads);
            next.history.addAll(life.history.subList(1, life.history.size()));
            next.resume(recovered, found);
            for (int i = 0; i < 15; i++) {
                next.step();
            }
            next.stop();
            FaultyDisk last = second.afterCrash(random);
            LedgerLife.MiniStore again = new LedgerLife.MiniStore();
            next.check(Ledger.open(last, DIRECTORY, LIMITS, again), again, story + ", and once more");
        } catch (RuntimeException | Error e) {
            throw new AssertionError(story, e);
        }
    }

    // --- damage -----------------------------------------------------------------------------------------------------

    /** A ledger of about 64 KiB: packed files, segments before and behind the checkpoint, and the checkpoint. */
    private static final class Sample {
        final FaultyDisk disk = new FaultyDisk(new Random(1));
        final LedgerLife life = new LedgerLife(disk, 5);
        final List<String> names;
        final int atCheckpoint;

        Sample(int bytes) {
            disk.shortTransfers(false);
            int marked = 0;
            while (size() < bytes || !isVaried()) {
                for (int i = 0; i < 30; i++) {
                    life.put();
                }
                life.compact();
                life.put();
                life.beginCheckpoint();
                marked = life.batches();
                int before = life.checkpoints;
                life.finishCheckpoint();
                if (life.checkpoints == before) {
                    marked = 0;
                }
                for (int i = 0; i < 20; i++) {
                    life.rewriteSome();
                }
                for (int i = 0; i < 10; i++) {
                    life.put();
                }
                life.flush();
            }
            life.stop();
            names = disk.list(DIRECTORY);
            atCheckpoint = marked;
        }

        private int size() {
            return disk.exists(DIRECTORY)
                    ? disk.list(DIRECTORY).stream().mapToInt(name -> disk.contents(DIRECTORY.resolve(name)).length)
                            .sum()
                    : 0;
        }

        private boolean isVaried() {
            List<String> there = disk.list(DIRECTORY);
            return there.contains(FileName.CHECKPOINT) && there.stream().anyMatch(name -> name.endsWith(".packed"))
                    && there.stream().filter(name -> name.endsWith(".ledger")).count() > 3;
        }

        /** Opens and reads everything: either refused by name, or every read is right or says that it cannot be. */
        Outcome outcome(FaultyDisk damaged, String story) {
            try {
                LedgerLife.MiniStore found = new LedgerLife.MiniStore();
                Ledger.Recovered recovered = Ledger.open(damaged, DIRECTORY, LIMITS, found);
                int count = life.checkStore(recovered, found, 0, story);
                int unreadable = 0;
                for (long position : life.history.get(count).positions()) {
                    unreadable += isUnreadable(recovered.ledger(), position, story) ? 1 : 0;
                }
                rewrite(recovered.ledger(), found);
                for (long position : life.history.get(count).positions()) {
                    isUnreadable(recovered.ledger(), position, story + ", rewritten");
                }
                List<Damaged> scrubbed = new ArrayList<>();
                assertThat(recovered.ledger().scrub(scrubbed::add).step(Integer.MAX_VALUE)).isTrue();
                recovered.ledger().close();
                return new Outcome(count, unreadable, recovered.damage().size() + scrubbed.size());
            } catch (Damaged refused) {
                assertThat(refused.file()).as(story).startsWith("ledger");
                return new Outcome(-1, 0, 1);
            } catch (RuntimeException | Error e) {
                throw new AssertionError(story + ": not an answer", e);
            }
        }

        /** What is damaged may be copied or left alone, but never given up: reading it must not say that it is gone. */
        private void rewrite(Ledger ledger, LedgerLife.MiniStore store) {
            for (int i = 0; i < 3; i++) {
                Rewrite rewrite = ledger.nextRewrite(0.0,
                        (position, main, sub, kind, payload) -> store.refersTo(position));
                while (rewrite != null && !rewrite.step(Integer.MAX_VALUE)) {
                }
            }
        }

        private boolean isUnreadable(Ledger ledger, long position, String story) {
            try {
                assertThat(ledger.read(position)).as(story).isEqualTo(life.payload(position));
                assertThat(ledger.payloadLength(position)).as(story)
                        .isEqualTo(life.payload(position).length());
                return false;
            } catch (Damaged damage) {
                assertThat(damage.file()).as(story).startsWith("ledger");
                return true;
            }
        }
    }

    /** {@code batches} is -1 for a ledger that was refused; {@code known} is how much was reported without being asked. */
    private record Outcome(int batches, int unreadable, int known) {}

    @Test
    void everyBitIsGuarded() {
        Sample sample = new Sample(64 << 10);
        List<Case> cases = new ArrayList<>();
        for (String name : sample.names) {
            int bits = 8 * sample.disk.contents(DIRECTORY.resolve(name)).length;
            for (int bit = 0; bit < bits; bit++) {
                cases.add(new Case(name, bit));
            }
        }
        int refused = 0;
        int found = 0;
        for (Case flipped : some(cases)) {
            FaultyDisk damaged = sample.disk.copy(new Random(flipped.at));
            damaged.corrupt(DIRECTORY.resolve(flipped.name), flipped.at / 8, 1 << flipped.at % 8);
            String story = flipped.name + ", bit " + flipped.at;
            Outcome outcome = sample.outcome(damaged, story);
            refused += outcome.batches < 0 ? 1 : 0;
            found += outcome.batches >= 0 && outcome.known > 0 ? 1 : 0;
            if (outcome.batches >= 0) {
                assertThat(outcome.batches).as(story).isGreaterThanOrEqualTo(sample.atCheckpoint);
                assertThat(outcome.known).as("%s: found by opening or scrubbing", story)
                        .isGreaterThanOrEqualTo(outcome.unreadable > 0 ? 1 : 0);
            }
        }
        assertThat(refused).isGreaterThan(0);
        assertThat(found).isGreaterThan(0);
        tell("a bit flips, the ledger is refused", refused);
        tell("a bit flips, the ledger opens and says where", found);
    }

    @Test
    void everyTruncationIsRefusedOrSaidToReaders() {
        Sample sample = new Sample(64 << 10);
        List<Case> cases = new ArrayList<>();
        for (String name : sample.names) {
            int length = sample.disk.contents(DIRECTORY.resolve(name)).length;
            for (int cut = 0; cut < length; cut++) {
                cases.add(new Case(name, cut));
            }
        }
        for (Case cut : some(cases)) {
            Path file = DIRECTORY.resolve(cut.name);
            FaultyDisk damaged = sample.disk.copy(new Random(cut.at));
            damaged.put(file, Arrays.copyOf(damaged.contents(file), cut.at));
            String story = cut.name + " cut to " + cut.at;
            Outcome outcome = sample.outcome(damaged, story);
            if (!cut.name.equals(sample.names.stream().filter(name -> name.endsWith(".ledger")).toList().getLast())) {
                assertThat(outcome.known).as("%s is known", story).isGreaterThan(0);
            }
        }
    }

    private static void tell(String what, long runs) {
        System.out.println("HousekeepingFaultTest: " + what + ": " + runs + " runs");
    }

    private record Case(String name, int at) {}

    private static List<Case> some(List<Case> cases) {
        if (cases.size() <= CASES) {
            return cases;
        }
        Random random = new Random(20261125);
        List<Case> chosen = new ArrayList<>();
        for (int i = 0; i < CASES; i++) {
            chosen.add(cases.get(random.nextInt(cases.size())));
        }
        return chosen;
    }
}
