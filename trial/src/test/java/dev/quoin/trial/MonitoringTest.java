package dev.quoin.trial;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.etcd.jetcd.api.MaintenanceGrpc;
import io.etcd.jetcd.api.MaintenanceGrpc.MaintenanceBlockingStub;
import io.etcd.jetcd.api.MoveLeaderRequest;
import io.etcd.jetcd.api.StatusRequest;
import io.etcd.jetcd.api.StatusResponse;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A real Prometheus watches three members with the files that the image ships: every rule and every graph finds what it asks
 * for; and what goes wrong is told by the alert that is named after it. Rules are evaluated as they are, but do not wait
 * before they fire.
 */
@Tag("interop")
class MonitoringTest {
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Pattern NAME = Pattern.compile("\\b((?:etcd|grpc|quoin|jvm|process)_[a-z0-9_]+)\\b");
    private static final String QUOTA = Integer.toString(4 << 20);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final Path shipped = ServerProcess.image().resolveSibling("../monitoring").normalize();
    private final List<ServerProcess> members = new ArrayList<>();
    private int port;

    @Test
    void promtoolFindsNothingWrong() throws Exception {
        Program promtool = Program.of(Tools.system("promtool", "prometheus"));
        for (List<String> check : List.of(List.of("check", "rules", shipped.resolve("rules.yml").toString()),
                List.of("check", "config", shipped.resolve("prometheus.yml").toString()),
                List.of("check", "config", "--syntax-only", shipped.resolve("prometheus-tls.yml").toString()))) {
            Program.Result result = promtool.run(check.toArray(String[]::new));
            assertThat(result.exitCode()).as(result.stdout() + result.stderr()).isZero();
        }
    }

    @Test
    void everyRuleFindsWhatItAsksForAndTellsOfWhatGoesWrong() throws Exception {
        Path prometheus = Tools.system("prometheus", "prometheus");
        List<Integer> ports = ServerProcess.freePorts(7);
        port = ports.get(6);
        Process watching = null;
        try {
            for (int i = 0; i < 3; i++) {
                members.add(member(i, ports));
                members.get(i).spawn();
            }
            for (ServerProcess member : members) {
                member.awaitReady();
            }
            watching = watch(prometheus);
            use();
            allIsThere();
            leadersChange();
            spaceEnds();
            membersGo();
        } finally {
            if (watching != null) {
                watching.destroyForcibly().waitFor();
            }
            members.forEach(ServerProcess::close);
        }
    }

    private ServerProcess member(int i, List<Integer> ports) throws IOException {
        String cluster = Stream.of(0, 1, 2).map(n -> "m" + n + "=http://127.0.0.1:" + ports.get(2 * n + 1))
                .collect(Collectors.joining(","));
        return ServerProcess.of(ServerProcess.image(), Files.createDirectories(home.resolve("m" + i)),
                ports.get(2 * i), ports.get(2 * i + 1)).with("--name", "m" + i, "--initial-cluster", cluster,
                        "--quota-backend-bytes", QUOTA);
    }

    /** With the shipped rules, which do not wait here. */
    private Process watch(Path prometheus) throws IOException {
        Path directory = Files.createDirectories(home.resolve("prometheus"));
        Files.writeString(directory.resolve("rules.yml"),
                Files.readString(shipped.resolve("rules.yml")).replaceAll("(?m)^ +for: .*\n", ""));
        String config = Files.readString(shipped.resolve("prometheus.yml")).replace(": 15s", ": 1s").replaceFirst(
                "targets: .*",
                "targets: [" + members.stream().map(member -> "'127.0.0.1:" + member.clientPort() + "'")
                        .collect(Collectors.joining(", ")) + "]");
        Files.writeString(directory.resolve("prometheus.yml"), config);
        Process process = new ProcessBuilder(prometheus.toString(),
                "--config.file=" + directory.resolve("prometheus.yml"),
                "--storage.tsdb.path=" + directory.resolve("data"), "--web.listen-address=127.0.0.1:" + port)
                .redirectErrorStream(true).redirectOutput(directory.resolve("out").toFile()).start();
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(process::destroyForcibly));
        return process;
    }

    private void use() {
        try (PlainClient client = new PlainClient(members.getFirst())) {
            for (int i = 0; i < 5; i++) {
                client.put("k" + i, "v");
                assertThat(client.pairs("k" + i)).hasSize(1);
            }
        }
    }

    // ---- what there is

    private void allIsThere() throws Exception {
        until("all members are scraped", () -> value("sum(up)") == 3);
        String rules = Files.readString(shipped.resolve("rules.yml"));
        Set<String> names = names(rules);
        names.addAll(names(expressions()));
        assertThat(names).hasSizeGreaterThan(25);
        for (String name : names) {
            until(name + " has samples", () -> value("count(" + name + ")") > 0);
        }
        long alerts = rules.lines().filter(line -> line.contains("- alert:")).count();
        assertThat(alerts).isGreaterThanOrEqualTo(15);
        until("every rule is evaluated", () -> rules().stream()
                .filter(rule -> rule.get("health").getAsString().equals("ok")).count() == alerts);
        assertThat(firing()).as("alerts of a cluster that is well").doesNotContain("EtcdMembersDown",
                "EtcdInsufficientMembers", "EtcdNoLeader", "EtcdLeaderChange", "EtcdSpaceLow", "EtcdSpaceExhausted");
    }

    private static Set<String> names(String expressions) {
        Set<String> names = new TreeSet<>();
        Matcher name = NAME.matcher(expressions);
        while (name.find()) {
            names.add(name.group(1));
        }
        names.removeIf(found -> found.matches("grpc_(code|method|type|service)"));
        return names;
    }

    /** What the dashboard's graphs ask. */
    private String expressions() throws IOException {
        StringBuilder all = new StringBuilder();
        JsonObject dashboard = JsonParser.parseString(Files.readString(shipped.resolve("dashboard.json")))
                .getAsJsonObject();
        for (JsonElement panel : dashboard.getAsJsonArray("panels")) {
            for (JsonElement target : panel.getAsJsonObject().getAsJsonArray("targets")) {
                all.append(target.getAsJsonObject().get("expr").getAsString()).append('\n');
            }
        }
        return all.toString();
    }

    // ---- what goes wrong

    private void leadersChange() throws Exception {
        for (int move = 0; move < 6; move++) {
            moveLeader();
            Thread.sleep(1_200);
        }
        awaitAlert("EtcdLeaderChange");
    }

    private void moveLeader() {
        for (ServerProcess member : members) {
            try (PlainClient client = new PlainClient(member)) {
                MaintenanceBlockingStub maintenance = MaintenanceGrpc.newBlockingStub(client.channel());
                StatusResponse status = maintenance.status(StatusRequest.getDefaultInstance());
                if (status.getLeader() != status.getHeader().getMemberId()) {
                    continue;
                }
                maintenance.moveLeader(MoveLeaderRequest.newBuilder().setTargetID(another(status.getLeader())).build());
                return;
            } catch (StatusRuntimeException changing) {
                // It has lost its office this moment; another has it.
            }
        }
    }

    private long another(long leader) {
        for (ServerProcess member : members) {
            try (PlainClient client = new PlainClient(member)) {
                long id = MaintenanceGrpc.newBlockingStub(client.channel()).status(StatusRequest.getDefaultInstance())
                        .getHeader().getMemberId();
                if (id != leader) {
                    return id;
                }
            }
        }
        throw new AssertionError("there is nobody but the leader");
    }

    private void spaceEnds() throws Exception {
        try (PlainClient client = new PlainClient(members.getFirst())) {
            String value = "x".repeat(100_000);
            for (int i = 0; i < 100; i++) {
                client.put("full" + i, value);
            }
            throw new AssertionError("10 MB fit into a quota of 4");
        } catch (StatusRuntimeException full) {
            assertThat(full).hasMessageContaining("database space exceeded");
        }
        awaitAlert("EtcdSpaceLow");
        awaitAlert("EtcdSpaceExhausted");
    }

    private void membersGo() throws Exception {
        leader().kill9();
        awaitAlert("EtcdMembersDown");
        assertThat(firing()).doesNotContain("EtcdInsufficientMembers");
        members.stream().filter(ServerProcess::isAlive).findFirst().orElseThrow().kill9();
        awaitAlert("EtcdInsufficientMembers");
        awaitAlert("EtcdNoLeader");
    }

    private ServerProcess leader() {
        for (ServerProcess member : members) {
            try (PlainClient client = new PlainClient(member)) {
                StatusResponse status = MaintenanceGrpc.newBlockingStub(client.channel())
                        .status(StatusRequest.getDefaultInstance());
                if (status.getLeader() == status.getHeader().getMemberId()) {
                    return member;
                }
            }
        }
        throw new AssertionError("nobody leads");
    }

    // ---- Prometheus

    private void awaitAlert(String name) throws Exception {
        until(name + " fires", () -> firing().contains(name));
    }

    private Set<String> firing() throws Exception {
        Set<String> firing = new TreeSet<>();
        for (JsonElement alert : ask("alerts").getAsJsonArray("alerts")) {
            if (alert.getAsJsonObject().get("state").getAsString().equals("firing")) {
                firing.add(alert.getAsJsonObject().getAsJsonObject("labels").get("alertname").getAsString());
            }
        }
        return firing;
    }

    private List<JsonObject> rules() throws Exception {
        List<JsonObject> rules = new ArrayList<>();
        for (JsonElement group : ask("rules").getAsJsonArray("groups")) {
            group.getAsJsonObject().getAsJsonArray("rules").forEach(rule -> rules.add(rule.getAsJsonObject()));
        }
        return rules;
    }

    /** The first value of an expression, 0 if it has none. */
    private double value(String expression) throws Exception {
        JsonObject data = ask("query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        JsonArray result = data.getAsJsonArray("result");
        return result.isEmpty() ? 0
                : result.get(0).getAsJsonObject().getAsJsonArray("value").get(1).getAsDouble();
    }

    private JsonObject ask(String what) throws Exception {
        HttpResponse<String> answer = HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/v1/" + what))
                        .timeout(Duration.ofSeconds(10)).build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JsonParser.parseString(answer.body()).getAsJsonObject().getAsJsonObject("data");
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }

    private void until(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!isSo(condition)) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("not within " + PATIENCE + ": " + what + "; firing: " + firing() + "\n"
                        + Files.readString(home.resolve("prometheus").resolve("out")));
            }
            Thread.sleep(200);
        }
    }

    /** Prometheus may not be there yet. */
    private static boolean isSo(Condition condition) throws Exception {
        try {
            return condition.holds();
        } catch (IOException notYet) {
            return false;
        }
    }
}
