package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An operator with etcdctl sees three Quoins as three etcds: the same script is run against both, on the same ports, and
 * what is printed is compared. Ids that depend on the time, and who leads, are written as names.
 */
@Tag("interop")
class ClusterControlTest {
    private static final long PATIENCE_MILLIS = 60_000;
    private static final Pattern ADDED = Pattern.compile("Member\\s+([0-9a-f]+) added (as learner )?to cluster");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void threeQuoinsAreToldWhatThreeEtcdsAre() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(8);
        List<String> etcd = new Script(Tools.built("etcd"), "etcd", ports).run();
        List<String> quoin = new Script(ServerProcess.image(), "quoin", ports).run();
        assertThat(String.join("\n", quoin)).isEqualTo(String.join("\n", etcd));
    }

    /** One run of everything, against servers of one kind. */
    private final class Script {
        private final Path server;
        private final String kind;
        private final List<Integer> ports;
        private final List<ServerProcess> members = new ArrayList<>();
        private final List<String> transcript = new ArrayList<>();
        private final Map<String, String> names = new TreeMap<>();

        Script(Path server, String kind, List<Integer> ports) {
            this.server = server;
            this.kind = kind;
            this.ports = ports;
        }

        List<String> run() throws Exception {
            try {
                String three = String.join(",", Stream.of(0, 1, 2).map(i -> "m" + i + "=" + peerUrl(i)).toList());
                for (int i = 0; i < 3; i++) {
                    members.add(member(i, three, "new"));
                    members.get(i).spawn();
                }
                for (ServerProcess member : members) {
                    member.awaitReady();
                }
                refusals();
                learner(three);
                leadership();
                return transcript;
            } finally {
                members.forEach(ServerProcess::close);
            }
        }

        private ServerProcess member(int i, String cluster, String state) throws Exception {
            Path directory = Files.createDirectories(home.resolve(kind + i));
            return ServerProcess.of(server, directory, ports.get(2 * i), ports.get(2 * i + 1)).with("--name", "m" + i,
                    "--initial-cluster", cluster, "--initial-cluster-state", state);
        }

        private String peerUrl(int i) {
            return "http://127.0.0.1:" + ports.get(2 * i + 1);
        }

        // ---- what is asked

        private void refusals() throws Exception {
            tells(leader(), "member", "list");
            // Until all have been within reach for five seconds.
            until("healthy", () -> !ask(leader(), "member", "add", "x", "--peer-urls=" + peerUrl(0)).stderr()
                    .contains("unhealthy"));
            tells(leader(), "member", "add", "x", "--peer-urls=" + peerUrl(0));
            tells(leader(), "member", "add", "x", "--peer-urls=nowhere");
            tells(leader(), "member", "remove", "1");
            tells(leader(), "member", "update", id(0), "--peer-urls=" + peerUrl(1));
            tells(leader(), "member", "update", "1", "--peer-urls=http://127.0.0.1:1");
            tells(leader(), "member", "promote", id(0));
            tells(leader(), "member", "promote", "1");
            tells(follower(), "member", "promote", "1");
            tells(leader(), "move-leader", "1");
        }

        private void learner(String three) throws Exception {
            tells(leader(), "member", "add", "m3", "--learner", "--peer-urls=" + peerUrl(3));
            tells(leader(), "member", "list");
            tells(leader(), "member", "add", "x", "--learner", "--peer-urls=http://127.0.0.1:1");
            tells(leader(), "member", "promote", id(3));
            tells(follower(), "member", "promote", id(3));
            ServerProcess fourth = member(3, three + ",m3=" + peerUrl(3), "existing");
            members.add(fourth);
            fourth.spawn();
            until("the learner has started", () -> list().get(3).contains("\"name\":\"m3\""));
            tells(leader(), "member", "list");
            tells(leader(), "endpoint", "health", "--cluster");
            until("the learner is in sync", () -> ask(follower(), "member", "promote", id(3)).exitCode() == 0);
            tells(leader(), "member", "list");
            tells(leader(), "member", "promote", id(3));
            tells(leader(), "member", "update", id(3), "--peer-urls=" + peerUrl(3) + ",http://127.0.0.1:1");
            tells(follower(), "member", "list");
            statuses();
        }

        private void leadership() throws Exception {
            int to = follower();
            int from = leader();
            names.put(id(from), "LEADER");
            names.put(id(to), "FOLLOWER");
            tells(from, "move-leader", id(to));
            assertThat(leader()).isEqualTo(to);
            names.remove(id(from));
            names.remove(id(to));
            String gone = id(3);
            until("healthy", () -> !ask(leader(), "member", "remove", gone).stderr().contains("unhealthy"));
            tells(leader(), "member", "remove", gone);
            tells(leader(), "member", "list");
            tells(leader(), "endpoint", "health", "--cluster");
        }

        /** Versions and roles; sizes and indices are each server's own, and etcd sets its storage version when it comes to it. */
        private void statuses() throws Exception {
            List<String> lines = new ArrayList<>();
            for (JsonElement element : JsonParser
                    .parseString(ask(0, "endpoint", "status", "--cluster", "-w", "json").stdout()).getAsJsonArray()) {
                JsonObject status = element.getAsJsonObject().getAsJsonObject("Status");
                lines.add(element.getAsJsonObject().get("Endpoint") + " " + status.get("version") + " "
                        + status.get("isLearner") + " " + status.get("errors"));
            }
            transcript.add("endpoint status --cluster:\n" + String.join("\n", lines.stream().sorted().toList()));
        }

        // ---- asking

        private Program.Result ask(int member, String... arguments) throws Exception {
            String[] all = Stream.concat(Stream.of("--endpoints=http://127.0.0.1:" + ports.get(2 * member)),
                    Stream.of(arguments)).toArray(String[]::new);
            return Program.of(Tools.built("etcdctl")).run(all);
        }

        private void tells(int member, String... arguments) throws Exception {
            Program.Result result = ask(member, arguments);
            Matcher added = ADDED.matcher(result.stdout());
            if (added.find()) {
                names.put(added.group(1), "ADDED");
            }
            transcript.add(normal(String.join(" ", arguments)) + ": " + result.exitCode() + "\n"
                    + normal(result.stdout()) + normal(withoutLog(result.stderr())));
        }

        private static String withoutLog(String stderr) {
            return String.join("\n", stderr.lines().filter(line -> !line.startsWith("{")).toList());
        }

        /** The order of ids made from the time is chance, and how long it took is no fact. */
        private String normal(String text) {
            String named = text.replaceAll("took = .*", "took = T").replaceAll("\"ts\":\"[^\"]*\"", "TS");
            for (Map.Entry<String, String> name : names.entrySet()) {
                // etcdctl fills ids up to 16 places, which those need that begin with a zero.
                named = named.replaceAll(" *" + name.getKey(), " " + name.getValue());
            }
            return String.join("\n", named.lines().map(line -> line.startsWith("ETCD_INITIAL_CLUSTER=")
                    ? String.join(",", Arrays.stream(line.replace("\"", "").replace("ETCD_INITIAL_CLUSTER=", "")
                            .split(",", -1)).sorted().toList())
                    : line).sorted().toList()) + "\n";
        }

        // ---- who is who

        private List<String> list() throws Exception {
            List<String> byPort = new ArrayList<>();
            JsonObject answer = JsonParser.parseString(ask(0, "member", "list", "-w", "json", "--hex").stdout())
                    .getAsJsonObject();
            for (int i = 0; i < 4; i++) {
                String url = "\"" + peerUrl(i) + "\"";
                String found = "";
                for (JsonElement member : answer.getAsJsonArray("members")) {
                    found = member.toString().contains(url) ? member.toString() : found;
                }
                byPort.add(found);
            }
            return byPort;
        }

        private String id(int i) throws Exception {
            for (String line : ask(0, "member", "list").lines()) {
                if (line.contains(peerUrl(i) + ",")) {
                    return line.substring(0, line.indexOf(','));
                }
            }
            throw new AssertionError(kind + ": no member has " + peerUrl(i));
        }

        private int leader() throws Exception {
            for (long end = System.currentTimeMillis() + PATIENCE_MILLIS; System.currentTimeMillis() < end;) {
                for (int i = 0; i < members.size(); i++) {
                    Program.Result status = ask(i, "endpoint", "status", "-w", "json");
                    if (status.exitCode() != 0) {
                        continue;
                    }
                    JsonObject answer = JsonParser.parseString(status.stdout()).getAsJsonArray().get(0)
                            .getAsJsonObject().getAsJsonObject("Status");
                    if (answer.has("leader")
                            && answer.get("leader").equals(answer.getAsJsonObject("header").get("member_id"))) {
                        return i;
                    }
                }
            }
            throw new AssertionError(kind + ": nobody leads");
        }

        /** One of the first three. */
        private int follower() throws Exception {
            return leader() == 0 ? 1 : 0;
        }

        private void until(String what, Condition condition) throws Exception {
            for (long end = System.currentTimeMillis() + PATIENCE_MILLIS; !condition.holds();) {
                if (System.currentTimeMillis() > end) {
                    throw new AssertionError(kind + ": not within " + PATIENCE_MILLIS + " ms: " + what + "\n"
                            + String.join("\n", transcript));
                }
                Thread.sleep(200);
            }
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }
}
