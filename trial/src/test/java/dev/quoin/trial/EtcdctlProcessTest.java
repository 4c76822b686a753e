package dev.quoin.trial;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Our etcdctl as a process: it ends, whatever the server does; signals, pipes, long commands, and what it does with files. */
class EtcdctlProcessTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final List<List<String>> SHORT = List.of(List.of("get", "k"), List.of("put", "k", "v"),
            List.of("del", "k"), List.of("user", "list"), List.of("user", "add", "u:p"), List.of("role", "get", "r"),
            List.of("lease", "list"), List.of("lease", "timetolive", "1"), List.of("lease", "grant", "10"),
            List.of("lease", "keep-alive", "--once", "1"), List.of("member", "list"),
            List.of("endpoint", "health"), List.of("endpoint", "status"), List.of("alarm", "list"),
            List.of("auth", "status"), List.of("txn"), List.of("snapshot", "save", "never.db"));

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final List<Process> processes = new ArrayList<>();
    private final List<ServerProcess> servers = new ArrayList<>();

    @AfterEach
    void close() {
        processes.forEach(process -> process.destroyForcibly().onExit().join());
        servers.forEach(ServerProcess::close);
    }

    private static Path etcdctl() {
        return ServerProcess.image().resolveSibling("etcdctl");
    }

    private ServerProcess server() throws Exception {
        ServerProcess server = ServerProcess.started(Files.createDirectories(home.resolve("s" + servers.size())));
        servers.add(server);
        return server;
    }

    private static Program.Result run(String endpoint, String... arguments) throws Exception {
        return Program.of(etcdctl(), "--endpoints=" + endpoint).within(SOON).feed("\n\n\n", arguments);
    }

    /** All short commands end soon, and not well. */
    private void endsWithoutAnAnswer(String endpoint) throws Exception {
        Program etcdctl = Program.of(etcdctl(), "--endpoints=" + endpoint, "--dial-timeout=200ms",
                "--command-timeout=300ms").within(SOON);
        for (List<String> command : SHORT) {
            Program.Result result = etcdctl.feed("\n\n\n", command.stream()
                    .map(word -> word.endsWith(".db") ? home.resolve(word).toString() : word).toArray(String[]::new));
            assertThat(result.exitCode()).as("%s: %s", command, result.stderr()).isNotZero();
        }
        // It only says what it knows: nobody renews the lease any more.
        assertThat(etcdctl.run("lease", "keep-alive", "1").stdout())
                .isEqualTo("lease 0000000000000001 expired or revoked.\n");
    }

    private static String prints(ServerProcess server, String... arguments) throws Exception {
        Program.Result result = run(server.clientUrl(), arguments);
        assertThat(result.exitCode()).as("%s: %s", List.of(arguments), result.stderr()).isZero();
        return result.stdout();
    }

    /** In the background, its standard output in a file. */
    private Process spawn(Path out, String... words) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(words).redirectOutput(out.toFile())
                .redirectError(home.resolve("stderr").toFile());
        Program.leaveOnlyPath(builder.environment());
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    private static void until(Callable<Boolean> holds) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!holds.call()) {
            assertThat(System.nanoTime()).as("it was not so within " + SOON).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    private static int exitOf(Process process) throws Exception {
        assertThat(process.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).as("it ends").isTrue();
        return process.exitValue();
    }

    @Test
    void everyShortCommandEndsIfNobodyListens() throws Exception {
        endsWithoutAnAnswer("127.0.0.1:" + ServerProcess.freePorts(1).getFirst());
    }

    /** The host takes connections, and no more is heard of it. */
    @Test
    void everyShortCommandEndsIfAServerSaysNothing() throws Exception {
        try (ServerSocket mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            endsWithoutAnAnswer("127.0.0.1:" + mute.getLocalPort());
        }
    }

    /** A member that has been stopped takes connections and what is sent, and answers nothing. */
    @Test
    void aMemberThatStandsStillIsLeftForOneThatDoesNot() throws Exception {
        ServerProcess still = server();
        ServerProcess other = server();
        assertThat(prints(other, "put", "k", "here")).isEqualTo("OK\n");
        signal("STOP", still.pid());
        try {
            assertThat(run(still.clientUrl() + "," + other.clientUrl(), "get", "k", "--print-value-only").stdout())
                    .isEqualTo("here\n");
            assertThat(run(still.clientUrl(), "get", "k").stderr())
                    .endsWith("Error: context deadline exceeded\n");
        } finally {
            signal("CONT", still.pid());
        }
    }

    private static void signal(String name, long pid) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor()).isZero();
    }

    @Test
    void aLockIsHeldUntilASignalComesAndGivenBackThen() throws Exception {
        ServerProcess server = server();
        Path out = home.resolve("lock");
        Process lock = spawn(out, etcdctl().toString(), "--endpoints=" + server.clientUrl(), "lock", "name");
        until(() -> Files.readString(out).startsWith("name/"));
        assertThat(prints(server, "get", "--prefix", "name/", "--keys-only").strip())
                .isEqualTo(Files.readString(out).strip());
        lock.destroy();
        assertThat(exitOf(lock)).isZero();
        assertThat(prints(server, "get", "--prefix", "name/")).isEmpty();
    }

    /** It has nobody to give the lock back to, and ends all the same. */
    @Test
    void aLockWhoseServerIsGoneEndsAtASignal() throws Exception {
        ServerProcess server = server();
        Path out = home.resolve("lock");
        Process lock = spawn(out, etcdctl().toString(), "--endpoints=" + server.clientUrl(), "--command-timeout=1s",
                "lock", "name");
        until(() -> Files.readString(out).startsWith("name/"));
        server.kill9();
        lock.destroy();
        assertThat(exitOf(lock)).isNotZero();
    }

    @Test
    void aLockIsHeldWhileAProgramRuns() throws Exception {
        ServerProcess server = server();
        Program.Result result = run(server.clientUrl(), "lock", "name", "--", "sh", "-c",
                "echo $ETCD_LOCK_KEY; exit 3");
        assertThat(result.stdout()).startsWith("name/");
        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.stderr()).endsWith("Error: exit status 3\n");
        assertThat(prints(server, "get", "--prefix", "name/")).isEmpty();
    }

    @Test
    void whoIsElectedLeadsUntilASignalComes() throws Exception {
        ServerProcess server = server();
        Path first = home.resolve("first");
        Path second = home.resolve("second");
        Path seen = home.resolve("seen");
        String endpoint = "--endpoints=" + server.clientUrl();
        Process leader = spawn(first, etcdctl().toString(), endpoint, "elect", "e", "one");
        until(() -> Files.readString(first).endsWith("one\n"));
        Process observer = spawn(seen, etcdctl().toString(), endpoint, "elect", "-l", "e");
        until(() -> Files.readString(seen).endsWith("one\n"));
        Process next = spawn(second, etcdctl().toString(), endpoint, "elect", "e", "two");
        leader.destroy();
        assertThat(exitOf(leader)).isZero();
        until(() -> Files.readString(second).endsWith("two\n"));
        until(() -> Files.readString(seen).endsWith("two\n"));
        next.destroy();
        assertThat(exitOf(next)).isZero();
        observer.destroy();
        assertThat(exitOf(observer)).isZero();
    }

    /** {@code etcdctl watch k | head -1}: nobody reads any more. */
    @Test
    void aWatchEndsWithWhoReadsIt() throws Exception {
        ServerProcess server = server();
        Path out = home.resolve("watch");
        Process pipe = spawn(out, "sh", "-c", "\"$0\" \"$1\" watch k | head -1; echo over", etcdctl().toString(),
                "--endpoints=" + server.clientUrl());
        until(() -> {
            prints(server, "put", "k", "v");
            return Files.readString(out).endsWith("over\n");
        });
        assertThat(Files.readString(out)).isEqualTo("PUT\nover\n");
        assertThat(exitOf(pipe)).isZero();
    }

    @Test
    void aWatchOutlivesItsServer() throws Exception {
        ServerProcess server = server();
        Path out = home.resolve("watch");
        spawn(out, etcdctl().toString(), "--endpoints=" + server.clientUrl(), "watch", "k");
        until(() -> {
            prints(server, "put", "k", "before");
            return Files.readString(out).contains("before");
        });
        server.kill9();
        server.start();
        assertThat(prints(server, "put", "k", "after")).isEqualTo("OK\n");
        until(() -> Files.readString(out).endsWith("PUT\nk\nafter\n"));
    }

    @Test
    void aMirrorFollowsItsSource() throws Exception {
        ServerProcess source = server();
        ServerProcess destination = server();
        assertThat(prints(source, "put", "a/1", "one")).isEqualTo("OK\n");
        spawn(home.resolve("mirror"), etcdctl().toString(), "--endpoints=" + source.clientUrl(), "make-mirror",
                "--prefix=a/", "--dest-prefix=b/", destination.clientUrl());
        until(() -> prints(destination, "get", "b/1", "--print-value-only").equals("one\n"));
        assertThat(prints(source, "put", "a/2", "two")).isEqualTo("OK\n");
        until(() -> prints(destination, "get", "b/2", "--print-value-only").equals("two\n"));
        assertThat(prints(source, "del", "a/1")).isEqualTo("1\n");
        until(() -> prints(destination, "get", "b/1").isEmpty());
    }

    @Test
    void aWatchIsTypedLineByLine() throws Exception {
        ServerProcess server = server();
        assertThat(prints(server, "put", "k", "v")).isEqualTo("OK\n");
        Path out = home.resolve("watch");
        Process watch = spawn(out, etcdctl().toString(), "--endpoints=" + server.clientUrl(), "watch", "-i");
        watch.outputWriter().write("watch --rev=1 k\n");
        watch.outputWriter().flush();
        until(() -> Files.readString(out).equals("PUT\nk\nv\n"));
        watch.outputWriter().write("progress\n");
        watch.outputWriter().flush();
        until(() -> Files.readString(out).contains("progress notify: 2\n"));
        watch.outputWriter().close();
        assertThat(exitOf(watch)).isEqualTo(3);
    }

    /** Kept from etcdctl up to 3.5. */
    @Test
    void aSnapshotIsLookedAtAndRestored() throws Exception {
        ServerProcess server = server();
        assertThat(prints(server, "put", "k", "kept")).isEqualTo("OK\n");
        String file = home.resolve("k.db").toString();
        assertThat(prints(server, "snapshot", "save", file)).isEqualTo(
                "Snapshot saved at " + file + "\nServer version 3.7.0\n");
        assertThat(prints(server, "snapshot", "status", file, "-w", "json")).contains("\"revision\":2,\"totalKey\":1");
        List<Integer> ports = ServerProcess.freePorts(2);
        Path restored = home.resolve("restored");
        String peer = "http://127.0.0.1:" + ports.get(1);
        assertThat(prints(server, "--cacert=/nonexistent", "snapshot", "restore", file, "--data-dir",
                restored.toString(), "--initial-cluster", "default=" + peer, "--initial-advertise-peer-urls", peer))
                .isEmpty();
        ServerProcess second = ServerProcess.of(ServerProcess.image(), Files.createDirectories(home.resolve("second")),
                ports.get(0), ports.get(1)).on(restored);
        servers.add(second);
        second.start();
        assertThat(prints(second, "get", "k", "--print-value-only")).isEqualTo("kept\n");
        Program.Result none = run(server.clientUrl(), "snapshot", "status");
        assertThat(none.exitCode()).isEqualTo(128);
        assertThat(none.stderr()).isEqualTo("Error: snapshot status requires exactly one argument\n");
    }

    @Test
    void aShellIsOfferedWhatFits() throws Exception {
        Program.Result offers = Program.of(Tools.system("bash", "bash"), "-c",
                "source <(\"$0\" completion bash); complete -p etcdctl; COMP_WORDS=(\"$0\" endpoint h); COMP_CWORD=2; "
                        + "__etcdctl_complete; echo \"${COMPREPLY[@]}\"; COMP_WORDS=(\"$0\" get -w = j); COMP_CWORD=4; "
                        + "__etcdctl_complete; echo \"${COMPREPLY[@]}\"",
                etcdctl().toString()).within(SOON).run();
        assertThat(offers.stdout()).as(offers.stderr())
                .isEqualTo("complete -F __etcdctl_complete etcdctl\nhashkv health\njson\n");
    }

    @Test
    void theVersionIsSaidByTheLauncherAsByTheProgram() throws Exception {
        String launcher = Program.of(etcdctl()).run("version").stdout();
        assertThat(launcher).isEqualTo(Program.of(etcdctl()).run("version", "--debug=false").stdout())
                .startsWith("etcdctl version: 3.7.1\n");
    }
}
