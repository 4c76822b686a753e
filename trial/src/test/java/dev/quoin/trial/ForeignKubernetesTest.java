package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Kubernetes' own tests of its storage on etcd, and of the cache of watches above it, against Quoin: guarded updates, lists in
 * pages at a revision and as streams, watches with bookmarks and progress, compaction underneath, objects with a time to live.
 * {@code trial/k8s/build} compiles them; all pass for etcd 3.7.1.
 */
@Tag("interop")
class ForeignKubernetesTest {
    private static final Pattern VERDICT = Pattern.compile("--- (PASS|FAIL|SKIP): (\\w+) \\(.*");

    @TestFactory
    Stream<DynamicTest> storage(@TempDir Path home) throws Exception {
        return tests("k8s-etcd3", home, 65);
    }

    @TestFactory
    Stream<DynamicTest> cacheOfWatches(@TempDir Path home) throws Exception {
        return tests("k8s-cacher", home, 100);
    }

    private static Stream<DynamicTest> tests(String program, Path home, int atLeast) throws Exception {
        Program.Result result = Program.of(Tools.built(program)).within(Duration.ofMinutes(8))
                .with("TRIAL_SERVER", ServerProcess.image().toString()).with("TMPDIR", home.toString())
                .run("-test.v", "-test.timeout=7m");
        List<DynamicTest> tests = new ArrayList<>();
        for (String line : result.lines()) {
            Matcher verdict = VERDICT.matcher(line);
            if (verdict.matches() && !verdict.group(1).equals("SKIP")) {
                tests.add(DynamicTest.dynamicTest(verdict.group(2), () -> assertThat(verdict.group(1))
                        .as(() -> about(verdict.group(2), result)).isEqualTo("PASS")));
            }
        }
        assertThat(tests).as(() -> result.stdout() + result.stderr()).hasSizeGreaterThanOrEqualTo(atLeast);
        assertThat(result.exitCode() == 0).as(() -> result.stdout() + result.stderr())
                .isEqualTo(!result.stdout().contains("--- FAIL"));
        return tests.stream();
    }

    /** What a test printed: from its first line to its last. */
    private static String about(String test, Program.Result result) {
        String all = result.stdout();
        int begin = Math.max(0, all.indexOf("=== RUN   " + test + "\n"));
        int end = all.indexOf(": " + test + " (", begin);
        return all.substring(begin, end < 0 ? all.length() : Math.min(all.length(), end + 4_000));
    }
}
