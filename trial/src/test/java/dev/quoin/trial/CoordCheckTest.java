package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * etcd's own Go client watches, leases, locks, elects and does all else that its library makes of these, and compares with
 * what etcd answers: trial/go's {@code coordcheck}, all of which holds for etcd 3.7.1.
 */
@Tag("interop")
class CoordCheckTest {
    @TestFactory
    Stream<DynamicTest> everyCheckHolds(@TempDir Path home) throws Exception {
        Program coordcheck = Program.of(Tools.built("coordcheck")).within(Duration.ofMinutes(4));
        Program.Result result;
        try (ServerProcess server = ServerProcess.started(home)) {
            result = coordcheck.run("--endpoint", server.clientUrl());
        }
        List<String> checks = result.lines().stream().filter(line -> line.startsWith("ok ") || line.startsWith("FAIL "))
                .toList();
        assertThat(checks).as(result.stdout() + result.stderr()).hasSizeGreaterThan(90);
        assertThat(result.exitCode() == 0).as(result.stdout())
                .isEqualTo(checks.stream().allMatch(line -> line.startsWith("ok ")));
        return checks.stream()
                .map(line -> DynamicTest.dynamicTest(name(line), () -> assertThat(line).startsWith("ok ")));
    }

    /** {@code ok   NAME} or {@code FAIL NAME: WHY}; a name is a group and what holds. */
    private static String name(String line) {
        return line.substring(line.indexOf(' ')).strip();
    }
}
