package dev.quoin.trial;

import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentSkipListMap;

import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A live cluster of etcd becomes one of Quoin and one of etcd again, by somebody who types what {@code quoin migrate} says, and nothing
 * else. Clients write all the while.
 */
@Tag("interop")
class MigrateTest {
    private static final List<String> NAMES = List.of("m1", "m2", "m3");
    private static final Duration STOP = Duration.ofSeconds(20);
    private static final int STEPS_MAX = 4;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** Nobody, as long as access is not controlled. */
    private String user = "";

    /** What can run on each host: either program with the same flags on the same directory. */
    private final Map<String, Host> hosts = new LinkedHashMap<>();

    private final class Host {
        final Path directory;
        final Map<String, ServerProcess> programs;

        Host(String etcd, String name, int clientPort, int peerPort, String cluster) throws Exception {
            directory = home.resolve(name + ".data");
            programs = Map.of("etcd", server("etcd", Tools.built(etcd), name, clientPort, peerPort, cluster), "quoin",
                    server("quoin", ServerProcess.image(), name, clientPort, peerPort, cluster));
        }

        private ServerProcess server(String program, Path executable, String name, int clientPort, int peerPort,
                String cluster) throws Exception {
            Path logs = Files.createDirectories(home.resolve(name + "." + program));
            return ServerProcess.of(executable, logs, clientPort, peerPort).on(directory).with("--name", name,
                    "--initial-cluster", cluster);
        }

        ServerProcess program(String name) {
            return Objects.requireNonNull(programs.get(name), name);
        }

        String clientUrl() {
            return program("etcd").clientUrl();
        }
    }

    /** Of this release. */
    private void begin(String etcd) throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2 * NAMES.size());
        List<String> cluster = new ArrayList<>();
        for (int i = 0; i < NAMES.size(); i++) {
            cluster.add(NAMES.get(i) + "=http://127.0.0.1:" + ports.get(2 * i + 1));
        }
        for (int i = 0; i < NAMES.size(); i++) {
            hosts.put(NAMES.get(i),
                    new Host(etcd, NAMES.get(i), ports.get(2 * i), ports.get(2 * i + 1), String.join(",", cluster)));
        }
        for (Host host : hosts.values()) {
            host.program("etcd").spawn();
        }
        for (Host host : hosts.values()) {
            host.program("etcd").awaitReady();
        }
        Program.Result result = migrate("verify");
        assertThat(result.exitCode()).as("%s", result).isZero();
    }

    @AfterEach
    void endAll() {
        hosts.values().forEach(host -> host.programs.values().forEach(ServerProcess::close));
    }

    private String endpoints() {
        return String.join(",", hosts.values().stream().map(Host::clientUrl).toList());
    }

    /** Who asks the members. */
    private Program client(Path program, String... words) {
        Program client = Program.of(program, words).with("ETCDCTL_ENDPOINTS", endpoints());
        return user.isEmpty() ? client : client.with("ETCDCTL_USER", user);
    }

    private Program.Result migrate(String... words) throws Exception {
        return client(ServerProcess.image().resolveSibling("quoin"), "migrate").within(Duration.ofMinutes(2))
                .run(words);
    }

    private String etcdctl(String... words) throws Exception {
        Program.Result result = client(Tools.built("etcdctl")).run(words);
        assertThat(result.exitCode()).as("%s: %s", List.of(words), result.stderr()).isZero();
        return result.stdout();
    }

    /** Looks for the next step. */
    private Program.Result next(String target, String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of("next", "--to", target, "--yes", "--stop", "stop {program} {name}",
                "--start", "start {program} {name}", "--data-dir", home.resolve("{name}.data").toString()));
        words.addAll(List.of(more));
        return migrate(words.toArray(String[]::new));
    }

    /** Does what stands indented in the answer, line by line. */
    private void obey(String answer) throws Exception {
        for (String line : answer.lines().filter(each -> each.startsWith("  ")).map(String::strip).toList()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "stop" -> host(words[2]).program(words[1]).sigterm(STOP);
                case "start" -> host(words[2]).program(words[1]).start();
                case "quoin" -> {
                    Program.Result result = client(ServerProcess.image().resolveSibling("quoin"))
                            .within(Duration.ofMinutes(1))
                            .run(List.of(words).subList(1, words.length).toArray(String[]::new));
                    assertThat(result.exitCode()).as("%s: %s%s", line, result.stdout(), result.stderr()).isZero();
                }
                default -> throw new AssertionError("nobody can type " + line);
            }
        }
    }

    private Host host(String name) {
        return Objects.requireNonNull(hosts.get(name), name);
    }

    private void walk(String target) throws Exception {
        for (int step = 0; step < STEPS_MAX; step++) {
            Program.Result result = next(target);
            System.out.print(result.stdout() + result.stderr());
            assertThat(result.exitCode()).as("%s", result).isZero();
            if (result.stdout().contains("Nothing is left to do")) {
                assertThat(step).as("one step for each member").isEqualTo(NAMES.size());
                return;
            }
            obey(result.stdout());
        }
        throw new AssertionError("it does not come to an end");
    }

    @Test
    void itGoesThereAndBackWhileClientsWrite() throws Exception {
        begin("etcd");
        String members = etcdctl("member", "list");
        try (Writer writer = new Writer(hosts.values().stream().map(host -> host.program("etcd")).toList())) {
            walk("quoin");
            assertThat(migrate("status").stdout()).contains("3 of 3 members are Quoin. All hold the same");
            walk("etcd");
            assertThat(migrate("status", "--to", "etcd").stdout()).contains("3 of 3 members are etcd.");
            writer.stop();
            assertThat(writer.acknowledged).as("written meanwhile").hasSizeGreaterThan(100);
            String held = etcdctl("get", "--prefix", "k");
            writer.acknowledged.forEach((key, value) -> assertThat(held).contains(key + "\n" + value + "\n"));
        }
        assertThat(etcdctl("member", "list")).as("the same members, by the same ids").isEqualTo(members);
        assertThat(etcdctl("alarm", "list")).isEmpty();
        endAll();
        etcdKnowsAllThatWasWritten();
    }

    /** Logs of what each directory is, and of what it was before. */
    private void etcdKnowsAllThatWasWritten() throws Exception {
        List<Path> logs = new ArrayList<>();
        for (Host host : hosts.values()) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(host.directory, "member*")) {
                found.forEach(member -> logs.add(member.resolve("wal")));
            }
        }
        assertThat(logs).as("each was etcd's, Quoin's and etcd's").hasSizeGreaterThanOrEqualTo(2 * NAMES.size());
        for (Path log : logs) {
            Program.Result read = Program.of(Tools.built("walcheck")).within(Duration.ofMinutes(1)).run("read",
                    log.toString(), "--decode");
            assertThat(read.exitCode()).as("%s: %s", log, read.stderr()).isZero();
        }
    }

    /** With users. With the last member of 3.6 the version rises; the way back begins with a downgrade, which stands until all are of 3.6. */
    @Test
    void theReleaseBeforeGoesThereAndBack() throws Exception {
        begin("etcd-3.6");
        etcdctl("user", "add", "root:secret");
        etcdctl("user", "grant-role", "root", "root");
        etcdctl("auth", "enable");
        Program.Result nobody = migrate("verify");
        assertThat(nobody.exitCode()).as("%s: it does not wait", nobody).isEqualTo(1);
        assertThat(nobody.stderr()).contains("etcdserver: user name is empty. Give --user of one of the role root");
        user = "root:secret";
        etcdctl("put", "before", "1");
        walk("quoin");
        etcdctl("put", "between", "2");
        announceDowngrade();
        Program.Result down = migrate("verify", "--to", "etcd");
        assertThat(down.exitCode()).as("%s", down).isZero();
        walk("etcd");
        Program.Result there = migrate("verify", "--to", "etcd");
        assertThat(there.exitCode()).as("%s", there).isZero();
        assertThat(etcdctl("endpoint", "status")).contains(", 3.6.").doesNotContain(", 3.7.");
        assertThat(etcdctl("get", "--prefix", "be")).contains("before\n1\n", "between\n2\n");
        assertThat(etcdctl("alarm", "list")).isEmpty();
    }

    /** Refused until the version has risen. */
    private void announceDowngrade() throws Exception {
        long deadline = System.nanoTime() + STOP.toNanos();
        while (true) {
            Program.Result result = client(Tools.built("etcdctl")).run(
                    "downgrade", "enable", "3.6");
            if (result.exitCode() == 0) {
                return;
            }
            assertThat(System.nanoTime()).as("%s", result).isLessThan(deadline);
            Thread.sleep(500);
        }
    }

    @Test
    void whatIsNotSafeIsRefusedAndAStepThatWasLeftIsFoundAgain() throws Exception {
        begin("etcd");
        Path backup = home.resolve("backup.db");
        Program.Result first = next("quoin", "--snapshot", backup.toString());
        assertThat(first.exitCode()).as("%s", first).isZero();
        assertThat(backup).isNotEmptyFile();

        // A learner.
        String id = addLearner();
        refuses("no step is taken: " + id + " was added and has never been started");
        etcdctl("member", "remove", id);

        assertThat(next("quoin").exitCode()).isZero();

        // One member is down: it comes first, and nothing else is stopped.
        Host m2 = host("m2");
        m2.program("etcd").sigterm(STOP);
        Program.Result finish = next("quoin");
        assertThat(finish.exitCode()).as("%s: no script goes on", finish).isEqualTo(1);
        assertThat(finish.stdout()).contains("First: m2 is started,", "  # start quoin m2\n", "  # start etcd m2\n")
                .doesNotContain("stop");
        Program.Result late = migrate("verify", "m2", "--timeout", "1s");
        assertThat(late.exitCode()).isEqualTo(5);
        assertThat(late.stdout()).contains("waiting: m2 does not answer: dial tcp 127.0.0.1:", "connection refused");

        // Two are: no step at all.
        host("m3").program("etcd").sigterm(STOP);
        Program.Result lost = next("quoin");
        assertThat(lost.exitCode()).as("%s", lost).isEqualTo(1);
        assertThat(lost.stdout()).contains("STOP  1 of 3 voting members answer: that is no quorum.",
                "First: m2 is started,", "First: m3 is started,").doesNotContain("stop ");
        host("m3").program("etcd").spawn();
        m2.program("etcd").start();
        host("m3").program("etcd").awaitReady();
        Program.Result whole = migrate("verify");
        assertThat(whole.exitCode()).as("%s", whole).isZero();
    }

    /** Etcd refuses it until its members have been connected for five seconds. */
    private String addLearner() throws Exception {
        long deadline = System.nanoTime() + STOP.toNanos();
        while (true) {
            Program.Result result = client(Tools.built("etcdctl")).run(
                    "member", "add", "m4", "--learner", "--peer-urls=http://127.0.0.1:1");
            if (result.exitCode() == 0) {
                return result.stdout().split(" ", 3)[1];
            }
            assertThat(System.nanoTime()).as("%s", result).isLessThan(deadline);
            Thread.sleep(500);
        }
    }

    private void refuses(String why) throws Exception {
        Program.Result result = next("quoin");
        assertThat(result.exitCode()).as("%s", result).isEqualTo(1);
        assertThat(result.stderr()).contains("Error: " + why);
        assertThat(result.stdout()).doesNotContain("  stop");
    }

    /** Writes one key after the other, at whichever member takes it, and remembers what was acknowledged. */
    private static final class Writer implements AutoCloseable {
        final ConcurrentSkipListMap<String, String> acknowledged = new ConcurrentSkipListMap<>();
        private final List<PlainClient> clients;
        private final Thread thread;
        private volatile boolean isOver;

        Writer(List<ServerProcess> servers) {
            clients = servers.stream().map(PlainClient::new).toList();
            thread = Thread.ofPlatform().daemon().start(this::write);
        }

        private void write() {
            for (int n = 0; !isOver; n++) {
                String key = String.format("k%06d", n);
                try {
                    clients.get(n % clients.size()).put(key, "v" + n);
                    acknowledged.put(key, "v" + n);
                    Thread.sleep(5);
                } catch (StatusRuntimeException lostOrRefused) {
                    // Nobody was told that it is written.
                } catch (InterruptedException stop) {
                    return;
                }
            }
        }

        void stop() throws InterruptedException {
            isOver = true;
            thread.join();
        }

        @Override
        public void close() {
            isOver = true;
            thread.interrupt();
            clients.forEach(PlainClient::close);
        }
    }
}
