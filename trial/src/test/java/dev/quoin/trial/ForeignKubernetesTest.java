package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
 *
 * <p>They are made for a server inside their own process, and some give it a tenth of a second: what fails is asked once more,
 * by itself, and what passes then is named on standard output.
 */
@Tag("interop")
class ForeignKubernetesTest {
    private static final Pattern VERDICT = Pattern.compile("--- (PASS|FAIL|SKIP): (\\w+) \\(.*");

    @TestFactory
    Stream<DynamicTest> storage(@TempDir Path home) throws Exception {
        return tests(program("k8s-etcd3", home), "", 65);
    }

    /** With {@code CI=true} half of them, those named from A to E: each starts a server, and the cache knows little of what is below it. */
    @TestFactory
    Stream<DynamicTest> cacheOfWatches(@TempDir Path home) throws Exception {
        boolean areAll = !"true".equals(System.getenv("CI"));
        return tests(program("k8s-cacher", home), areAll ? "" : "^Test[A-E]", areAll ? 100 : 45);
    }

    private static Program program(String name, Path home) {
        return Program.of(Tools.built(name)).within(Duration.ofMinutes(8))
                .with("TRIAL_SERVER", ServerProcess.image().toString()).with("TMPDIR", home.toString());
    }

    private static Stream<DynamicTest> tests(Program tests, String which, int atLeast) throws Exception {
        Program.Result first = tests.run("-test.v", "-test.timeout=7m", "-test.run=" + which);
        Map<String, String> verdicts = verdicts(first);
        assertThat(verdicts).as(() -> first.stdout() + first.stderr()).hasSizeGreaterThanOrEqualTo(atLeast);
        List<String> failed = verdicts.entrySet().stream().filter(verdict -> verdict.getValue().equals("FAIL"))
                .map(Map.Entry::getKey).toList();
        Program.Result second = failed.isEmpty() ? first
                : tests.run("-test.v", "-test.timeout=7m", "-test.run=^(" + String.join("|", failed) + ")$");
        Map<String, String> again = verdicts(second);
        failed.stream().filter(name -> "PASS".equals(again.get(name)))
                .forEach(name -> System.out.println("Kubernetes: " + name + " passed at the second try"));
        return verdicts.keySet().stream()
                .map(name -> DynamicTest.dynamicTest(name,
                        () -> assertThat(again.getOrDefault(name, verdicts.get(name)))
                                .as(() -> about(name, second)).isEqualTo("PASS")));
    }

    /** How each test of theirs ended, but those that they skip themselves. */
    private static Map<String, String> verdicts(Program.Result result) {
        Map<String, String> verdicts = new TreeMap<>();
        for (String line : result.lines()) {
            Matcher verdict = VERDICT.matcher(line);
            if (verdict.matches() && !verdict.group(1).equals("SKIP")) {
                verdicts.put(verdict.group(2), verdict.group(1));
            }
        }
        return verdicts;
    }

    /** What a test printed: from its first line to its last. */
    private static String about(String test, Program.Result result) {
        String all = result.stdout();
        int begin = Math.max(0, all.indexOf("=== RUN   " + test + "\n"));
        int end = all.indexOf(": " + test + " (", begin);
        return all.substring(begin, end < 0 ? all.length() : Math.min(all.length(), end + 4_000));
    }
}
