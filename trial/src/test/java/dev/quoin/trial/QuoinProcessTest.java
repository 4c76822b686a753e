package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** quoin's own subcommands, as processes of the image. */
class QuoinProcessTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Pattern MEMBER = Pattern.compile("(m\\d) \\(127\\.0\\.0\\.1:\\d+, pid (\\d+)\\)");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    Path home;

    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void close() {
        for (Process process : processes) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().onExit().join();
        }
    }

    private static Path quoin() {
        return ServerProcess.image().resolveSibling("quoin");
    }

    private static void until(Callable<Boolean> holds) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!holds.call()) {
            assertThat(System.nanoTime()).as("it was not so within " + SOON).isLessThan(deadline);
            Thread.sleep(20);
        }
    }

    // ---- rollback

    /** A server and the two programs that ask it. */
    private record Asked(ServerProcess server) {
        private Program.Result quoin(String... words) throws Exception {
            return Program.of(QuoinProcessTest.quoin()).with("ETCDCTL_ENDPOINTS", server.clientUrl()).run(words);
        }

        private String says(String... words) throws Exception {
            Program.Result result = quoin(words);
            assertThat(result.exitCode()).as("%s: %s", List.of(words), result.stderr()).isZero();
            return result.stdout();
        }

        private void refuses(String why, String... words) throws Exception {
            Program.Result result = quoin(words);
            assertThat(result.exitCode()).as("%s: %s", List.of(words), result.stdout()).isEqualTo(1);
            assertThat(result.stderr()).endsWith("Error: " + why + "\n");
        }
    }

    @Test
    void aKeyIsRolledBackToWhatItWas() throws Exception {
        try (ServerProcess server = ServerProcess.started(home)) {
            Asked asked = new Asked(server);
            asked.says("ctl", "put", "k", "old");
            String lease = asked.says("ctl", "lease", "grant", "600").split(" ", 3)[1];
            asked.says("ctl", "put", "k", "new", "--lease=" + lease);

            asked.says("rollback", "k", "--to-rev=2", "--dry-run");
            assertThat(asked.says("ctl", "get", "k")).isEqualTo("k\nnew\n");
            assertThat(asked.says("rollback", "k", "--to-rev=2")).isEqualTo("""
                    now:  modified at 3, version 2, lease %s, value "new"
                    then: modified at 2, version 1, no lease, value "old"
                    "k" has its value of revision 2 again, by revision 4.
                    """.formatted(lease));
            assertThat(asked.says("ctl", "get", "k")).isEqualTo("k\nold\n");
            assertThat(asked.says("ctl", "lease", "timetolive", lease, "--keys")).contains("attached keys([k])");

            asked.says("ctl", "del", "k");
            assertThat(asked.says("rollback", "k", "--to-rev=3", "-w", "json")).startsWith("{\"header\":{")
                    .contains("\"succeeded\":true");
            assertThat(asked.says("ctl", "get", "k")).isEqualTo("k\nnew\n");
            asked.refuses("\"k\" did not exist at revision 1. To delete it, say --delete. Nothing was written.",
                    "rollback", "k", "--to-rev=1");
            asked.says("rollback", "k", "--to-rev=1", "--delete");
            assertThat(asked.says("ctl", "get", "k")).isEmpty();
            asked.refuses("there is no revision 99 yet: the store is at revision 7", "rollback", "k", "--to-rev=99");
            asked.says("ctl", "compaction", "5");
            asked.refuses("revision 4 has been compacted: what \"k\" was then cannot be read any more. "
                    + "A snapshot from before may have it: quoin help backup", "rollback", "k", "--to-rev=4");
        }
    }

    // ---- cluster

    /** A cluster that has been asked for; its output so far. */
    private final class Cluster {
        private final Path out = home.resolve("out");
        private final Process process;

        Cluster(String... words) throws IOException {
            List<String> command = new ArrayList<>(List.of(quoin().toString(), "cluster"));
            command.addAll(List.of(words));
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(out.toFile());
            Program.leaveOnlyPath(builder.environment());
            process = builder.start();
            processes.add(process);
        }

        String said() throws IOException {
            return Files.readString(out);
        }

        void awaits(String text) throws Exception {
            until(() -> said().contains(text) || !process.isAlive());
            assertThat(said()).contains(text);
        }

        Path directory() throws IOException {
            MatchResult line = Pattern.compile("members? in (\\S+) \\.\\.\\.").matcher(said()).results().findFirst()
                    .orElseThrow();
            return Path.of(line.group(1));
        }

        /** The newest process of a member. */
        ProcessHandle member(String name) throws IOException {
            long pid = MEMBER.matcher(said()).results().filter(line -> line.group(1).equals(name))
                    .mapToLong(line -> Long.parseLong(line.group(2))).reduce(0, (before, last) -> last);
            return ProcessHandle.of(pid).orElseThrow();
        }

        /** SIGTERM; it ends well, and nothing is left of it. */
        void stops() throws Exception {
            process.destroy();
            assertThat(process.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).as(said()).isTrue();
            assertThat(process.exitValue()).as(said()).isZero();
            assertThat(processesOf(directory().toString())).isEmpty();
        }
    }

    @Test
    void aClusterIsServedLosesAMemberAndGetsItBack() throws Exception {
        Cluster cluster = new Cluster("3");
        cluster.awaits(" leads in term ");
        String endpoints = Pattern.compile("--endpoints=\\S+").matcher(cluster.said()).results().findFirst()
                .orElseThrow().group();
        Program ctl = Program.of(quoin(), "ctl", endpoints);
        assertThat(ctl.run("put", "k", "v").stdout()).isEqualTo("OK\n");
        assertThat(ctl.run("member", "list").lines()).hasSize(3);

        cluster.member("m2").destroyForcibly();
        cluster.awaits(") has ended with exit code 137");
        assertThat(ctl.run("get", "k").stdout()).isEqualTo("k\nv\n");
        ProcessHandle before = cluster.process.toHandle();
        cluster.process.outputWriter().write("2\n");
        cluster.process.outputWriter().flush();
        until(() -> Pattern.compile("(?s)m2 .*has ended.*m2 \\S+ pid \\d+\\) (follows|leads)").matcher(cluster.said())
                .find());
        assertThat(before.isAlive()).isTrue();

        Path directory = cluster.directory();
        assertThat(directory.resolve("m1.log")).isNotEmptyFile();
        cluster.stops();
        assertThat(directory).doesNotExist();
    }

    /** Every command on a line of its own, in its topic's order, against a cluster; those that need what a reader has are left out. */
    @Test
    void whatTopicsTellOneToTypeWorks() throws Exception {
        Cluster cluster = new Cluster("3");
        cluster.awaits(" leads in term ");
        String endpoints = Pattern.compile("--endpoints=(\\S+)").matcher(cluster.said()).results().findFirst()
                .orElseThrow().group(1);
        String endpoint = endpoints.substring(0, endpoints.indexOf(','));
        Program bash = Program.of(Path.of("/bin/bash"), "-euo", "pipefail", "-c").within(SOON)
                .with("ETCDCTL_ENDPOINTS", endpoint)
                .with("PATH", ServerProcess.image().getParent() + ":/usr/bin:/bin");
        assertThat(bash.run("etcdctl put /registry/pods/a b").exitCode()).isZero();
        // The member that is to be replaced is gone, so it does not lead.
        assertThat(bash
                .run("ETCDCTL_ENDPOINTS=" + endpoints
                        + " etcdctl move-leader $(etcdctl member list | grep ', m1,' | cut -d , -f 1)")
                .exitCode()).isZero();
        // The last takes a member away.
        for (String topic : List.of("backup", "certificates", "lost-quorum", "quota", "tuning", "upgrade-from-etcd",
                "replace-member")) {
            List<String> commands = Program.of(quoin()).run("help", topic).lines().stream()
                    .filter(line -> line.matches("  (etcdctl|etcdutl|quoin|[a-z]+=).*") && !line.contains("..."))
                    .toList();
            assertThat(commands).as(topic).isNotEmpty();
            Program.Result result = bash.run("cd '" + Files.createDirectories(home.resolve(topic)) + "'\n"
                    + String.join("\n", commands));
            assertThat(result.exitCode()).as("%s: %s%s", topic, result.stdout(), result.stderr()).isZero();
        }
        cluster.stops();
    }

    @Test
    void whatIsStoppedWhileItStartsLeavesNothingBehind() throws Exception {
        Cluster cluster = new Cluster("2");
        cluster.awaits("Starting 2 members in ");
        cluster.stops();
        assertThat(cluster.directory()).doesNotExist();
    }

    @Test
    void whereNobodyReadsAnyMoreNothingIsLeftBehind() throws Exception {
        String directory = home.resolve("unread").toString();
        Program.Result result = Program.of(Path.of("/bin/bash"), "-c", "\"$0\" cluster 1 --dir \"$1\" | head -n 1")
                .within(SOON).run(quoin().toString(), directory);
        assertThat(result.lines()).containsExactly("Starting 1 member in " + directory + " ...");
        assertThat(processesOf(directory)).isEmpty();
    }

    /** The command lines of processes that live and name the directory. */
    private static List<String> processesOf(String directory) {
        return ProcessHandle.allProcesses().filter(ProcessHandle::isAlive)
                .map(each -> each.info().commandLine().orElse("")).filter(line -> line.contains(directory)).toList();
    }

    @Test
    void aDirectoryIsACluster() throws Exception {
        Path directory = home.resolve("kept");
        for (int life = 1; life <= 2; life++) {
            Cluster cluster = new Cluster("1", "--dir", directory.toString());
            cluster.awaits(" leads in term ");
            String endpoint = Pattern.compile("--endpoints=\\S+").matcher(cluster.said()).results().findFirst()
                    .orElseThrow().group();
            Program ctl = Program.of(quoin(), "ctl", endpoint);
            assertThat(ctl.run("get", "life", "--print-value-only").stdout()).isEqualTo(life == 1 ? "" : "1\n");
            assertThat(ctl.run("put", "life", String.valueOf(life)).stdout()).isEqualTo("OK\n");
            cluster.stops();
            assertThat(cluster.said()).endsWith("What the members wrote is in " + directory + "\n");
        }
    }

    @Test
    void aMemberThatDoesNotStartSaysWhy() throws Exception {
        Program.Result result = Program.of(quoin()).run("cluster", "1", "--", "--no-such-flag");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.stderr()).contains("Error: m1 ended with exit code 2. Its last lines:\n")
                .contains("no-such-flag");
    }

    // ---- the launchers

    @Test
    void versionsAreSaidByTheLaunchersAsByThePrograms() throws Exception {
        Program.Result launcher = Program.of(quoin()).run("--version");
        Program.Result program = Program.of(quoin()).with("QUOIN_JAVA_OPTS", "-Dby.the=program").run("--version");
        assertThat(launcher.stdout()).isEqualTo(program.stdout()).startsWith("etcd Version: ");
    }

    @Test
    void whoMistypesIsOfferedWhatThereIs() throws Exception {
        Program.Result result = Program.of(quoin()).run("clutser", "3");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.stderr()).isEqualTo("""
                Error: unknown command "clutser" for "quoin"

                Did you mean this?
                \tcluster

                Run 'quoin --help' for usage.
                """);
    }
}
