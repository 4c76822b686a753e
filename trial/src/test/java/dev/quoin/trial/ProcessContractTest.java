package dev.quoin.trial;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.TxnRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What a script, a supervisor or a test harness that starts {@code etcd} may rely on. */
class ProcessContractTest {
    /** 128 + SIGTERM: the signal ends the process, as it ends etcd. */
    private static final int ENDED_BY_SIGTERM = 143;
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private static Program.Result etcd(String... arguments) throws Exception {
        return Program.of(ServerProcess.image()).run(arguments);
    }

    @Test
    void saysItsVersionFirst() throws Exception {
        Program.Result version = etcd("--version");
        assertThat(version.lines()).first().isEqualTo("etcd Version: 3.7.1");
        assertThat(version.stderr()).isEmpty();
        assertThat(version.exitCode()).isZero();
        // The launcher has said so; this is Main.
        assertThat(etcd("--version=true").stdout()).isEqualTo(version.stdout());
    }

    /** An image made by another JDK, or copied without its times. */
    @Test
    void aCacheThatCannotBeUsedIsPassedOverInSilence() throws Exception {
        Path bin = Objects.requireNonNull(ServerProcess.image().getParent());
        Path image = Objects.requireNonNull(bin.getParent());
        Files.createDirectories(home.resolve("bin"));
        Files.copy(image.resolve("bin/etcd"), home.resolve("bin/etcd"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.createDirectories(home.resolve("lib"));
        try (Stream<Path> jars = Files.list(image.resolve("lib")).filter(file -> file.toString().endsWith(".jar"))) {
            for (Path jar : jars.toList()) {
                Files.copy(jar, home.resolve("lib").resolve(jar.getFileName().toString()));
            }
        }
        Files.writeString(home.resolve("lib/quoin.aot"), "no cache");
        Program.Result version = Program.of(home.resolve("bin/etcd")).run("--version=true");
        assertThat(version.lines()).first().isEqualTo("etcd Version: 3.7.1");
        assertThat(version.stderr()).isEmpty();
    }

    @Test
    void systemdIsToldOnceClientsAreServed() throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home).withVariable("NOTIFY_SOCKET", "/nonexistent/notify")) {
            server.start();
            long deadline = System.nanoTime() + SOON.toNanos();
            while (!server.stderr().contains("notify systemd") && System.nanoTime() < deadline) {
                Thread.sleep(10);
            }
            assertThat(server.stderr()).containsSubsequence("ready to serve client requests", "notifying init daemon",
                    "failed to notify systemd for readiness", "/nonexistent/notify");
        }
    }

    @Test
    void refusesAFlagItDoesNotKnow() throws Exception {
        Program.Result refused = etcd("--nope");
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.stderr()).startsWith("flag provided but not defined: -nope");
        assertThat(refused.stdout()).isEmpty();
    }

    @Test
    void refusesAValueThatDoesNotFit() throws Exception {
        Program.Result refused = etcd("--max-request-bytes=lots");
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.stderr()).startsWith("invalid value \"lots\" for flag -max-request-bytes: parse error");
    }

    @Test
    void refusesAVariableThatAFlagContradicts() throws Exception {
        Program.Result refused = Program.of(ServerProcess.image()).with("ETCD_NAME", "other").run("--name", "mine");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.stderr()).contains("conflicting environment variable", "ETCD_NAME",
                "is shadowed by corresponding command-line flag (either unset environment variable or disable flag)");
    }

    @Test
    void takesItsFlagsFromTheEnvironmentToo() throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home).withVariable("ETCD_MAX_TXN_OPS", "7")) {
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                assertThatThrownBy(() -> client.kv().txn(ofReads(8)))
                        .hasMessage("INVALID_ARGUMENT: etcdserver: too many operations in txn request");
                assertThat(client.kv().txn(ofReads(7)).getResponsesCount()).isEqualTo(7);
            }
        }
    }

    private static TxnRequest ofReads(int count) {
        RangeRequest read = RangeRequest.newBuilder().setKey(PlainClient.bytes("k")).build();
        return TxnRequest.newBuilder()
                .addAllSuccess(Collections.nCopies(count, RequestOp.newBuilder().setRequestRange(read).build()))
                .build();
    }

    @Test
    void theSpawnedProcessBecomesTheJvm() throws Exception {
        try (ServerProcess server = ServerProcess.started(home)) {
            assertThat(Files.readString(Path.of("/proc", Long.toString(server.pid()), "comm"))).isEqualTo("java\n");
            assertThat(ProcessHandle.of(server.pid()).orElseThrow().children()).isEmpty();
        }
    }

    @Test
    void everyLineOfTheLogIsAnObjectAndACleanLifeHasNoErrors() throws Exception {
        try (ServerProcess server = ServerProcess.started(home); PlainClient client = new PlainClient(server)) {
            client.put("k", "v");
            assertThat(server.sigterm(SOON)).isEqualTo(ENDED_BY_SIGTERM);
            assertThat(server.stdout()).isEmpty();
            assertThat(server.stderr()).contains("\"msg\":\"ready to serve client requests\"",
                    "\"msg\":\"starting an etcd server\"", "serving client traffic");
            List<String> lines = server.stderr().lines().toList();
            for (String line : lines) {
                JsonObject object = JsonParser.parseString(line).getAsJsonObject();
                assertThat(object.keySet()).as(line).startsWith("level", "ts", "caller", "msg");
                assertThat(object.get("level").getAsString()).as(line).isIn("debug", "info", "warn");
                assertThat(object.get("ts").getAsString())
                        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}(Z|[+-]\\d{4})");
                assertThat(object.get("caller").getAsString()).matches("[^/ ]+/[^/ ]+:\\d+");
            }
        }
    }

    @Test
    void sigtermEndsItAndNothingAcknowledgedIsLost() throws Exception {
        try (ServerProcess server = ServerProcess.started(home)) {
            try (PlainClient client = new PlainClient(server)) {
                client.put("k", "v");
                assertThat(server.sigterm(Duration.ofSeconds(10))).isEqualTo(ENDED_BY_SIGTERM);
            }
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                assertThat(client.pairs("k")).containsExactly("k=v");
            }
        }
    }

    @Test
    void answersHealthAndVersionInEtcdsWords() throws Exception {
        try (ServerProcess server = ServerProcess.started(home)) {
            HttpResponse<String> health = get(server, "/health");
            assertThat(health.headers().firstValue("content-type")).hasValue("text/plain; charset=utf-8");
            assertThat(health.statusCode()).isEqualTo(200);
            assertThat(health.body()).isEqualTo("{\"health\":\"true\",\"reason\":\"\"}");
            HttpResponse<String> version = get(server, "/version");
            assertThat(version.statusCode()).isEqualTo(200);
            assertThat(version.body())
                    .isEqualTo("{\"etcdserver\":\"3.7.1\",\"etcdcluster\":\"3.7.0\",\"storage\":\"3.7.0\"}");
            assertThat(version.headers().firstValue("content-type")).contains("application/json");
        }
    }

    private static HttpResponse<String> get(ServerProcess server, String path) throws Exception {
        try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create(server.clientUrl() + path)).timeout(SOON).build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void aDirectoryInUseIsRefusedAndItsOwnerGoesOn() throws Exception {
        try (ServerProcess owner = ServerProcess.started(Files.createDirectory(home.resolve("owner")));
                ServerProcess second = ServerProcess.prepared(Files.createDirectory(home.resolve("second")))) {
            second.on(owner.dataDirectory()).spawn();
            assertThat(second.awaitExit(SOON)).isNotZero();
            assertThat(second.stderr()).contains(owner.dataDirectory().toString());
            assertThat(owner.isAlive()).isTrue();
            try (PlainClient client = new PlainClient(owner)) {
                client.put("k", "v");
                assertThat(client.pairs("k")).containsExactly("k=v");
            }
        }
    }

    @Test
    void aBrokenDirectoryOfEtcdsIsRefusedAndUntouched() throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home)) {
            Path database = server.dataDirectory().resolve("member/snap/db");
            Files.createDirectories(database.getParent());
            Files.createDirectories(server.wal());
            Path log = server.wal().resolve("0000000000000000-0000000000000000.wal");
            Files.writeString(database, "somebody's data");
            Files.writeString(log, "somebody's log");
            Map<String, String> before = contents(server.dataDirectory());
            server.spawn();
            assertThat(server.awaitExit(SOON)).isNotZero();
            assertThat(server.stderr()).contains(log + " is damaged");
            assertThat(contents(server.dataDirectory())).containsAllEntriesOf(before);
        }
    }

    private static Map<String, String> contents(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            Map<String, String> contents = new TreeMap<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(directory.relativize(file).toString(), Files.readString(file));
            }
            return contents;
        }
    }

    @Test
    void aFileWhereTheDirectoryShouldBeIsRefused() throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home)) {
            Files.writeString(server.dataDirectory(), "not a directory");
            server.spawn();
            assertThat(server.awaitExit(SOON)).isNotZero();
            assertThat(server.stderr()).contains(server.dataDirectory().toString());
            assertThat(server.dataDirectory()).hasContent("not a directory");
        }
    }

    @Test
    void aPortInUseIsRefused() throws Exception {
        try (ServerProcess server = ServerProcess.prepared(home);
                ServerSocket holder = new ServerSocket(server.clientPort(), 1, InetAddress.getLoopbackAddress())) {
            server.spawn();
            assertThat(server.awaitExit(SOON)).isNotZero();
            assertThat(server.stderr()).containsIgnoringCase("address already in use")
                    .contains("127.0.0.1:" + holder.getLocalPort());
        }
    }

    @Test
    void aDamagedLogIsRefusedByFileAndOffset() throws Exception {
        try (ServerProcess server = ServerProcess.started(home)) {
            try (PlainClient client = new PlainClient(server)) {
                for (int i = 0; i < 50; i++) {
                    client.put("key-" + i, "value-of-" + i + ".");
                }
            }
            server.sigterm(SOON);
            Path segment = newestSegment(server);
            int damagedAt = flip(segment, "value-of-25.");

            server.spawn();
            assertThat(server.awaitExit(SOON)).isNotZero();
            assertThat(server.stderr()).contains(segment.getFileName().toString());
            Matcher offset = Pattern.compile("at byte ([0-9,]+)").matcher(server.stderr());
            assertThat(offset.find()).as(server.stderr()).isTrue();
            // The record begins a little before the byte: its header, the entry's fields, the request's and the key.
            assertThat(Integer.parseInt(offset.group(1).replace(",", ""))).isBetween(damagedAt - 512, damagedAt);
        }
    }

    private static Path newestSegment(ServerProcess server) throws IOException {
        try (Stream<Path> files = Files.list(server.wal())) {
            return files.filter(file -> file.toString().endsWith(".wal")).sorted().toList().getLast();
        }
    }

    /** Inverts one bit in the middle of the text; returns where. */
    private static int flip(Path file, String text) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        byte[] wanted = text.getBytes(StandardCharsets.UTF_8);
        for (int at = 0; at + wanted.length <= bytes.length; at++) {
            if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                int damagedAt = at + wanted.length / 2;
                bytes[damagedAt] ^= 1;
                Files.write(file, bytes);
                return damagedAt;
            }
        }
        throw new AssertionError(text + " is not in " + file);
    }
}
