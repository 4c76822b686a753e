package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The table of docs/evidence/0008 has every advisory about etcd, and each row a test of that name, in whatever room. */
class AdvisoriesTest {
    /** All that there were up to etcd 3.7.1, and what was mended without a number of its own. */
    private static final List<String> ALL = List.of("CVE-2018-1098", "CVE-2018-1099", "CVE-2018-5702",
            "CVE-2018-16886", "CVE-2020-15106", "CVE-2020-15112", "CVE-2020-15113", "CVE-2020-15114", "CVE-2020-15115",
            "CVE-2020-15136", "CVE-2021-28235", "CVE-2023-32082", "#20941", "CVE-2026-33413", "CVE-2026-33343",
            "CVE-2026-44283", "GHSA-3wh4-j44w-pg92", "GHSA-xg4h-6gfc-h4m8", "CVE-2026-73500", "#22147", "#22139",
            "#22143", "#22386");
    private static final Pattern TEST = Pattern.compile("`(\\w+Test)\\.(\\w+)`");
    private static final String NO_SUCH_PROGRAM = "no such program";

    private static List<String> rows() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("../docs/evidence/0008-advisories.md"))) {
            return lines.filter(line -> line.startsWith("| ") && !line.startsWith("| advisory")).toList();
        }
    }

    /** Whether a test class of any room has the method. */
    private static boolean exists(String type, String method) {
        try (Stream<Path> rooms = Files.list(Path.of(".."))) {
            for (Path room : rooms.map(one -> one.resolve("src/test/java")).filter(Files::isDirectory).toList()) {
                try (Stream<Path> sources = Files.walk(room)) {
                    for (Path source : sources.filter(file -> file.endsWith(type + ".java")).toList()) {
                        if (Files.readString(source).contains(" " + method + "(")) {
                            return true;
                        }
                    }
                }
            }
            return false;
        } catch (IOException unreadable) {
            throw new AssertionError(unreadable);
        }
    }

    /** What of an advisory's number stands in the name of its test. */
    private static String plain(String advisory) {
        return advisory.replaceFirst("CVE-|GHSA-|#", "").replace("-", "").toLowerCase(Locale.ROOT);
    }

    @Test
    void eachHasItsRow() throws IOException {
        String table = String.join("\n", rows());
        assertThat(ALL).allSatisfy(advisory -> assertThat(table).contains(advisory));
    }

    @Test
    void eachRowHasATestOfItsName() throws IOException {
        assertThat(rows()).isNotEmpty().allSatisfy(row -> {
            String[] cells = row.split("\\|", -1);
            List<MatchResult> tests = TEST.matcher(cells[3]).results().toList();
            assertThat(tests.isEmpty()).as(row).isEqualTo(cells[3].contains(NO_SUCH_PROGRAM));
            assertThat(tests).allSatisfy(test -> {
                assertThat(exists(test.group(1), test.group(2))).as("%s of %s", test.group(2), test.group(1)).isTrue();
                assertThat(Stream.of(cells[1].split(",", -1)).map(String::strip).map(AdvisoriesTest::plain)
                        .anyMatch(number -> test.group(2).toLowerCase(Locale.ROOT).contains(number)))
                        .as("%s names %s", test.group(2), cells[1]).isTrue();
            });
            assertThat(cells[4]).as("what was taken out, and what was said then").isNotBlank();
        });
    }
}
