package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Every setting, given to etcd and to Quoin: accepted and refused alike, and what holds then is the same. */
@Tag("interop")
class SettingsInteropTest {
    private static final Path ETCDS_FLAGS = Path.of("..", "server", "src", "test", "resources", "dev", "quoin",
            "server",
            "config", "etcd-3.7.1-flags.tsv");
    /** Fields of the line at the start that say how etcd was built, or what Quoin says in another form. */
    private static final Set<String> OF_ONE_ALONE = Set.of("ts", "caller", "auto-compaction-retention",
            "compact-check-time-interval");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** A good and a bad value of a type; none is bad for a text. */
    private static List<String> values(String name, String type) {
        return switch (type) {
            case "bool" -> List.of("T", "yes");
            case "uint", "uint64", "uint32" -> List.of("0x10", "-1");
            case "int", "int64" -> List.of("-1", "1.5");
            case "duration" -> List.of("1h2m3.5s", "5");
            case "urls" -> name.equals("cors")
                    ? List.of("http://a:1", "a")
                    : List.of("http://127.0.0.1:1,https://[::1]:2", "ftp://a:1");
            case "featureGate" -> List.of("AllBeta=true,LeaseCheckpoint=false", "Nope=true");
            case "new|existing" -> List.of("existing", "old");
            case "exit|proxy" -> List.of("proxy", "old");
            case "v2-deprecation" -> List.of("gone,write-only", "not-yet");
            default -> List.of("text");
        };
    }

    private static Map<String, String> etcdsFlags() throws IOException {
        Map<String, String> flags = new TreeMap<>();
        for (String line : Files.readAllLines(ETCDS_FLAGS)) {
            String[] columns = line.split("\t", -1);
            if (columns.length == 3) {
                flags.put(columns[0], columns[1]);
            }
        }
        return flags;
    }

    /** With --version nothing is started, but all is parsed. */
    @Test
    void goodValuesOfAllFlagsAreAccepted() throws Exception {
        List<String> arguments = new ArrayList<>();
        etcdsFlags().forEach((name, type) -> arguments.add("--" + name + "=" + values(name, type).getFirst()));
        assertThat(arguments).hasSize(113);
        arguments.remove("--version=T");
        arguments.add("--version");
        for (Path server : List.of(Tools.built("etcd"), ServerProcess.image())) {
            Program.Result result = Program.of(server).run(arguments.toArray(String[]::new));
            assertThat(result.exitCode()).as("%s: %s", server, result.stderr()).isZero();
        }
    }

    @Test
    void badValuesAreRefusedInTheSameWords() throws Exception {
        int asked = 0;
        for (Map.Entry<String, String> flag : etcdsFlags().entrySet()) {
            List<String> values = values(flag.getKey(), flag.getValue());
            if (values.size() > 1) {
                String argument = "--" + flag.getKey() + "=" + values.getLast();
                String etcd = refusal(Tools.built("etcd"), Map.of(), argument, "--version");
                assertThat(refusal(ServerProcess.image(), Map.of(), argument, "--version")).isEqualTo(etcd);
                assertThat(etcd).startsWith("2 ");
                asked++;
            }
        }
        assertThat(asked).isEqualTo(66);
    }

    /** Exit code and the reason: the last error of the log, or the first line where there is no log. */
    private static String refusal(Path server, Map<String, String> environment, String... arguments)
            throws Exception {
        Program program = Program.of(server);
        environment.forEach(program::with);
        Program.Result result = program.run(arguments);
        String reason = "";
        for (String line : result.stderr().lines().toList()) {
            if (!line.startsWith("{")) {
                return result.exitCode() + " " + line;
            }
            JsonObject fields = JsonParser.parseString(line).getAsJsonObject();
            JsonElement error = fields.get("level").getAsString().equals("fatal") && fields.has("environment-variable")
                    ? fields.get("msg")
                    : fields.get("error");
            reason = error == null ? reason : error.getAsString();
        }
        return result.exitCode() + " " + reason;
    }

    @Test
    void whatDoesNotFitTogetherIsRefusedInTheSameWords() throws Exception {
        for (String flags : List.of("start", "-- --name x", "--help=x --nope x", "--log-format=x", "--logger=x",
                "--logger=capnslog", "--log-outputs=default,stderr", "--log-outputs=/nonexistent/x",
                "--log-outputs=systemd/journal,stderr", "--log-level=bogus", "--enable-log-rotation",
                "--enable-log-rotation --log-outputs=f,g", "--heartbeat-interval=0", "--election-timeout=0",
                "--auto-compaction-mode=x", "--auto-compaction-mode=", "--compact-hash-check-time=-1s",
                "--enable-distributed-tracing --distributed-tracing-sampling-rate=1000001",
                "--feature-gates=LeaseCheckpointPersist=true", "--tls-min-version=x",
                "--tls-min-version=TLS1.3 --tls-max-version=TLS1.2",
                "--tls-min-version=TLS1.3 --cipher-suites=TLS_AES_128_GCM_SHA256",
                "--listen-client-urls=http://127.0.0.1:1", "--listen-metrics-urls=http://a:1",
                "--listen-client-http-urls=http://a:1", "--config-file=/nonexistent")) {
            String[] arguments = flags.split(" ", -1);
            String etcd = refusal(Tools.built("etcd"), Map.of(), arguments);
            assertThat(refusal(ServerProcess.image(), Map.of(), arguments)).as(flags).isEqualTo(etcd);
        }
    }

    @Test
    void variablesAreRefusedInTheSameWords() throws Exception {
        for (Map<String, String> environment : List.of(Map.of("ETCD_MAX_WALS", "x", "ETCD_MAX_TXN_OPS", "y"),
                Map.of("ETCD_NAME", "b"), Map.of("ETCD_NAME", ""), Map.of("ETCD_CONFIG_FILE", "/nonexistent"))) {
            String etcd = refusal(Tools.built("etcd"), environment, "--name=a", "--heartbeat-interval=0");
            assertThat(refusal(ServerProcess.image(), environment, "--name=a", "--heartbeat-interval=0"))
                    .isEqualTo(etcd);
        }
    }

    @Test
    void filesAreRefusedInTheSameWords() throws Exception {
        Path file = home.resolve("c.yml");
        for (String content : List.of("name: 123", "name: on", "snapshot-count: 1.5", "snapshot-count: '1'",
                "snapshot-count: -1", "max-txn-ops: x", "pre-vote: 1", "pre-vote: 'true'", "log-outputs: stderr",
                "log-outputs: [1]", "client-transport-security: x", "client-transport-security: {cert-file: 5}",
                "peer-transport-security: {allowed-cn: x}", "grpc-keepalive-timeout: 10s",
                "discovery-config: {client: {dial-timeout: x}}", "initial-cluster-state: x", "feature-gates: X=true",
                "listen-peer-urls: x", "max-concurrent-streams: 4294967296", "Snapshot-Count: x",
                "log-rotation-config-json: {}", "heartbeat-interval: 0", "log-level: x",
                "name: m\nheartbeat-interval: 0x10\nelection-timeout: 5_0\n")) {
            Files.writeString(file, content);
            String etcd = refusal(Tools.built("etcd"), Map.of("ETCD_NAME", "x"), "--config-file", file.toString());
            assertThat(refusal(ServerProcess.image(), Map.of("ETCD_NAME", "x"), "--config-file", file.toString()))
                    .as(content).isEqualTo(etcd);
        }
    }

    @Test
    void whatHoldsIsTheSameByFlagsAndByFile() throws Exception {
        assertThat(startLine("etcd-flags", Tools.built("etcd"), false))
                .containsAllEntriesOf(startLine("quoin-flags", ServerProcess.image(), false));
        assertThat(startLine("etcd-file", Tools.built("etcd"), true))
                .containsAllEntriesOf(startLine("quoin-file", ServerProcess.image(), true));
    }

    /** The fields that both have, of a start with settings of many kinds; ports and directories are made the same. */
    private Map<String, String> startLine(String name, Path server, boolean byFile) throws Exception {
        Path directory = Files.createDirectory(home.resolve(name));
        List<Integer> ports = ServerProcess.freePorts(2);
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("name", "m1");
        settings.put("data-dir", directory.resolve("d").toString());
        settings.put("listen-client-urls", "http://127.0.0.1:" + ports.get(0));
        settings.put("advertise-client-urls", "http://127.0.0.1:" + ports.get(0));
        settings.put("listen-peer-urls", "http://127.0.0.1:" + ports.get(1));
        settings.put("initial-advertise-peer-urls", "http://127.0.0.1:" + ports.get(1));
        settings.put("heartbeat-interval", "50");
        settings.put("election-timeout", "777");
        settings.put("snapshot-count", "0x100");
        settings.put("quota-backend-bytes", "0");
        settings.put("max-request-bytes", "2000000");
        settings.put("max-concurrent-streams", "77");
        settings.put("cors", "http://b:1,http://a:1");
        settings.put("host-whitelist", "b,127.0.0.1,a");
        settings.put("feature-gates", "LeaseCheckpoint=true,LeaseCheckpointPersist=true");
        settings.put("pre-vote", "false");
        settings.put("max-learners", "3");
        settings.put("auto-compaction-mode", "revision");
        settings.put("initial-cluster-token", "t");
        List<String> arguments = new ArrayList<>();
        if (byFile) {
            StringBuilder file = new StringBuilder();
            settings.forEach((key, value) -> file.append(key).append(": ").append(value).append('\n'));
            Collections.addAll(arguments, "--config-file", Files.writeString(directory.resolve("c"), file).toString());
        } else {
            settings.forEach((key, value) -> arguments.add("--" + key + "=" + value));
        }
        return fields(started(directory, server, arguments), ports, directory);
    }

    /** The line at the start, of a process that is ended as soon as it has written it. */
    private static JsonObject started(Path directory, Path server, List<String> arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(server.toString()));
        command.addAll(arguments);
        Path log = directory.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        Program.leaveOnlyPath(builder.environment());
        Process process = builder.start();
        try {
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (System.nanoTime() < deadline) {
                for (String line : Files.readString(log).lines().toList()) {
                    if (line.contains("\"starting an etcd server\"") && line.endsWith("}")) {
                        return JsonParser.parseString(line).getAsJsonObject();
                    }
                }
                Thread.sleep(20);
            }
            throw new AssertionError("no line about the start:\n" + Files.readString(log));
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static Map<String, String> fields(JsonObject line, List<Integer> ports, Path directory) {
        Set<String> own = new TreeSet<>(OF_ONE_ALONE);
        Stream.of("quoin-version", "java-version", "os", "arch", "heap-bytes-max", "collector", "max-txn-ops")
                .forEach(own::add);
        Map<String, String> fields = new TreeMap<>();
        line.entrySet().stream().filter(field -> !own.contains(field.getKey()))
                .forEach(field -> fields.put(field.getKey(), field.getValue().toString()
                        .replace(":" + ports.get(0), ":CLIENT").replace(":" + ports.get(1), ":PEER")
                        .replace(directory.toString(), "HOME")));
        return fields;
    }
}
