package dev.quoin.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A log file, begun anew when it is large. */
class LogFileTest {
    private static final long LINE_BYTES = 10;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;
    @SuppressWarnings("NullAway.Init")
    private Path file;

    @BeforeEach
    void name() {
        file = directory.resolve("logs").resolve("m.log");
    }

    private static LogConfig.Rotation rotation(int lines, int days, int backups, boolean packed) {
        return new LogConfig.Rotation(lines * LINE_BYTES, days, backups, false, packed);
    }

    private static void write(LogFile log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.write("line %04d\n".formatted(i).getBytes(StandardCharsets.US_ASCII), LogLevel.INFO);
        }
    }

    private List<String> backups() throws IOException {
        try (Stream<Path> files = Files.list(file.getParent())) {
            return files.map(path -> path.getFileName().toString()).filter(name -> !name.equals("m.log")).sorted()
                    .toList();
        }
    }

    private List<String> awaitBackups(Predicate<List<String>> done) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!done.test(backups()) && System.nanoTime() < deadline) {
            Thread.sleep(10);
        }
        return backups();
    }

    @Test
    void linesAreAppendedToWhatIsThere() throws IOException {
        Path plain = Files.writeString(directory.resolve("plain"), "before\n");
        write(LogFile.open(plain, null), 0, 2);
        assertThat(plain).hasContent("before\nline 0000\nline 0001\n");
    }

    @Test
    void aFileThatWouldBecomeTooLongIsRenamedAndBegunAnew() throws Exception {
        LogFile log = LogFile.open(file, rotation(3, 0, 0, false));
        write(log, 0, 3);
        assertThat(backups()).isEmpty();
        write(log, 3, 4);
        assertThat(file).hasContent("line 0003\n");
        assertThat(backups()).singleElement().asString()
                .matches("m-\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d\\.\\d{3}\\.log");
        assertThat(file.resolveSibling(backups().getFirst())).hasContent("line 0000\nline 0001\nline 0002\n");
    }

    @Test
    void whatIsThereCounts() throws Exception {
        write(LogFile.open(file, rotation(3, 0, 0, false)), 0, 3);
        write(LogFile.open(file, rotation(3, 0, 0, false)), 3, 4);
        assertThat(file).hasContent("line 0003\n");
    }

    @Test
    void aLineLongerThanAFileIsLost() throws Exception {
        LogFile log = LogFile.open(file, rotation(1, 0, 0, false));
        log.write("much longer than ten bytes\n".getBytes(StandardCharsets.US_ASCII), LogLevel.INFO);
        write(log, 0, 1);
        assertThat(file).hasContent("line 0000\n");
    }

    @Test
    void tooManyAndTooOldAreDeletedAndTheOthersPacked() throws Exception {
        Files.createDirectories(file.getParent());
        for (int day = 1; day <= 4; day++) {
            Path old = Files.writeString(file.resolveSibling("m-2020-01-0%dT00-00-00.000.log".formatted(day)), "x");
            int age = day == 4 ? 90 : 0;
            Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(age))));
        }
        Files.writeString(file.resolveSibling("m-other.log"), "not ours");
        LogFile log = LogFile.open(file, rotation(1, 30, 3, true));
        write(log, 0, 2);
        // The new one, the fourth of January, which is too old, and the third; the others are too many.
        List<String> kept = awaitBackups(names -> names.stream().filter(name -> name.endsWith(".gz")).count() == 2
                && names.stream().noneMatch(name -> name.matches("m-20.*\\.log")));
        assertThat(kept).hasSize(3).startsWith("m-2020-01-03T00-00-00.000.log.gz").endsWith("m-other.log");
    }

    @Test
    void aDirectoryThatVanishesCostsLinesAndNoMore() throws Exception {
        LogFile log = LogFile.open(file, rotation(1, 0, 0, false));
        write(log, 0, 1);
        Files.delete(file);
        Files.delete(file.getParent());
        write(log, 1, 3);
        Files.createDirectories(file.getParent());
        write(log, 3, 4);
        assertThat(file).hasContent("line 0003\n");
    }
}
