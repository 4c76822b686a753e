package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Whoever manages users with etcdctl, and the users themselves, are told by Quoin what they are told by etcd: the same script
 * is run against both, and what is printed is compared. Of three members one is asked that does not lead.
 */
@Tag("interop")
class AuthControlTest {
    private static final long PATIENCE_MILLIS = 60_000;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void usersAreToldWhatEtcdTellsThem(int size) throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2 * size);
        List<String> etcd = new Script(Tools.built("etcd"), "etcd", ports).run();
        List<String> quoin = new Script(ServerProcess.image(), "quoin", ports).run();
        assertThat(String.join("\n", quoin)).isEqualTo(String.join("\n", etcd));
    }

    private final class Script {
        private final Path server;
        private final String kind;
        private final List<Integer> ports;
        private final List<ServerProcess> members = new ArrayList<>();
        private final List<String> transcript = new ArrayList<>();
        private int asked;

        Script(Path server, String kind, List<Integer> ports) {
            this.server = server;
            this.kind = kind;
            this.ports = ports;
        }

        List<String> run() throws Exception {
            try {
                int size = ports.size() / 2;
                String all = String.join(",",
                        Stream.iterate(0, i -> i + 1).limit(size).map(i -> "m" + i + "=" + peerUrl(i)).toList());
                for (int i = 0; i < size; i++) {
                    Path directory = Files.createDirectories(home.resolve(kind + size + i));
                    members.add(ServerProcess.of(server, directory, ports.get(2 * i), ports.get(2 * i + 1)).with(
                            "--name", "m" + i, "--initial-cluster", all, "--bcrypt-cost", "4"));
                    members.get(i).spawn();
                }
                for (ServerProcess member : members) {
                    member.awaitReady();
                }
                asked = size == 1 ? 0 : follower();
                beforehand();
                control();
                asUsers();
                leases();
                changes();
                afterwards();
                return transcript;
            } finally {
                members.forEach(ServerProcess::close);
            }
        }

        private String peerUrl(int i) {
            return "http://127.0.0.1:" + ports.get(2 * i + 1);
        }

        // ---- the script

        /** Users and roles may be managed by anybody until access is controlled. */
        private void beforehand() throws Exception {
            tells("auth", "status");
            tells("auth", "enable");
            tells("user", "add", "root:rootpw");
            tells("user", "add", "root:again");
            tells("auth", "enable", "--user=root:rootpw");
            tells("auth", "disable", "--user=root:rootpw");
            tells("user", "add", "alice:alicepw");
            tells("user", "add", "bob:bobpw");
            tells("user", "add", "silent", "--no-password");
            tells("user", "add", "long:" + "x".repeat(73));
            tells("user", "list");
            tells("role", "add", "keys");
            tells("role", "add", "keys");
            tells("role", "grant-permission", "keys", "readwrite", "k/", "k0");
            tells("role", "grant-permission", "keys", "read", "shared");
            tells("role", "grant-permission", "keys", "write", "b", "a");
            tells("role", "grant-permission", "none", "write", "b");
            tells("role", "add", "all");
            tells("role", "grant-permission", "all", "read", "a", "--from-key");
            tells("role", "get", "keys");
            tells("role", "get", "all");
            tells("role", "get", "root");
            tells("role", "get", "none");
            tells("role", "list");
            tells("user", "grant-role", "alice", "keys");
            tells("user", "grant-role", "alice", "none");
            tells("user", "grant-role", "nobody", "keys");
            tells("user", "get", "alice");
            tells("user", "get", "alice", "--detail");
            tells("user", "get", "nobody");
            tells("user", "revoke-role", "alice", "all");
            tells("role", "revoke-permission", "keys", "none");
            tells("put", "k/1", "one");
            tells("put", "o/1", "theirs");
            tells("get", "k/1", "--user=alice:alicepw");
        }

        private void control() throws Exception {
            tells("user", "grant-role", "root", "root");
            tells("auth", "enable");
            tells("auth", "enable");
            tells("auth", "status");
            tells("auth", "status", "--user=root:rootpw");
            tells("put", "k/1", "x");
            tells("get", "k/1");
            tells("get", "k/1", "--user=alice:wrong");
            tells("get", "k/1", "--user=nobody:x");
            tells("get", "k/1", "--user=silent:x");
            tells("user", "list");
            tells("user", "list", "--user=alice:alicepw");
            tells("user", "list", "--user=root:rootpw");
            tells("user", "get", "alice", "--user=alice:alicepw");
            tells("user", "get", "bob", "--user=alice:alicepw");
            tells("role", "get", "keys", "--user=alice:alicepw");
            tells("role", "get", "all", "--user=alice:alicepw");
            tells("user", "delete", "root", "--user=root:rootpw");
            tells("role", "delete", "root", "--user=root:rootpw");
            tells("user", "revoke-role", "root", "root", "--user=root:rootpw");
            tells("user", "add", "eve:x", "--user=alice:alicepw");
            tells("auth", "disable", "--user=alice:alicepw");
        }

        private void asUsers() throws Exception {
            for (String user : List.of("alice:alicepw", "bob:bobpw", "root:rootpw")) {
                String as = "--user=" + user;
                tells("put", "k/2", "two", as);
                tells("put", "o/2", "two", as);
                tells("put", "shared", "two", as);
                tells("put", "k/2", "three", "--prev-kv", as);
                tells("get", "k/2", as);
                tells("get", "o/1", as);
                tells("get", "shared", as);
                tells("get", "k/", "--prefix", as);
                tells("get", "k/", "--from-key", as);
                tells("get", "", "--prefix", "--keys-only", as);
                tells("get", "k/2", "--consistency=s", as);
                feeds("value(\"k/2\") = \"three\"\n\nput k/3 x\n\nget k/2\n\n", "txn", as);
                feeds("value(\"o/1\") = \"three\"\n\nget k/2\n\nget k/2\n\n", "txn", as);
                feeds("\nget k/2\n\nput o/2 x\n\n", "txn", as);
                tells("del", "k/3", as);
                tells("del", "k/", "k1", "--prev-kv", as);
                tells("del", "o/none", as);
                tells("compaction", "1", as);
                tells("member", "list", "-w", "fields", as);
                tells("member", "remove", "1", as);
                tells("alarm", "list", as);
                tells("alarm", "disarm", as);
                tells("defrag", as);
                tells("move-leader", "1", as);
                tells("endpoint", "status", as);
                tells("endpoint", "hashkv", as);
                tells("endpoint", "health", as);
            }
            tells("member", "list");
            tells("alarm", "list");
            tells("endpoint", "health");
        }

        private void leases() throws Exception {
            String root = "--user=root:rootpw";
            String alices = id(ask("lease", "grant", "600", "--user=alice:alicepw").stdout());
            String others = id(ask("lease", "grant", "600", root).stdout());
            tells("put", "k/leased", "x", "--lease=" + alices, "--user=alice:alicepw");
            tells("put", "o/leased", "x", "--lease=" + others, root);
            for (String as : List.of("--user=alice:alicepw", "--user=bob:bobpw", root, "--command-timeout=5s")) {
                tells("lease", "timetolive", alices, "--keys", as);
                tells("lease", "timetolive", others, "--keys", as);
                tells("lease", "keep-alive", alices, "--once", as);
                tells("lease", "keep-alive", others, "--once", as);
                tells("lease", "list", as);
                tells("put", "k/more", "x", "--lease=" + others, as);
                tells("lease", "grant", "10", as);
            }
            tells("lease", "revoke", others, "--user=alice:alicepw");
            tells("lease", "revoke", alices, "--user=bob:bobpw");
            tells("lease", "revoke", alices);
            tells("lease", "revoke", alices, "--user=alice:alicepw");
            tells("lease", "revoke", others, root);
        }

        /** What is changed counts at once, for those who have logged in, too. */
        private void changes() throws Exception {
            String root = "--user=root:rootpw";
            tells("user", "grant-role", "bob", "all", root);
            tells("get", "o/1", "--user=bob:bobpw");
            tells("get", "o/", "--from-key", "--keys-only", "--user=bob:bobpw");
            tells("put", "o/1", "x", "--user=bob:bobpw");
            tells("role", "revoke-permission", "all", "a", "--from-key", root);
            tells("get", "o/1", "--user=bob:bobpw");
            feeds("newpw\n", "user", "passwd", "bob", "--interactive=false", root);
            tells("user", "get", "bob", "--user=bob:bobpw");
            tells("user", "get", "bob", "--user=bob:newpw");
            tells("user", "grant-role", "bob", "root", root);
            tells("user", "list", "--user=bob:newpw");
            tells("role", "delete", "keys", "--user=bob:newpw");
            tells("get", "k/1", "--user=alice:alicepw");
            tells("user", "get", "alice", "--user=alice:alicepw");
            tells("user", "delete", "alice", root);
            tells("get", "k/1", "--user=alice:alicepw");
        }

        private void afterwards() throws Exception {
            tells("auth", "disable", "--user=root:rootpw");
            tells("get", "k/1");
            tells("auth", "status");
            tells("user", "list");
            tells("user", "delete", "root");
            tells("auth", "enable");
        }

        // ---- asking

        private Program.Result ask(String... arguments) throws Exception {
            return feed("", arguments);
        }

        private Program.Result feed(String stdin, String... arguments) throws Exception {
            String[] all = Stream.concat(Stream.of("--endpoints=http://127.0.0.1:" + ports.get(2 * asked)),
                    Stream.of(arguments)).toArray(String[]::new);
            return Program.of(Tools.built("etcdctl")).feed(stdin, all);
        }

        private void tells(String... arguments) throws Exception {
            feeds("", arguments);
        }

        private void feeds(String stdin, String... arguments) throws Exception {
            Program.Result result = feed(stdin, arguments);
            transcript.add(normal(String.join(" ", arguments)) + ": " + result.exitCode() + "\n"
                    + normal(result.stdout()) + normal(withoutLog(result.stderr())));
        }

        private static String withoutLog(String stderr) {
            return String.join("\n", stderr.lines().filter(line -> !line.startsWith("{")).toList());
        }

        /** Ids are made from the time, sizes and hashes are of files and of ids, seconds pass, and another member may lead. */
        private String normal(String text) {
            String address = "127.0.0.1:" + ports.get(2 * asked);
            return text.lines().map(line -> line.replaceAll("\"MemberID\" : .*", "MemberID")
                    .replaceAll("[0-9a-f]{15,16}", "ID").replaceAll("[0-9]{17,20}", "ID")
                    .replaceAll("remaining\\([0-9]+s\\)", "remaining(S)").replaceAll("took.*", "took T")
                    .replaceAll("(127\\.0\\.0\\.1:[0-9]+), ID, 3\\.7\\.1,.*", "$1 has a status")
                    .replaceAll("(127\\.0\\.0\\.1:[0-9]+), [0-9]+$", "$1 has a hash")
                    .replaceAll("\"?RaftTerm\"? : [0-9]+", "RaftTerm")
                    .replaceAll("(member\\[|at \\[|endpoint |^)(http://)?" + address, "$1THE MEMBER"))
                    .reduce("", (one, other) -> one + other + "\n");
        }

        private static String id(String granted) {
            assertThat(granted).startsWith("lease ");
            return granted.split(" ", -1)[1];
        }

        private int follower() throws Exception {
            for (long end = System.currentTimeMillis() + PATIENCE_MILLIS; System.currentTimeMillis() < end;) {
                for (int i = 0; i < members.size(); i++) {
                    asked = i;
                    Program.Result status = ask("endpoint", "status", "-w", "json");
                    if (status.exitCode() != 0) {
                        continue;
                    }
                    JsonObject answer = JsonParser.parseString(status.stdout()).getAsJsonArray().get(0)
                            .getAsJsonObject().getAsJsonObject("Status");
                    if (answer.has("leader")
                            && !answer.get("leader").equals(answer.getAsJsonObject("header").get("member_id"))) {
                        return i;
                    }
                }
            }
            throw new AssertionError(kind + ": nobody follows");
        }
    }
}
