package dev.quoin.trial;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Our etcdutl beside real etcdutl 3.7.1, on copies of what a real etcd has left: at least four invocations of each command, help
 * and errors among them. Both must print the same, end with the same exit code and say the same is wrong; all of it, but for the completions. Then a real etcd starts
 * on the directory that ours has worked on; and a member of Quoin's, stopped, has by our etcdutl the hash that it had.
 */
@Tag("interop")
class EtcdutlPairTest {
    private static final String SCRIPT = "etcdutl-invocations.txt";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    /** A tool, and the files that are its own. */
    private record Side(Path tool, Map<String, String> names) {
        static Side of(Path tool, Path files) {
            Map<String, String> names = new TreeMap<>();
            for (String name : List.of("db", "dir", "none", "out")) {
                names.put("{" + name + "}", files.resolve(name).toString());
            }
            return new Side(tool, names);
        }

        private String filled(String word) {
            String filled = word;
            for (Map.Entry<String, String> name : names.entrySet()) {
                filled = filled.replace(name.getKey(), name.getValue());
            }
            return filled;
        }

        /** With names of files as they stand in the script. A file that ours has written is as long as its rows need, no more. */
        private String plain(String text) {
            String plain = text.replaceAll("\"totalSize\":\\d+", "\"totalSize\":N");
            for (Map.Entry<String, String> name : names.entrySet()) {
                plain = plain.replace(name.getValue(), name.getKey());
            }
            return plain;
        }

        String run(String line, boolean isLoose) throws Exception {
            String[] words = line.isEmpty() ? new String[0]
                    : Arrays.stream(line.split(" ")).map(this::filled).toArray(String[]::new);
            Program.Result result = Program.of(tool).within(PATIENCE).run(words);
            List<String> errors = result.stderr().lines().filter(text -> text.startsWith("Error: ")).map(this::plain)
                    .toList();
            return "exit code " + result.exitCode()
                    + (isLoose ? "\nerror: " + !errors.isEmpty()
                            : "\n--- stdout\n" + plain(result.stdout()) + "\n--- error\n"
                                    + (errors.isEmpty() ? "" : errors.getLast()));
        }
    }

    private static Path ours() {
        return ServerProcess.image().resolveSibling("etcdutl");
    }

    private static Program.Result well(Path program, String... words) throws Exception {
        Program.Result result = Program.of(program).within(PATIENCE).run(words);
        assertThat(result.exitCode()).as("%s %s%n%s", program, List.of(words), result.stderr()).isZero();
        return result;
    }

    private static ServerProcess server(Path program, Path directory) throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        return ServerProcess.of(program, Files.createDirectories(directory), ports.get(0), ports.get(1));
    }

    private static void fill(ServerProcess server) throws Exception {
        Path etcdctl = Tools.built("etcdctl");
        String endpoint = "--endpoints=" + server.clientUrl();
        for (int i = 0; i < 20; i++) {
            well(etcdctl, endpoint, "put", "k" + i % 7, "v".repeat(i * 50));
        }
        well(etcdctl, endpoint, "del", "k3");
        well(etcdctl, endpoint, "compact", "15", "--physical");
        well(etcdctl, endpoint, "put", "k1", "last");
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private static List<String> script() throws IOException {
        try (var in = Objects.requireNonNull(EtcdutlPairTest.class.getResourceAsStream(SCRIPT))) {
            List<String> lines = new ArrayList<>(new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.startsWith("#")).toList());
            assertThat(lines).hasSizeGreaterThan(70);
            return lines;
        }
    }

    @Test
    void bothSayTheSame() throws Exception {
        Path snapshot = home.resolve("saved.db");
        try (ServerProcess etcd = server(Tools.built("etcd"), home.resolve("etcd"))) {
            etcd.start();
            fill(etcd);
            well(Tools.built("etcdctl"), "--endpoints=" + etcd.clientUrl(), "snapshot", "save", snapshot.toString());
            etcd.sigterm(PATIENCE);
            for (String side : List.of("theirs", "ours")) {
                Files.createDirectory(home.resolve(side));
                Files.copy(snapshot, home.resolve(side).resolve("db"));
                copy(etcd.dataDirectory(), home.resolve(side).resolve("dir"));
            }
        }
        Side theirs = Side.of(Tools.built("etcdutl"), home.resolve("theirs"));
        Side ours = Side.of(ours(), home.resolve("ours"));
        List<String> differences = new ArrayList<>();
        for (String line : script()) {
            boolean isLoose = line.startsWith("~");
            String words = isLoose ? line.substring(1) : line;
            String expected = theirs.run(words, isLoose);
            String actual = ours.run(words, isLoose);
            if (!actual.equals(expected)) {
                differences.add("==== etcdutl " + words + "\n" + actual + "\n==== but real etcdutl\n" + expected);
            }
        }
        assertThat(String.join("\n\n", differences)).isEmpty();
        etcdStartsOn(home.resolve("ours/dir"));
    }

    /** Whatever ours has done to it. */
    private void etcdStartsOn(Path directory) throws Exception {
        try (ServerProcess etcd = server(Tools.built("etcd"), home.resolve("again")).on(directory)) {
            etcd.start();
            String value = well(Tools.built("etcdctl"), "--endpoints=" + etcd.clientUrl(), "get", "k1",
                    "--print-value-only").stdout();
            assertThat(value).isEqualTo("last\n");
        }
    }

    @Test
    void aStoppedMemberHasTheHashThatItHad() throws Exception {
        Path snapshot = home.resolve("saved.db");
        try (ServerProcess quoin = server(ServerProcess.image(), home.resolve("quoin"))) {
            quoin.start();
            fill(quoin);
            well(Tools.built("etcdctl"), "--endpoints=" + quoin.clientUrl(), "snapshot", "save", snapshot.toString());
            String directory = quoin.dataDirectory().toString();
            assertThat(Program.of(ours()).within(PATIENCE).run("defrag", "--data-dir", directory, "--timeout", "100ms")
                    .stderr()).contains("in use by another process");
            quoin.sigterm(PATIENCE);
            // It writes into the file that it reads.
            Path copy = Files.copy(snapshot, home.resolve("copy.db"));
            String theirs = well(Tools.built("etcdutl"), "hashkv", copy.toString()).stdout();
            assertThat(well(ours(), "hashkv", snapshot.toString()).stdout()).isEqualTo(theirs);
            assertThat(well(ours(), "hashkv", directory).stdout()).isEqualTo(theirs);
            well(ours(), "defrag", "--data-dir", directory);
            assertThat(well(ours(), "hashkv", directory).stdout()).isEqualTo(theirs);
            Path launcher = ServerProcess.image().resolveSibling("quoin");
            assertThat(well(launcher, "doctor", directory).stdout()).endsWith("Nothing is wrong.\n");
            String listed = well(launcher, "inspect", "export", directory).stdout();
            assertThat(listed.lines()).hasSize(6);
            assertThat(well(launcher, "inspect", "export", snapshot.toString()).stdout()).isEqualTo(listed);
            well(launcher, "inspect", "diff", directory, snapshot.toString());
        }
    }
}
