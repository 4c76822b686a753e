package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Clients in other languages are unmodified, and are judged by their own tests, which all pass for etcd 3.7.1:
 * {@code trial/clients/build} fetches and builds them. What they test and Quoin does not serve yet is left out by name.
 */
@Tag("interop")
class ForeignClientsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** Python's aetcd. Its tests of users, of the hash of etcd's file and of snapshots are left out. */
    @TestFactory
    Stream<DynamicTest> aetcd() throws Exception {
        Path package_ = Tools.fetched("aetcd");
        Program.Result result;
        try (ServerProcess server = ServerProcess.started(home)) {
            result = Program.of(package_.resolve("venv/bin/python"), "-m", "pytest").within(Duration.ofMinutes(4))
                    .with("TEST_ETCD_HTTP_URL", server.clientUrl())
                    .with("PATH", Tools.built("etcdctl").getParent() + ":" + System.getenv("PATH"))
                    .run("-v", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "--rootdir",
                            package_.toString(), package_ + "/tests/integration",
                            "--ignore-glob=" + package_ + "/*test_auth.py", //
                            "-k", "not test_hash and not test_snapshot");
        }
        return verdicts(result, Pattern.compile("\\S*?(test_\\w+\\.py::\\w+) (PASSED|FAILED|ERROR).*"), "PASSED", 57);
    }

    /**
     * Rust's etcd-client. Its tests of users and roles need those; hash and snapshot are not served; two want a larger cluster,
     * or a member that other tests have not defragmented meanwhile.
     */
    @TestFactory
    Stream<DynamicTest> etcdClient() throws Exception {
        Path crate = Tools.fetched("etcd-client");
        int port = Integer.parseInt(Files.readString(Path.of("clients/etcd-client.port")).strip());
        List<String> left = List.of("test_auth", "test_role", "test_user", "test_hash", "test_snapshot",
                "test_move_leader", "test_get_stream_chunked", "test_cluster");
        List<String> arguments = new ArrayList<>(List.of("--include-ignored", "--test-threads=4"));
        left.forEach(name -> arguments.addAll(List.of("--skip", name)));
        String output;
        try (ServerProcess server = ServerProcess.of(ServerProcess.image(), home, port,
                ServerProcess.freePorts(1).getFirst())) {
            server.start();
            Program.Result keys = Program.of(crate.resolve("client")).within(Duration.ofMinutes(2))
                    .run(arguments.toArray(String[]::new));
            Program.Result namespace = Program.of(crate.resolve("namespace")).within(Duration.ofMinutes(1)).run();
            assertThat(namespace.exitCode()).as(namespace.stdout()).isZero();
            output = keys.stdout() + namespace.stdout();
        }
        return verdicts(new Program.Result(0, output, ""), Pattern.compile("test (\\w+) \\.\\.\\. (\\w+).*"), "ok", 18);
    }

    /** JavaScript's etcd3. */
    @TestFactory
    Stream<DynamicTest> etcd3() throws Exception {
        Path package_ = Tools.fetched("etcd3");
        Program.Result result;
        try (ServerProcess server = ServerProcess.started(home)) {
            result = Program.of(Tools.system("node", "nodejs"), package_.resolve("etcd3.js").toString())
                    .within(Duration.ofMinutes(3)).run(server.clientUrl());
        }
        List<String> checks = result.lines().stream().filter(line -> line.startsWith("ok ") || line.startsWith("FAIL "))
                .toList();
        assertThat(checks).as(result.stdout() + result.stderr()).hasSizeGreaterThan(10);
        return checks.stream().map(line -> DynamicTest.dynamicTest(line.substring(5),
                () -> assertThat(line).startsWith("ok ")));
    }

    /** Python's etcd3gw, which speaks JSON to the gateway. */
    @TestFactory
    Stream<DynamicTest> etcd3gw() throws Exception {
        Path package_ = Tools.fetched("etcd3gw");
        Program.Result result;
        try (ServerProcess server = ServerProcess.started(home)) {
            result = Program.of(package_.resolve("venv/bin/python"), package_.resolve("gateway.py").toString())
                    .within(Duration.ofMinutes(1)).run(server.clientUrl());
        }
        List<String> checks = result.lines().stream().filter(line -> line.startsWith("ok ") || line.startsWith("FAIL "))
                .toList();
        assertThat(checks).as(result.stdout() + result.stderr()).hasSizeGreaterThan(12);
        return checks.stream().map(line -> DynamicTest.dynamicTest(line.substring(5),
                () -> assertThat(line).startsWith("ok ")));
    }

    /** A test of ours for each of theirs: the pattern's groups are its name and how it ended. */
    private static Stream<DynamicTest> verdicts(Program.Result result, Pattern line, String good, int atLeast) {
        List<DynamicTest> tests = new ArrayList<>();
        for (String one : result.lines()) {
            Matcher matcher = line.matcher(one);
            if (matcher.matches()) {
                String ended = matcher.group(2);
                tests.add(DynamicTest.dynamicTest(matcher.group(1),
                        () -> assertThat(ended).as(result.stdout()).isEqualTo(good)));
            }
        }
        assertThat(tests).as(result.stdout() + result.stderr()).hasSizeGreaterThanOrEqualTo(atLeast);
        return tests.stream();
    }
}
