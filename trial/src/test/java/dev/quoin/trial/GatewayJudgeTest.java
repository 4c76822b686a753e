package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** etcd's own clients through {@code etcd gateway}, ours beside etcd's. */
@Tag("interop")
class GatewayJudgeTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    Path home;

    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void close() {
        processes.forEach(process -> process.destroyForcibly().onExit().join());
    }

    /** Starts a gateway, and returns what it prints to. */
    private Path gateway(Path etcd, int port, String... flags) throws Exception {
        Path log = home.resolve("gateway-" + port);
        List<String> command = new ArrayList<>(
                List.of(etcd.toString(), "gateway", "start", "--listen-addr=127.0.0.1:" + port));
        command.addAll(List.of(flags));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        Program.leaveOnlyPath(builder.environment());
        processes.add(builder.start());
        await(log, "ready to proxy client requests");
        return log;
    }

    private static void await(Path log, String text) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!Files.readString(log).contains(text)) {
            assertThat(System.nanoTime()).as(Files.readString(log)).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    @Test
    void everythingThatKvOffersGoesThrough() throws Exception {
        int port = ServerProcess.freePorts(1).getFirst();
        try (ServerProcess server = ServerProcess.started(home)) {
            gateway(ServerProcess.image(), port, "--endpoints=" + server.clientUrl());
            Program.Result result = Program.of(Tools.built("kvcheck")).within(Duration.ofMinutes(2)).run("--endpoint",
                    "http://127.0.0.1:" + port);
            assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
            assertThat(result.lines().stream().filter(line -> line.startsWith("ok "))).hasSizeGreaterThan(40);
        }
    }

    /** The same misfortunes; the same lines, but for what is the process's own. */
    @Test
    void itSaysWhatEtcdsSays() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(5);
        int late = ports.get(2);
        List<Path> logs = new ArrayList<>();
        List<Integer> gateways = List.of(ports.get(0), ports.get(1));
        List<Path> programs = List.of(ServerProcess.image(), Tools.built("etcd"));
        for (int i = 0; i < 2; i++) {
            logs.add(gateway(programs.get(i), gateways.get(i), "--endpoints=127.0.0.1:" + late, "--retry-delay=500ms"));
            Program.Result nobody = etcdctl(gateways.get(i), "--command-timeout=300ms", "--dial-timeout=300ms", "get",
                    "k");
            assertThat(nobody.exitCode()).isNotZero();
        }
        for (Path log : logs) {
            await(log, "failed to activate endpoint");
        }
        try (ServerProcess server = ServerProcess.of(ServerProcess.image(), Files.createDirectory(home.resolve("late")),
                late, ports.get(3))) {
            server.start();
            for (int i = 0; i < 2; i++) {
                await(logs.get(i), "\"activated\"");
                assertThat(etcdctl(gateways.get(i), "put", "k", "through " + i).stdout()).isEqualTo("OK\n");
            }
        }
        assertThat(lines(logs.get(0), gateways.get(0))).isEqualTo(lines(logs.get(1), gateways.get(1)));
    }

    private static Program.Result etcdctl(int port, String... words) throws Exception {
        return Program.of(Tools.built("etcdctl"), "--endpoints=127.0.0.1:" + port).within(SOON).run(words);
    }

    /** Each different line once, without time and place in the source, with the same name for each gateway's port and program. */
    private static List<String> lines(Path log, int port) throws Exception {
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(log)) {
            JsonObject fields = JsonParser.parseString(line).getAsJsonObject();
            fields.remove("ts");
            fields.remove("caller");
            TreeMap<String, String> sorted = new TreeMap<>();
            fields.asMap().forEach((name, value) -> sorted.put(name, value.toString()));
            String text = sorted.toString().replace(String.valueOf(port), "PORT").replaceAll(
                    "\"[^\"]*etcd\",\"gateway\"",
                    "\"etcd\",\"gateway\"");
            if (!lines.contains(text)) {
                lines.add(text);
            }
        }
        return lines;
    }

    @Test
    void theProxyOfEtcdIsRefusedClearly() throws Exception {
        Program.Result refused = Program.of(ServerProcess.image()).run("grpc-proxy", "start");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.stderr()).startsWith("etcd: grpc-proxy is not served: ");
        assertThat(refused.stdout()).isEmpty();
    }

    /** To the letter. */
    @Test
    void itsHelpIsEtcds() throws Exception {
        Program.Result ours = Program.of(ServerProcess.image()).run("gateway", "start", "--help");
        Program.Result theirs = Program.of(Tools.built("etcd")).run("gateway", "start", "--help");
        assertThat(ours.stdout()).isEqualTo(theirs.stdout());
        assertThat(Pattern.compile("--[a-z-]+").matcher(ours.stdout()).results().map(MatchResult::group))
                .contains("--retry-delay", "--trusted-ca-file");
    }
}
