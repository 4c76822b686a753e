package dev.quoin.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * go.etcd.io/raft judges: {@code raftcheck} gives it the commands of {@link RandomTranscript}s, and it must come to the
 * same output. It is looked for in the directory named by the system property {@code quoin.tools}; without it this is
 * skipped, or fails where CI=true.
 */
@Tag("interop")
class ReferenceJudgeTest {
    private static final long FIRST_SEED = 1;
    private static final int SEEDS = 300;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temporary;

    @Test
    void theReferenceComesToTheSame() throws IOException, InterruptedException {
        String tools = System.getProperty("quoin.tools");
        Path program = Path.of(tools == null ? "" : tools, "raftcheck");
        boolean there = tools != null && Files.isExecutable(program);
        assertThat(there || !"true".equals(System.getenv("CI"))).as("no raftcheck in quoin.tools=%s", tools).isTrue();
        assumeTrue(there, "no raftcheck in quoin.tools=" + tools);
        List<String> command = new ArrayList<>(List.of(program.toString()));
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            Path file = temporary.resolve("seed-" + seed + ".txt");
            Files.writeString(file, RandomTranscript.of(seed));
            command.add(file.toString());
        }
        Path output = temporary.resolve("out");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        List<String> lines = Files.readAllLines(output);
        assertThat(ended && process.exitValue() == 0).as(() -> String.join("\n",
                lines.stream().dropWhile(line -> !line.startsWith("FAIL")).limit(200).toList())).isTrue();
        assertThat(lines.getLast()).isEqualTo("raftcheck: " + SEEDS + " passed, 0 failed");
    }
}
