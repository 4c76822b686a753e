package dev.quoin.raft;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Seeds of {@link Simulation}: its {@code main} runs many more. */
class SimulationTest {
    private static final int SEEDS = 30;
    private static final long FAULTY_MILLIS = 120_000;
    private static final long CALM_MILLIS = 30_000;

    private static Simulation.Outcome run(long seed) {
        return new Simulation(seed, Simulation.worldOf(seed)).run(FAULTY_MILLIS, CALM_MILLIS);
    }

    @Test
    void everySeedKeepsThePromises() {
        long crashes = 0;
        long snapshots = 0;
        long changes = 0;
        long reads = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            Simulation.Outcome outcome = run(seed);
            crashes += outcome.crashes();
            snapshots += outcome.snapshots();
            changes += outcome.changes();
            reads += outcome.reads();
        }
        // A world in which nothing happens proves nothing.
        assertThat(crashes).isGreaterThan(200);
        assertThat(snapshots).isGreaterThan(20);
        assertThat(changes).isGreaterThan(500);
        assertThat(reads).isGreaterThan(3_000);
    }

    @Test
    void aSeedIsAWholeRun() {
        assertThat(run(12)).isEqualTo(run(12));
    }
}
