package dev.quoin.trial;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

/** An unmodified etcdctl works as it does with etcd: Debian's 3.4, and 3.7.1's own. */
@Tag("interop")
class EtcdctlTest {
    private static final String PROMPTS = """
            compares:
            success requests (get, put, del):
            failure requests (get, put, del):
            """;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path home;

    @SuppressWarnings("NullAway.Init")
    private static ServerProcess server;

    /** The two of them; each works below a prefix of its own. */
    enum Etcdctl {
        V3_4,
        V3_7;

        private Program program() {
            return switch (this) {
                case V3_4 -> Program.of(Tools.system("etcdctl", "etcd-client")).with("ETCDCTL_API", "3");
                case V3_7 -> Program.of(Tools.built("etcdctl"));
            };
        }

        private Program.Result run(String... arguments) throws Exception {
            return feed("", arguments);
        }

        private Program.Result feed(String stdin, String... arguments) throws Exception {
            String[] all = Stream.concat(Stream.of("--endpoints=" + server.clientUrl()), Stream.of(arguments))
                    .toArray(String[]::new);
            return program().feed(stdin, all);
        }

        /** What it prints when it succeeds. */
        private String prints(String... arguments) throws Exception {
            Program.Result result = run(arguments);
            assertThat(result.exitCode()).as("%s %s: %s", this, List.of(arguments), result.stderr()).isZero();
            return result.stdout();
        }

        private JsonObject json(String... arguments) throws Exception {
            return JsonParser
                    .parseString(
                            prints(Stream.concat(Stream.of("-w", "json"), Stream.of(arguments)).toArray(String[]::new)))
                    .getAsJsonObject();
        }

        private void refuses(String text, String... arguments) throws Exception {
            Program.Result result = run(arguments);
            assertThat(result.exitCode()).as("%s %s", this, List.of(arguments)).isEqualTo(1);
            assertThat(result.stderr().lines().toList()).last().isEqualTo("Error: " + text);
            assertThat(result.stdout()).isEmpty();
        }

        private String key(String name) {
            return name() + "/" + name;
        }
    }

    @BeforeAll
    static void start() throws Exception {
        server = ServerProcess.started(home);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @ParameterizedTest
    @EnumSource
    void putsGetsAndDeletes(Etcdctl etcdctl) throws Exception {
        String key = etcdctl.key("simple");
        assertThat(etcdctl.prints("get", key)).isEmpty();
        assertThat(etcdctl.prints("put", key, "first")).isEqualTo("OK\n");
        assertThat(etcdctl.prints("get", key)).isEqualTo(key + "\nfirst\n");
        assertThat(etcdctl.prints("put", "--prev-kv", key, "second")).isEqualTo("OK\n" + key + "\nfirst\n");
        assertThat(etcdctl.prints("get", "--print-value-only", key)).isEqualTo("second\n");
        assertThat(etcdctl.prints("get", "--consistency=s", key)).isEqualTo(key + "\nsecond\n");
        assertThat(etcdctl.prints("del", "--prev-kv", key)).isEqualTo("1\n" + key + "\nsecond\n");
        assertThat(etcdctl.prints("del", key)).isEqualTo("0\n");
        assertThat(etcdctl.prints("get", key)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void putsAValueFromItsInput(Etcdctl etcdctl) throws Exception {
        String key = etcdctl.key("piped");
        assertThat(etcdctl.feed("two\nlines", "put", key).stdout()).isEqualTo("OK\n");
        assertThat(etcdctl.prints("get", "--print-value-only", key)).isEqualTo("two\nlines\n");
    }

    @ParameterizedTest
    @EnumSource
    void listsInEveryWay(Etcdctl etcdctl) throws Exception {
        String prefix = etcdctl.key("list/");
        for (String pair : List.of("a 3", "b 1", "c 2")) {
            etcdctl.prints("put", prefix + pair.charAt(0), pair.substring(2));
        }
        etcdctl.prints("put", prefix + "b", "1");
        assertThat(names(prefix, etcdctl.prints("get", "--prefix", "--keys-only", prefix))).isEqualTo("a b c");
        assertThat(names(prefix, etcdctl.prints("get", "--prefix", "--keys-only", "--limit=2", prefix)))
                .isEqualTo("a b");
        assertThat(names(prefix, etcdctl.prints("get", "--keys-only", prefix + "a", prefix + "c"))).isEqualTo("a b");
        assertThat(names(prefix, etcdctl.prints("get", "--prefix", "--keys-only", "--order=DESCEND", prefix)))
                .isEqualTo("c b a");
        assertThat(names(prefix, etcdctl.prints("get", "--prefix", "--keys-only", "--order=ASCEND", "--sort-by=VALUE",
                prefix))).isEqualTo("b c a");
        assertThat(names(prefix, etcdctl.prints("get", "--prefix", "--keys-only", "--order=DESCEND",
                "--sort-by=VERSION", "--limit=1", prefix))).isEqualTo("b");
        JsonObject page = etcdctl.json("get", "--prefix", "--limit=2", prefix);
        assertThat(page.get("count").getAsInt()).isEqualTo(3);
        assertThat(page.get("more").getAsBoolean()).isTrue();
        assertThat(etcdctl.prints("del", "--prefix", prefix)).isEqualTo("3\n");
    }

    /** Keys without their prefix, in one line. */
    private static String names(String prefix, String printed) {
        return String.join(" ", printed.lines().filter(line -> !line.isEmpty())
                .map(line -> line.startsWith(prefix) ? line.substring(prefix.length()) : "?" + line).toList());
    }

    @ParameterizedTest
    @EnumSource
    void countsWithoutReading(Etcdctl etcdctl) throws Exception {
        String prefix = etcdctl.key("count/");
        etcdctl.prints("put", prefix + "a", "1");
        etcdctl.prints("put", prefix + "b", "2");
        // 3.4 has no --count-only, but its answer with a limit carries the whole count as well.
        String[] arguments = etcdctl == Etcdctl.V3_4
                ? new String[]{"get", "--prefix", "--limit=1", "-w", "fields", prefix}
                : new String[]{"get", "--prefix", "--count-only", "-w", "fields", prefix};
        assertThat(etcdctl.prints(arguments).lines()).contains("\"Count\" : 2");
    }

    @ParameterizedTest
    @EnumSource
    void readsThePast(Etcdctl etcdctl) throws Exception {
        String key = etcdctl.key("past");
        long first = etcdctl.json("put", key, "old").getAsJsonObject("header").get("revision").getAsLong();
        etcdctl.prints("put", key, "new");
        assertThat(etcdctl.prints("get", "--rev=" + first, key)).isEqualTo(key + "\nold\n");
        assertThat(etcdctl.prints("get", "--rev=" + (first - 1), key)).isEmpty();
        etcdctl.refuses("etcdserver: mvcc: required revision is a future revision", "get", "--rev=1000000", key);
    }

    @ParameterizedTest
    @EnumSource
    void printsFieldsAndJson(Etcdctl etcdctl) throws Exception {
        String key = etcdctl.key("fields");
        etcdctl.prints("put", key, "v");
        assertThat(etcdctl.prints("get", "-w", "fields", key).lines().filter(line -> !line.isEmpty())
                .map(line -> line.replaceAll("(ID|Revision|Term)\" : [1-9]\\d*$", "$1\" : N"))).containsExactly(
                        "\"ClusterID\" : N", "\"MemberID\" : N", "\"Revision\" : N", "\"RaftTerm\" : N",
                        "\"Key\" : \"" + key + "\"", "\"CreateRevision\" : N", "\"ModRevision\" : N",
                        "\"Version\" : 1", "\"Value\" : \"v\"", "\"Lease\" : 0", "\"More\" : false", "\"Count\" : 1");
        JsonObject answer = etcdctl.json("get", key);
        assertThat(answer.keySet()).containsExactly("header", "kvs", "count");
        assertThat(answer.getAsJsonObject("header").keySet()).containsExactly("cluster_id", "member_id", "revision",
                "raft_term");
        assertThat(answer.getAsJsonArray("kvs").get(0).getAsJsonObject().keySet()).containsExactly("key",
                "create_revision", "mod_revision", "version", "value");
    }

    @ParameterizedTest
    @EnumSource
    void comparesAndSwaps(Etcdctl etcdctl) throws Exception {
        String key = etcdctl.key("cas");
        etcdctl.prints("put", key, "old");
        String swap = """
                value("%s") = "old"

                put %s new

                get %s

                """.formatted(key, key, key);
        assertThat(etcdctl.feed(swap, "txn", "-i").stdout()).isEqualTo(PROMPTS + "SUCCESS\n\nOK\n");
        assertThat(etcdctl.feed(swap, "txn", "-i").stdout())
                .isEqualTo(PROMPTS + "FAILURE\n\n" + key + "\nnew\n");
    }

    @ParameterizedTest
    @EnumSource
    void createsOnce(Etcdctl etcdctl) throws Exception {
        String key = etcdctl.key("create");
        String create = """
                create("%s") = "0"

                put %s mine
                get %s

                del %s

                """.formatted(key, key, key, key);
        assertThat(etcdctl.feed(create, "txn").stdout()).isEqualTo("SUCCESS\n\nOK\n\n" + key + "\nmine\n");
        assertThat(etcdctl.feed(create, "txn").stdout()).isEqualTo("FAILURE\n\n1\n");
        assertThat(etcdctl.prints("get", key)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void saysThatItIsHealthy(Etcdctl etcdctl) throws Exception {
        Program.Result health = etcdctl.run("endpoint", "health");
        assertThat(health.exitCode()).as(health.stderr()).isZero();
        assertThat(health.stdout() + health.stderr())
                .startsWith(server.clientUrl() + " is healthy: successfully committed proposal: took = ");
    }

    @ParameterizedTest
    @EnumSource
    void saysHowItIs(Etcdctl etcdctl) throws Exception {
        assertThat(etcdctl.prints("endpoint", "status")).startsWith(server.clientUrl() + ", ").contains(", 3.7.1, ");
        JsonObject status = JsonParser.parseString(etcdctl.prints("endpoint", "status", "-w", "json")).getAsJsonArray()
                .get(0).getAsJsonObject();
        assertThat(status.get("Endpoint").getAsString()).isEqualTo(server.clientUrl());
        JsonObject answer = status.getAsJsonObject("Status");
        assertThat(answer.get("leader")).isEqualTo(answer.getAsJsonObject("header").get("member_id"));
        assertThat(answer.keySet()).contains("header", "version", "dbSize", "leader", "raftIndex", "raftTerm",
                "raftAppliedIndex", "dbSizeInUse");
        if (etcdctl == Etcdctl.V3_7) {
            assertThat(answer.get("storageVersion").getAsString()).isEqualTo("3.7.0");
            assertThat(answer.get("dbSizeQuota").getAsLong()).isEqualTo(2L << 30);
            assertThat(answer.keySet()).contains("downgradeInfo");
        }
    }

    @ParameterizedTest
    @EnumSource
    void namesItsMembers(Etcdctl etcdctl) throws Exception {
        assertThat(etcdctl.prints("member", "list")).matches("[0-9a-f]{1,16}, started, default, "
                + literally(server.peerUrl()) + ", " + literally(server.clientUrl()) + ", false\n");
        assertThat(etcdctl.json("member", "list").getAsJsonObject("header").keySet()).containsExactly("cluster_id",
                "member_id", "raft_term");
    }

    private static String literally(String text) {
        return Pattern.quote(text);
    }

    @ParameterizedTest
    @EnumSource
    void printsEtcdsRefusals(Etcdctl etcdctl) throws Exception {
        etcdctl.refuses("etcdserver: key is not provided", "get", "");
        etcdctl.refuses("etcdserver: key is not provided", "put", "", "value");
        etcdctl.refuses("etcdserver: key not found", "put", "--ignore-value", etcdctl.key("never"));
        etcdctl.refuses("etcdserver: requested lease not found", "put", "--lease=4d2", etcdctl.key("leased"), "v");
        Program.Result twice = etcdctl.feed("\nput %1$s 1\nput %1$s 2\n\n\n".formatted(etcdctl.key("twice")), "txn");
        assertThat(twice.exitCode()).isEqualTo(1);
        assertThat(twice.stderr()).endsWith("Error: etcdserver: duplicate key given in txn request\n");
    }

    /** It watches for ever; so what it is told to run for each event ends it after the second. */
    @ParameterizedTest
    @EnumSource
    void watches(Etcdctl etcdctl) throws Exception {
        String key = etcdctl.key("watched");
        long revision = etcdctl.json("put", key, "1").getAsJsonObject("header").get("revision").getAsLong();
        etcdctl.prints("del", key);
        Program.Result watch = etcdctl.run("watch", "--rev=" + revision, "--prev-kv", key, "--", "sh", "-c",
                "echo \"$ETCD_WATCH_EVENT_TYPE\"; test \"$ETCD_WATCH_EVENT_TYPE\" = '\"PUT\"' || kill -KILL $PPID");
        assertThat(watch.stdout().lines().filter(line -> line.contains("PUT") || line.contains("DELETE")))
                .containsExactlyInAnyOrder("PUT", "DELETE", "\"PUT\"", "\"DELETE\"");
    }
}
