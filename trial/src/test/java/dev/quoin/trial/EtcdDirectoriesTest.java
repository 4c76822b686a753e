package dev.quoin.trial;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Data directories of real etcds, 3.5, 3.6 and 3.7, killed in the middle of their work: Quoin takes them over as the same member of
 * the same cluster, with all that they hold; and {@code quoin export} makes of them again what an etcd starts on. What is damaged
 * is refused, and left as it is.
 */
@Tag("interop")
class EtcdDirectoriesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String LARGE = "m".repeat(100_000);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    // ---- who takes part

    /** A server on a directory that it shares with others, one after the other. */
    private ServerProcess server(Path program, String name, List<Integer> ports, Path data, String... flags)
            throws IOException {
        return ServerProcess.of(program, Files.createDirectories(home.resolve(name)), ports.get(0), ports.get(1))
                .on(data)
                .with(flags);
    }

    /** Whoever asks a server, with etcdctl 3.7.1. */
    private record Client(ServerProcess server, List<String> identity) {
        static Client of(ServerProcess server) {
            return new Client(server, List.of());
        }

        Client as(String user) {
            return new Client(server, List.of("--user", user));
        }

        String does(String... words) throws Exception {
            List<String> all = new ArrayList<>(List.of("--endpoints", server.clientUrl(), "--command-timeout", "20s",
                    "--dial-timeout", "20s"));
            all.addAll(identity);
            all.addAll(List.of(words));
            Program.Result result = Program.of(Tools.built("etcdctl")).within(PATIENCE).run(all.toArray(String[]::new));
            assertThat(result.exitCode()).as("etcdctl %s%n%s", Arrays.toString(words), result.stderr()).isZero();
            return result.stdout();
        }

        /** All that can be asked for and does not depend on who answers, or when. */
        SortedMap<String, String> facts(String lease, long revision) throws Exception {
            SortedMap<String, String> facts = new TreeMap<>();
            String hash = does("endpoint", "hashkv", "-w", "json");
            facts.put("hash", field(hash, "hash") + " of " + field(hash, "compact_revision") + " to "
                    + field(hash, "revision"));
            for (List<String> question : List.of(List.of("get", "--prefix", ""),
                    List.of("get", "k", "--rev", "" + revision),
                    List.of("lease", "list"), List.of("user", "list"), List.of("user", "get", "eve"),
                    List.of("role", "get", "reader"), List.of("alarm", "list"), List.of("member", "list"),
                    List.of("auth", "status"))) {
                facts.put(String.join(" ", question), does(question.toArray(String[]::new)));
            }
            facts.put("keys of the lease",
                    does("lease", "timetolive", lease, "--keys").replaceAll("remaining\\(\\d+s\\)", "remaining"));
            return facts;
        }
    }

    private static String field(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\":(-?\\d+)").matcher(json);
        assertThat(matcher.find()).as("%s in %s", name, json).isTrue();
        return matcher.group(1);
    }

    /** Of a member that is none, since one of its own a Quoin takes back when there is room. */
    private static void raiseAlarm(ServerProcess server) throws Exception {
        String token = post(server, "/v3/auth/authenticate", "{\"name\":\"root\",\"password\":\"secret\"}", "")
                .replaceAll("(?s).*\"token\":\"([^\"]+)\".*", "$1");
        post(server, "/v3/maintenance/alarm", "{\"action\":\"ACTIVATE\",\"memberID\":\"12345\",\"alarm\":\"NOSPACE\"}",
                token);
    }

    private static String post(ServerProcess server, String path, String body, String token) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.clientUrl() + path))
                .header("Authorization", token).POST(HttpRequest.BodyPublishers.ofString(body)).build();
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            return answer.body();
        }
    }

    private static Program.Result quoin(String... words) throws Exception {
        return Program.of(ServerProcess.image().resolveSibling("quoin")).within(PATIENCE).run(words);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private static SortedMap<String, String> files(Path directory) throws IOException {
        SortedMap<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                files.put(directory.relativize(file).toString(), Files.isDirectory(file)
                        ? ""
                        : Files.size(file) + " " + Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return files;
    }

    // ---- there and back

    private static String fill(Client etcd, boolean hasLearner) throws Exception {
        for (int i = 0; i < 30; i++) {
            etcd.does("put", "k", "v" + i);
            etcd.does("put", "k" + i % 7, "v".repeat(i * 50));
        }
        String lease = etcd.does("lease", "grant", "7000").replaceAll("(?s)lease ([0-9a-f]+) granted.*", "$1");
        etcd.does("put", "leased", "x", "--lease", lease);
        etcd.does("del", "k3");
        etcd.does("role", "add", "reader");
        etcd.does("role", "grant-permission", "reader", "readwrite", "k", "l");
        etcd.does("role", "add", "root");
        for (String user : List.of("root", "eve")) {
            etcd.does("user", "add", user + ":secret");
        }
        etcd.does("user", "grant-role", "root", "root");
        etcd.does("user", "grant-role", "eve", "reader");
        if (hasLearner) {
            etcd.does("member", "add", "later", "--learner", "--peer-urls=http://127.0.0.1:1");
        }
        return lease;
    }

    /**
     * Killed with most of it in its log alone: its database is written seldom. The learner is never started, so that the
     * cluster's version stays as it is; without it a Quoin raises that, and an export has to lower it.
     */
    @ParameterizedTest
    @CsvSource({"etcd-3.5, 3.5, false", "etcd-3.5, 3.5, true", "etcd-3.6, 3.6, false", "etcd-3.6, 3.6, true",
        "etcd, 3.7, true"})
    void allOfADirectoryGoesToQuoinAndBack(String program, String version, boolean hasLearner) throws Exception {
        Path data = home.resolve("data");
        List<Integer> ports = ServerProcess.freePorts(2);
        SortedMap<String, String> before;
        String lease;
        try (ServerProcess etcd = server(Tools.built(program), "etcd", ports, data, "--bcrypt-cost", "4")) {
            etcd.start();
            lease = fill(Client.of(etcd), hasLearner);
            Client.of(etcd).does("compact", "20");
            Client.of(etcd).does("auth", "enable");
            etcd.sigterm(PATIENCE);
        }
        try (ServerProcess etcd = server(Tools.built(program), "again", ports, data, "--bcrypt-cost", "4",
                "--backend-batch-interval", "1h")) {
            etcd.start();
            Client root = Client.of(etcd).as("root:secret");
            for (int i = 0; i < 20; i++) {
                root.does("put", "k" + i, "only in the log");
            }
            raiseAlarm(etcd);
            before = root.facts(lease, 22);
            etcd.kill9();
        }
        SortedMap<String, String> asItWas = files(data.resolve("member"));
        assertThat(quoin("doctor", data.toString()).stdout()).contains("A Quoin that starts on it takes it over")
                .endsWith("Nothing is wrong.\n");
        SortedMap<String, String> after;
        try (ServerProcess quoin = server(ServerProcess.image(), "quoin", ports, data)) {
            quoin.start();
            Client root = Client.of(quoin).as("root:secret");
            assertThat(root.facts(lease, 22)).isEqualTo(before);
            Matcher said = Pattern.compile("\"consistent-index\":(\\d+),\"commit-index\":\\d+,\"last-index\":(\\d+)")
                    .matcher(quoin.stderr());
            assertThat(said.find()).as(quoin.stderr()).isTrue();
            assertThat(Long.parseLong(said.group(2))).as("its log goes on").isGreaterThan(
                    Long.parseLong(said.group(1)) + 10);
            Path kept = data.resolve("member.etcd-" + version);
            assertThat(files(kept)).as("what etcd had").isEqualTo(asItWas);
            root.does("alarm", "disarm");
            root.does("put", "by", "quoin");
            Client.of(quoin).as("eve:secret").does("put", "k5", "by eve");
            after = root.facts(lease, 22);
            quoin.sigterm(PATIENCE);
        }
        export(data, "--target=" + version);
        // What a 3.5 has written to its log, a 3.7 cannot read: each is given what was exported.
        Path copy = home.resolve("copy");
        copy(data, copy);
        for (ServerProcess etcd : List.of(server(Tools.built(program), "back", ports, data),
                server(Tools.built("etcd"), "newest", ports, copy))) {
            try (etcd) {
                etcd.start();
                Client root = Client.of(etcd).as("root:secret");
                assertThat(root.facts(lease, 22)).isEqualTo(after);
                root.does("put", "k", "by etcd");
            }
        }
    }

    private static void export(Path data, String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of("export", data.toString()));
        words.addAll(List.of(more));
        Program.Result exported = quoin(words.toArray(String[]::new));
        assertThat(exported.exitCode()).as(exported.stderr()).isZero();
        assertThat(exported.stdout()).contains("can start on " + data, "member.quoin");
    }

    // ---- what was under way

    /** Killed while it takes out what is compacted; what it would have come to, a copy of it tells. */
    @Test
    void aCompactionThatWasUnderWayIsFinished() throws Exception {
        Path data = home.resolve("data");
        Path copy = home.resolve("copy");
        List<Integer> ports = ServerProcess.freePorts(2);
        try (ServerProcess etcd = server(Tools.built("etcd"), "etcd", ports, data, "--compaction-batch-limit", "100",
                "--compaction-sleep-interval", "1s")) {
            etcd.start();
            Program.Result load = Program.of(Tools.built("benchmark")).within(PATIENCE).run("--endpoints",
                    etcd.clientUrl(),
                    "--conns", "4", "--clients", "40", "put", "--total", "6000", "--key-space-size", "50", "--val-size",
                    "64");
            assertThat(load.exitCode()).as(load.stderr()).isZero();
            Client.of(etcd).does("compact", "5500");
            Thread.sleep(300);
            etcd.kill9();
        }
        copy(data, copy);
        String expected;
        try (ServerProcess etcd = server(Tools.built("etcd"), "copy-etcd", ports, copy)) {
            etcd.start();
            expected = settledHash(Client.of(etcd));
        }
        try (ServerProcess quoin = server(ServerProcess.image(), "quoin", ports, data)) {
            quoin.start();
            assertThat(settledHash(Client.of(quoin))).isEqualTo(expected);
            quoin.sigterm(PATIENCE);
        }
        export(data);
        try (ServerProcess etcd = server(Tools.built("etcd"), "back", ports, data)) {
            etcd.start();
            assertThat(settledHash(Client.of(etcd))).isEqualTo(expected);
        }
    }

    private static String settledHash(Client client) throws Exception {
        String last = "";
        for (int i = 0; i < 40; i++) {
            String json = client.does("endpoint", "hashkv", "-w", "json");
            String hash = field(json, "hash") + " from " + field(json, "compact_revision");
            if (hash.equals(last)) {
                return hash;
            }
            last = hash;
            Thread.sleep(500);
        }
        throw new AssertionError("the hash does not settle: " + last);
    }

    // ---- a learner

    /** A learner of an etcd goes on as one of Quoin's, catches up, and gets its vote; and goes back as a voter. */
    @Test
    void aLearnerStaysOne() throws Exception {
        Path data = home.resolve("learner");
        List<Integer> first = ServerProcess.freePorts(4);
        List<Integer> second = first.subList(2, 4);
        try (ServerProcess leader = server(Tools.built("etcd"), "leader", first.subList(0, 2),
                home.resolve("leader-data"))) {
            leader.start();
            Client client = Client.of(leader);
            client.does("put", "k", "1");
            String added = client.does("member", "add", "l", "--learner",
                    "--peer-urls=http://127.0.0.1:" + second.get(1));
            String id = added.replaceAll("(?s)Member +([0-9a-f]+) added.*", "$1");
            String[] flags = {"--name", "l", "--initial-cluster-state", "existing", "--initial-cluster",
                "default=" + leader.peerUrl() + ",l=http://127.0.0.1:" + second.get(1)};
            try (ServerProcess learner = server(Tools.built("etcd"), "etcd-learner", second, data, flags)) {
                learner.start();
                client.does("put", "k", "2");
                learner.kill9();
            }
            client.does("put", "k", "3");
            try (ServerProcess learner = server(ServerProcess.image(), "quoin-learner", second, data, flags)) {
                learner.start();
                assertThat(client.does("member", "list")).containsPattern(id + ", started, l, .*, true");
                eventually(client, "member", "promote", id);
                client.does("put", "k", "4");
                assertThat(Client.of(learner).does("get", "k", "--print-value-only")).isEqualTo("4\n");
                assertThat(settledHash(Client.of(learner))).isEqualTo(settledHash(client));
                learner.sigterm(PATIENCE);
            }
            export(data);
            try (ServerProcess voter = server(Tools.built("etcd"), "etcd-voter", second, data, flags)) {
                voter.start();
                assertThat(client.does("member", "list")).containsPattern(id + ", started, l, .*, false");
                assertThat(Client.of(voter).does("get", "k", "--print-value-only")).isEqualTo("4\n");
                assertThat(settledHash(Client.of(voter))).isEqualTo(settledHash(client));
            }
        }
    }

    private static void eventually(Client client, String... words) throws Exception {
        for (int i = 0; i < 50; i++) {
            try {
                client.does(words);
                return;
            } catch (AssertionError notYet) {
                Thread.sleep(200);
            }
        }
        client.does(words);
    }

    // ---- what is damaged

    @FunctionalInterface
    private interface Harm {
        void to(Path member) throws IOException;
    }

    private static Path segment(Path member) throws IOException {
        try (Stream<Path> segments = Files.list(member.resolve("wal"))) {
            return segments.filter(file -> file.toString().endsWith(".wal")).sorted().toList().getFirst();
        }
    }

    @Test
    void whatIsDamagedIsRefusedAndStaysAsItIs() throws Exception {
        Path whole = home.resolve("whole");
        List<Integer> ports = ServerProcess.freePorts(2);
        try (ServerProcess etcd = server(Tools.built("etcd"), "etcd", ports, whole)) {
            etcd.start();
            for (int i = 0; i < 5; i++) {
                Client.of(etcd).does("put", "large" + i, LARGE);
            }
            etcd.sigterm(PATIENCE);
        }
        refused(whole, "cut", ports, "/member/snap/db is damaged at byte", member -> {
            try (RandomAccessFile database = new RandomAccessFile(member.resolve("snap/db").toFile(), "rw")) {
                database.setLength(3 * 4096);
            }
        });
        refused(whole, "flipped", ports, ".wal is damaged at byte", member -> {
            try (RandomAccessFile log = new RandomAccessFile(segment(member).toFile(), "rw")) {
                log.seek(150_000);
                int flipped = log.read() ^ 1;
                log.seek(150_000);
                log.write(flipped);
            }
        });
        refused(whole, "lost", ports, "of the backend is missing", member -> Files.delete(member.resolve("snap/db")));
        refused(whole, "logless", ports, "there is no write-ahead log in", member -> Files.delete(segment(member)));
    }

    /** In a snapshot of etcd 3.5 beside its database. */
    @Test
    void keysOfTheFirstApiAreRefused() throws Exception {
        Path data = home.resolve("old");
        List<Integer> ports = ServerProcess.freePorts(2);
        try (ServerProcess etcd = server(Tools.built("etcd-3.5"), "etcd", ports, data, "--enable-v2",
                "--snapshot-count", "10")) {
            etcd.start();
            try (HttpClient http = HttpClient.newHttpClient()) {
                for (int i = 0; i < 12; i++) {
                    HttpRequest put = HttpRequest.newBuilder(URI.create(etcd.clientUrl() + "/v2/keys/k"))
                            .header("Content-Type", "application/x-www-form-urlencoded")
                            .PUT(HttpRequest.BodyPublishers.ofString("value=" + i)).build();
                    assertThat(http.send(put, HttpResponse.BodyHandlers.ofString()).body())
                            .contains("\"action\":\"set\"");
                }
            }
            etcd.sigterm(PATIENCE);
        }
        refused(data, "new", ports, "keys that were written by etcd's first API", member -> {});
    }

    private void refused(Path whole, String name, List<Integer> ports, String why, Harm harm) throws Exception {
        Path data = home.resolve(name);
        copy(whole, data);
        harm.to(data.resolve("member"));
        SortedMap<String, String> before = files(data);
        try (ServerProcess quoin = server(ServerProcess.image(), "quoin-" + name, ports, data)) {
            quoin.spawn();
            assertThat(quoin.awaitExit(PATIENCE)).isEqualTo(1);
            assertThat(quoin.stderr()).contains("cannot start", why);
        }
        assertThat(files(data)).isEqualTo(before);
    }
}
