package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Whatever hostile clients do to a member with 512 MiB of heap, a healthy one is served, each limit that is met is counted and told,
 * and what was held is given back: trial/go's {@code hostilecheck}, for a moment each; {@code dev/qualify hostile} for longer. Here
 * who attacks, who is healthy and who serves share few processors, perhaps with others: waits have some slack.
 */
@Tag("interop")
class HostileTest {
    private static final long MEBIBYTES_MAX = 1_000;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void aHealthyClientIsServedWhateverOthersDo() throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--length", "1s", "--memory", Long.toString(MEBIBYTES_MAX),
                "--slack", "1s", "--dir", home.toString(), "--", ServerProcess.image().toString()));
        arguments.addAll(ClusterJudgesTest.MEMBER);
        Program.Result result = Program.of(Tools.built("hostilecheck")).within(Duration.ofMinutes(3))
                .with("QUOIN_JAVA_OPTS", "-Xmx512m -XX:MaxDirectMemorySize=128m").run(arguments.toArray(String[]::new));
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok ")).count()).isGreaterThan(20);
    }
}
