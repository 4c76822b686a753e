package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Etcd and the image are asked the same, in long random sequences, and every answer must be the same field by field:
 * trial/go's {@code difcheck}. Before its verdict counts for something, it must notice answers that were falsified, and
 * find nothing between etcd and etcd.
 */
@Tag("interop")
class DifferentialTest {
    /** The families of operations that are not served yet: each is taken off this list when it is. */
    private static final List<String> NOT_SERVED = List.of();

    private static final Pattern OPERATIONS = Pattern.compile("ok   seed \\d+: (\\d+) operations.*");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void everyAnswerIsEtcds() throws Exception {
        Program.Result result = difcheck(ServerProcess.image(), "--seeds", "2", "--ops", "27000", "--restart-every",
                "9000");
        System.out.print(result.stdout());
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(operations(result)).isGreaterThan(50_000);
        assertThat(result.lines().stream().filter(line -> line.startsWith("OFF: family "))
                .map(line -> line.split("[ :]+", -1)[2])).containsExactlyElementsOf(NOT_SERVED);
    }

    private Program.Result difcheck(Path right, String... flags) throws Exception {
        return difcheck(home, right, flags);
    }

    /** Compares etcd with another server. */
    static Program.Result difcheck(Path home, Path right, String... flags) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--left", command(Tools.built("etcd")), "--right",
                command(right), "--dir", home.toString()));
        arguments.addAll(List.of(flags));
        return Program.of(Tools.built("difcheck")).within(Duration.ofMinutes(10))
                .run(arguments.toArray(String[]::new));
    }

    private static String command(Path server) {
        return server + " --data-dir {data} --listen-client-urls {client} --advertise-client-urls {client}"
                + " --listen-peer-urls {peer} --initial-advertise-peer-urls {peer} --initial-cluster default={peer}";
    }

    static int operations(Program.Result result) {
        return result.lines().stream().map(OPERATIONS::matcher).filter(line -> line.matches())
                .mapToInt(line -> Integer.parseInt(line.group(1))).sum();
    }
}
