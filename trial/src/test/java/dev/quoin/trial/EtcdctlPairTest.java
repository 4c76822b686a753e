package dev.quoin.trial;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Our etcdctl beside real etcdctl 3.7.1: some 350 invocations, run one after the other by each tool, each of a server of its own. Two real
 * etcds, or two of ours. Both must print the same and end with the same exit code; ids, addresses, times and the positions in raft's log
 * are put aside, and of log lines on standard error the messages alone are compared.
 */
@Tag("interop")
class EtcdctlPairTest {
    private static final String SCRIPT = "etcdctl-invocations.txt";
    private static final int INVOCATIONS_MIN = 300;

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    /** One line of the script. */
    private record Line(String text, boolean isRaw, boolean isOfOneServer, Map<String, String> environment,
            List<String> words,
            String stdin) {
        private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

        static Line of(String text) {
            boolean isRaw = text.startsWith("!");
            boolean isOfOneServer = text.startsWith("=");
            String rest = isRaw || isOfOneServer ? text.substring(1) : text;
            int input = rest.indexOf(" < ");
            String stdin = input < 0 ? "" : rest.substring(input + 3).replace("\\n", "\n");
            Map<String, String> environment = new TreeMap<>();
            List<String> words = new ArrayList<>();
            Matcher matcher = WORD.matcher(input < 0 ? rest : rest.substring(0, input));
            while (matcher.find()) {
                String word = Objects.requireNonNullElse(matcher.group(1), matcher.group(2));
                int equals = word.indexOf('=');
                if (words.isEmpty() && word.startsWith("ETCDCTL_")) {
                    environment.put(word.substring(0, equals), word.substring(equals + 1));
                } else {
                    words.add(word);
                }
            }
            return new Line(text, isRaw, isOfOneServer, environment, words, stdin);
        }
    }

    private static List<Line> script() throws Exception {
        try (var in = Objects.requireNonNull(EtcdctlPairTest.class.getResourceAsStream(SCRIPT))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.isEmpty() && !line.startsWith("#")).map(Line::of).toList();
        }
    }

    /** A tool, the server it asks, and what it has learned from earlier answers. */
    private static final class Side {
        private final Path tool;
        private final ServerProcess server;
        private final Map<String, String> names = new TreeMap<>();

        Side(Path tool, ServerProcess server) {
            this.tool = tool;
            this.server = server;
            names.put("{endpoint}", server.clientUrl());
            names.put("{peer}", server.peerUrl());
            names.put("{lease}", "1");
            names.put("{member}", "1");
        }

        private String filled(String word) {
            String filled = word;
            for (Map.Entry<String, String> name : names.entrySet()) {
                filled = filled.replace(name.getKey(), name.getValue());
            }
            return filled;
        }

        Program.Result run(Line line) throws Exception {
            return run(line, server);
        }

        Program.Result run(Line line, ServerProcess asked) throws Exception {
            Program program = line.isOfOneServer
                    ? Program.of(Path.of("/bin/sh"), "-c", "{ \"$0\" \"$@\"; echo exit code $? >&2; } | od -An -tx1",
                            tool.toString())
                    : Program.of(tool);
            program.within(Duration.ofSeconds(60));
            line.environment.forEach((name, value) -> program.with(name, filled(value)));
            List<String> words = new ArrayList<>();
            if (!line.isRaw) {
                words.add("--endpoints=" + asked.clientUrl());
            }
            line.words.forEach(word -> words.add(filled(word)));
            Program.Result result = program.feed(line.stdin, words.toArray(String[]::new));
            learn(result.stdout());
            return result;
        }

        private static final Pattern LEASE = Pattern.compile("lease ([0-9a-f]{16}) granted with TTL\\(600s\\)\n");
        private static final Pattern MEMBER = Pattern.compile("Member +([0-9a-f]+) added");
        private static final Pattern SELF = Pattern.compile("^([0-9a-f]+), started, default", Pattern.MULTILINE);

        private void learn(String stdout) {
            learn("{lease}", LEASE, stdout);
            learn("{member}", MEMBER, stdout);
            learn("{self}", SELF, stdout);
        }

        private void learn(String name, Pattern pattern, String stdout) {
            Matcher matcher = pattern.matcher(stdout);
            if (matcher.find()) {
                names.put(name, matcher.group(1));
            }
        }
    }

    private static final Pattern LOG_LINE = Pattern.compile("\\{\"level\":.*\"msg\":\"([^\"]*)\".*\\}");

    /** What is left of an output when what may differ is put aside. */
    private static String plain(String output, Side side, Line line) {
        String text = output.replace(side.server.clientUrl(), "ENDPOINT").replace(side.server.peerUrl(), "PEER");
        text = LOG_LINE.matcher(text).replaceAll("LOG $1");
        text = text.replaceAll("\"(cluster_id|member_id|leader|ID|id|memberID|lease|raft_term)\":\"?[0-9a-f]+\"?",
                "\"$1\":N");
        text = text.replaceAll("\"(ClusterID|MemberID|Leader|ID|Lease|RaftTerm)\" : [1-9a-f][0-9a-f]*", "\"$1\" : N");
        text = text.replaceAll("\\b[0-9a-f]{14,16}\\b", "ID").replaceAll(" +ID\\b", " ID");
        text = text.replaceAll("\\d[0-9.hm]*(s|ms|µs)\\b", "TIME").replaceAll("remaining\\(TIME\\)", "remaining(T)");
        text = text.replaceAll("\"(ttl|TTL)\":\\d+", "\"$1\":T").replaceAll("\"TTL\" : \\d+", "\"TTL\" : T");
        text = text.replaceAll("\\(\\d+ vs\\. ", "(N vs. ").replaceAll("stty: .*\n", "");
        text = text.replaceAll("memberID:\\d+ +alarm", "memberID:N alarm");
        if (text.contains("ID │")) {
            // An id that begins with a zero is shorter, and its column narrower.
            text = text.replaceAll("[─┬┼┴]+", "─").replaceAll(" +", " ");
        }
        if (line.words.contains("status") || line.words.contains("health")) {
            // Sizes and positions, and the widths that come of them.
            text = text.replaceAll("[─┬┼┴]+", "─").replaceAll(" +", " ").replaceAll("\\d+(\\.\\d+)?( [kM]?B|%)?", "N");
        }
        return text;
    }

    /** Where we differ on purpose, with the reason. */
    private static final Map<String, String> ARGUED = Map.of("member add new --learner --peer-urls=http://127.0.0.1:1",
            "members are told in the order of their ids, and that of the new one is chance",
            "member update {member} --peer-urls=http://127.0.0.1:2 -w json", "the same", "member list", "the same");

    private final List<ServerProcess> servers = new ArrayList<>();

    @AfterEach
    void close() {
        servers.forEach(ServerProcess::close);
    }

    private Stream<DynamicTest> compare(ServerProcess first, ServerProcess second) throws Exception {
        servers.addAll(List.of(first, second));
        List<Line> script = script();
        assertThat(script).hasSizeGreaterThan(INVOCATIONS_MIN);
        Side theirs = new Side(Tools.built("etcdctl"), first);
        Side ours = new Side(ours(), second);
        return script.stream().map(line -> DynamicTest.dynamicTest(line.text, () -> compare(line, theirs, ours)));
    }

    private static Path ours() {
        return ServerProcess.image().resolveSibling("etcdctl");
    }

    private static void compare(Line line, Side theirs, Side ours) throws Exception {
        Program.Result expected = line.isOfOneServer ? theirs.run(line, ours.server) : theirs.run(line);
        Program.Result actual = ours.run(line);
        if (ARGUED.containsKey(line.text)) {
            return;
        }
        assertThat(whole(actual, ours, line)).isEqualTo(whole(expected, theirs, line));
    }

    private static String whole(Program.Result result, Side side, Line line) {
        String stdout = line.isOfOneServer ? result.stdout() : plain(result.stdout(), side, line);
        return "exit code " + result.exitCode() + "\n--- stdout\n" + stdout + "\n--- stderr\n"
                + plain(result.stderr(), side, line);
    }

    @TestFactory
    Stream<DynamicTest> ofRealEtcd() throws Exception {
        return compare(etcd("first"), etcd("second"));
    }

    private ServerProcess etcd(String name) throws Exception {
        Path directory = Files.createDirectories(home.resolve(name));
        List<Integer> ports = ServerProcess.freePorts(2);
        ServerProcess server = ServerProcess.of(Tools.built("etcd"), directory, ports.get(0), ports.get(1));
        server.start();
        return server;
    }

    @TestFactory
    Stream<DynamicTest> ofQuoin() throws Exception {
        Path first = Files.createDirectories(home.resolve("first"));
        Path second = Files.createDirectories(home.resolve("second"));
        return compare(ServerProcess.started(first), ServerProcess.started(second));
    }
}
