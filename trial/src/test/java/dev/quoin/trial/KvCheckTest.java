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
 * etcd's own Go client asks for everything KV offers, and compares with what etcd answers: trial/go's {@code kvcheck},
 * all of which holds for etcd 3.7.1.
 */
@Tag("interop")
class KvCheckTest {
    @TestFactory
    Stream<DynamicTest> everyCheckHolds(@TempDir Path home) throws Exception {
        Program kvcheck = Program.of(Tools.built("kvcheck")).within(Duration.ofMinutes(2));
        Program.Result result;
        try (ServerProcess server = ServerProcess.started(home)) {
            result = kvcheck.run("--endpoint", server.clientUrl());
        }
        List<String> checks = result.lines().stream().filter(line -> line.startsWith("ok ") || line.startsWith("FAIL "))
                .toList();
        assertThat(checks).as(result.stdout() + result.stderr()).hasSizeGreaterThan(40);
        assertThat(result.exitCode() == 0).as(result.stdout())
                .isEqualTo(checks.stream().allMatch(line -> line.startsWith("ok ")));
        return checks.stream()
                .map(line -> DynamicTest.dynamicTest(name(line), () -> assertThat(line).startsWith("ok ")));
    }

    /** {@code ok   NAME} or {@code FAIL NAME: WHY}. */
    private static String name(String line) {
        return line.substring(line.indexOf(' ')).strip().replaceFirst(":.*", "");
    }
}
