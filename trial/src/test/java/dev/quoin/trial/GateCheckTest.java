package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The JSON gateways of etcd 3.7.1 and of the image are asked the same over all 51 paths, and say the same to the byte, ids
 * aside: trial/go's {@code gatecheck}. Before its verdict counts for something it must find nothing between etcd and etcd, and
 * notice answers that were falsified.
 */
@Tag("interop")
class GateCheckTest {
    private static final Pattern ASKED = Pattern.compile("asked (\\d+) times");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @TestFactory
    Stream<DynamicTest> everyAnswerIsEtcds() throws Exception {
        Program.Result result = gatecheck(ServerProcess.image());
        assertThat(asked(result)).as(result.stdout() + result.stderr()).isGreaterThan(300);
        assertThat(result.lines()).noneMatch(line -> line.startsWith("OFF: "));
        List<String> checks = result.lines().stream().filter(line -> line.startsWith("ok ") || line.startsWith("FAIL "))
                .toList();
        assertThat(result.exitCode() == 0).as(result.stdout())
                .isEqualTo(checks.stream().allMatch(line -> line.startsWith("ok ")));
        return checks.stream().map(line -> DynamicTest.dynamicTest(line.substring(5),
                () -> assertThat(line).as(result.stdout()).startsWith("ok ")));
    }

    @Test
    void findsNothingBetweenTwoEtcdsAndNoticesEveryLie() throws Exception {
        Program.Result result = gatecheck(Tools.built("etcd"), "--self-test", "--as-etcd");
        assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        assertThat(result.lines()).noneMatch(line -> line.startsWith("OFF: "));
        assertThat(result.lines().stream().filter(line -> line.startsWith("ok   noticed: "))).hasSizeGreaterThan(11);
        assertThat(asked(result)).isGreaterThan(400);
    }

    private Program.Result gatecheck(Path right, String... flags) throws Exception {
        List<String> arguments = new java.util.ArrayList<>(List.of("--left", command(Tools.built("etcd")), "--right",
                command(right), "--dir", home.toString()));
        arguments.addAll(List.of(flags));
        return Program.of(Tools.built("gatecheck")).within(Duration.ofMinutes(3))
                .run(arguments.toArray(String[]::new));
    }

    private static String command(Path server) {
        return server + " --data-dir {data} --listen-client-urls {client} --advertise-client-urls {client}"
                + " --listen-peer-urls {peer} --initial-advertise-peer-urls {peer} --initial-cluster default={peer}";
    }

    private static int asked(Program.Result result) {
        return result.lines().stream().map(ASKED::matcher).filter(Matcher::matches)
                .mapToInt(line -> Integer.parseInt(line.group(1))).findFirst().orElse(0);
    }
}
