package dev.quoin.sim;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A few seeds for every change; {@code ./quoin dev sim} runs as many as one likes. */
class SimulationTest {
    private static final int SEEDS = 4;

    private static Simulation.Result run(long seed) {
        return new Simulation(seed, 0, false).run();
    }

    @Test
    void aFewSeedsHold() {
        Tally total = new Tally();
        for (long seed = 1; seed <= SEEDS; seed++) {
            total.add(run(seed).tally());
        }
        assertThat(total.of("acknowledged")).as("the seeds ask for something").isGreaterThan(100);
        assertThat(total.faultKinds()).as("and much goes wrong").isGreaterThan(10);
    }

    @Test
    void aSeedIsAWholeRun() {
        assertThat(run(SEEDS).hash()).isEqualTo(run(SEEDS).hash());
    }

    /** Nothing of the process itself, such as the order of a hash, reaches a run. */
    @Test
    void aSeedIsTheSameInAnotherProcess() throws IOException, InterruptedException {
        Process other = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "-Xmx512m", "-cp", System.getProperty("java.class.path"), "dev.quoin.sim.Main",
                "--seed", "2", "--seeds", "1").redirectErrorStream(true).start();
        String output = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(other.waitFor()).as(output).isZero();
        assertThat(output).contains("hash=" + String.format("%016x", run(2).hash()));
    }

    /** The mutations are of the source as it is. That each is found, {@code ./quoin dev sim mutants} shows. */
    @Test
    void everyMutationFitsTheSource() throws IOException {
        for (Mutation mutation : Mutation.ALL) {
            for (Mutation.Edit edit : mutation.edits()) {
                String source = java.nio.file.Files.readString(Path.of("..").resolve(edit.file()));
                assertThat(edit.appliedTo(source)).as(mutation.name()).isNotEqualTo(source);
            }
        }
        assertThatThrownBy(() -> Mutation.ALL.getFirst().edits().getFirst().appliedTo("something else"))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("exactly once");
    }
}
