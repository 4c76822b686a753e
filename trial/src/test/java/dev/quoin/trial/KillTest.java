package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * SIGKILL at random moments under concurrent load, the start itself included: trial/go's {@code killcheck} demands that
 * every acknowledged write is there, no revision is used twice, and every restart works. Then etcd's own Go package reads
 * the log that all this has left.
 */
@Tag("interop")
class KillTest {
    private static final int KILLS = 50;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** The arguments of killcheck: its flags, and the server's command with the holes it fills. */
    private static String[] arguments(String dataDirectory, String... flags) {
        List<String> arguments = new ArrayList<>(List.of(flags));
        arguments.addAll(List.of("--", ServerProcess.image().toString(), "--data-dir", dataDirectory,
                "--listen-client-urls", "{client}", "--advertise-client-urls", "{client}", "--listen-peer-urls",
                "{peer}", "--initial-advertise-peer-urls", "{peer}", "--initial-cluster", "default={peer}"));
        return arguments.toArray(String[]::new);
    }

    @Test
    void theJudgeNoticesEveryLie() throws Exception {
        Program killcheck = Program.of(Tools.built("killcheck")).within(Duration.ofMinutes(2));
        Program.Result result = killcheck.run(arguments("{data}", "--self-test", "--dir", home.toString()));
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
    }

    @Test
    void nothingAcknowledgedIsLostInFiftyKillsAndEtcdReadsTheLog() throws Exception {
        Program walcheck = Program.of(Tools.built("walcheck")).within(Duration.ofMinutes(1));
        Program killcheck = Program.of(Tools.built("killcheck")).within(Duration.ofMinutes(10));
        Path data = home.resolve("data"); // ours, so that it is still there afterwards
        Program.Result kills = killcheck.run(
                arguments(data.toString(), "--kills", Integer.toString(KILLS), "--dir", home.toString()));
        System.out.print(kills.stdout());
        assertThat(kills.exitCode()).as(kills.stdout() + kills.stderr()).isZero();
        List<String> verified = kills.lines().stream().filter(line -> line.matches("kill \\d+: acked \\d+,.* ok"))
                .toList();
        assertThat(verified).hasSize(KILLS);
        // A kill may come before the first answer of its round, but not every time.
        assertThat(verified.stream().filter(line -> !line.contains("acked 0,"))).hasSizeGreaterThan(KILLS / 2);

        Program.Result log = walcheck.run("read", data.toString(), "--write-mode", "--decode");
        assertThat(log.exitCode()).as(log.stderr()).isZero();
        assertThat(log.stderr().lines()).isNotEmpty().allMatch(line -> line.startsWith("ok "));
        assertThat(log.lines().stream().filter(line -> line.startsWith("{"))).isNotEmpty();
        assertThat(files(data.resolve("member/wal"))).allMatch(name -> !name.endsWith(".broken"));
    }

    private static List<String> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(Path::toString).toList();
        }
    }
}
