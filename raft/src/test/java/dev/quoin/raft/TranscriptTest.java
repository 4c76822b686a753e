package dev.quoin.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * The transcripts with which the reference tests itself, line for line. They are not part of this repository. They are
 * looked for where {@code QUOIN_RAFT_ORACLES} says, beside the repository, and in Go's module cache, where
 * {@code trial/go/build} leaves the library that they belong to; elsewhere this test is skipped, visibly.
 */
class TranscriptTest {
    private static final int TRANSCRIPTS = 41;
    private static final Path FOLDER = folder();

    private static Path folder() {
        Path modules = Path.of(System.getenv().getOrDefault("GOMODCACHE",
                Path.of(System.getProperty("user.home"), "go", "pkg", "mod").toString()));
        List<Path> candidates = new ArrayList<>();
        candidates.add(Path.of("..", "..", "shared", "oracles", "raft"));
        candidates.add(modules.resolve(Path.of("go.etcd.io", "raft", "v3@v3.7.0")));
        String told = System.getenv("QUOIN_RAFT_ORACLES");
        if (told != null) {
            candidates.addFirst(Path.of(told));
        }
        return candidates.stream().filter(Files::isDirectory).findFirst().orElse(candidates.getFirst());
    }

    private record File(Path path, Supplier<Function<Transcript.Command, String>> performer) {}

    private static List<File> files() throws IOException {
        assumeTrue(Files.isDirectory(FOLDER), "the reference's transcripts are not in " + FOLDER);
        List<File> files = new ArrayList<>();
        add(files, "quorum/testdata", () -> QuorumTranscript::perform);
        add(files, "confchange/testdata", () -> new ConfChangeTranscript()::perform);
        add(files, "testdata", () -> new TranscriptCluster()::perform);
        return files;
    }

    private static void add(List<File> files, String folder, Supplier<Function<Transcript.Command, String>> performer)
            throws IOException {
        try (Stream<Path> paths = Files.list(FOLDER.resolve(folder))) {
            paths.filter(path -> path.toString().endsWith(".txt")).sorted()
                    .forEach(path -> files.add(new File(path, performer)));
        }
    }

    @Test
    void allTranscriptsAreThere() throws IOException {
        assertThat(files()).hasSize(TRANSCRIPTS);
    }

    @TestFactory
    Stream<DynamicTest> transcript() throws IOException {
        return files().stream().map(file -> DynamicTest.dynamicTest(FOLDER.relativize(file.path()).toString(),
                () -> replay(file)));
    }

    private static void replay(File file) throws IOException {
        Function<Transcript.Command, String> performer = file.performer().get();
        for (Transcript.Command command : Transcript.parse(Files.readAllLines(file.path())).commands()) {
            assertThat(performer.apply(command).stripTrailing())
                    .as("%s:%d %s", file.path().getFileName(), command.line(), command.name())
                    .isEqualTo(command.expected().stripTrailing());
        }
    }
}
