package dev.quoin.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * Foreign programs judge us: gRPC's interop client, h2spec, our own grpc-go program frontcheck; and etcd itself is asked
 * our table. They are looked for in the directory named by {@code quoin.tools}; one that is missing skips its test, or
 * fails it where CI=true.
 */
@Tag("interop")
class InteropTest {
    /**
     * What h2spec finds wrong, and why it stays: Netty answers HEADERS on a half-closed stream with PROTOCOL_ERROR where
     * STREAM_CLOSED is asked (http2/5.1/6), and on a closed one, or one below the last, with a reset where the end of the
     * connection is asked (http2/5.1/12, http2/5.1.1/2). Ending the connection would be wrong while a reset of ours is on
     * its way to that stream.
     */
    private static final Set<String> H2SPEC_ARGUED = Set.of("http2/5.1/6", "http2/5.1/12", "http2/5.1.1/2");

    @SuppressWarnings("NullAway.Init")
    private NetServer server;

    @BeforeEach
    void start() throws Exception {
        server = TestService.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    static Path tool(String name) {
        String directory = System.getProperty("quoin.tools");
        boolean there = directory != null && Files.isExecutable(Path.of(directory, name));
        if (!there && "true".equals(System.getenv("CI"))) {
            throw new AssertionError(name + " is missing from quoin.tools=" + directory);
        }
        assumeTrue(there, name + " is missing from quoin.tools=" + directory);
        return Path.of(String.valueOf(directory), name);
    }

    private record Outcome(int exit, String output) {}

    private static Outcome run(int seconds, String... command) throws Exception {
        Path log = Files.createTempFile("interop", ".log");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
            String output = Files.readString(log, StandardCharsets.UTF_8);
            assertThat(ended).as("%s did not end; it said %s", List.of(command), output).isTrue();
            return new Outcome(process.exitValue(), output);
        } finally {
            process.destroyForcibly();
            Files.delete(log);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong",
        "empty_stream", "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response",
        "status_code_and_message", "special_status_message", "custom_metadata", "unimplemented_method",
        "unimplemented_service", "rpc_soak", "channel_soak"})
    void theInteropClientIsContent(String testCase) throws Exception {
        Outcome outcome = run(120, tool("interop-client").toString(), "--server_host=127.0.0.1",
                "--server_port=" + server.port(), "--test_case=" + testCase);
        assertThat(outcome.exit()).as(outcome.output()).isZero();
    }

    @Test
    void h2specFindsWhatWeArguedAndNothingElse(@TempDir Path directory) throws Exception {
        Path report = directory.resolve("report.xml");
        Outcome outcome = run(600, tool("h2spec").toString(), "-h", "127.0.0.1", "-p", Integer.toString(server.port()),
                "-o", "3", "-j", report.toString());
        assertThat(outcome.output()).contains("145 tests, 142 passed, 0 skipped, 3 failed");
        assertThat(failures(Files.readString(report))).isEqualTo(H2SPEC_ARGUED);
    }

    /** The cases of a JUnit report of h2spec that failed, as section/number: numbers are positions within their suite. */
    private static Set<String> failures(String report) {
        Set<String> failed = new TreeSet<>();
        Matcher suites = Pattern.compile("<testsuite [^>]*package=\"([^\"]*)\"[^>]*>(.*?)</testsuite>", Pattern.DOTALL)
                .matcher(report);
        while (suites.find()) {
            String[] cases = suites.group(2).split("<testcase ", -1);
            for (int i = 1; i < cases.length; i++) {
                if (cases[i].contains("<failure") || cases[i].contains("<error")) {
                    failed.add(suites.group(1) + "/" + i);
                }
            }
        }
        return failed;
    }

    @Test
    void frontcheckFindsNothing() throws Exception {
        Outcome outcome = run(300, tool("frontcheck").toString(), "--addr", "127.0.0.1:" + server.port());
        assertThat(outcome.exit()).as(outcome.output()).isZero();
    }

    @TestFactory
    Stream<DynamicTest> etcdAnswersTheTableAsWritten(@TempDir Path directory) throws Exception {
        Path etcd = tool("etcd");
        int client = freePort();
        int peer = freePort();
        String peerUrl = "http://127.0.0.1:" + peer;
        Process process = new ProcessBuilder(etcd.toString(), "--data-dir", directory.resolve("data").toString(),
                "--listen-client-urls", "http://127.0.0.1:" + client, "--advertise-client-urls",
                "http://127.0.0.1:" + client, "--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl,
                "--initial-cluster", "default=" + peerUrl)
                .redirectErrorStream(true).redirectOutput(directory.resolve("etcd.log").toFile()).start();
        List<DynamicTest> results = new ArrayList<>();
        try {
            put(client);
            InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), client);
            FrontTable.Target target = FrontTable.etcd(address);
            for (FrontTable.Row row : FrontTable.rows()) {
                String answer = row.answer(target);
                results.add(
                        DynamicTest.dynamicTest(row.name(), () -> assertThat(answer).isEqualTo(row.expected(target))));
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        return results.stream();
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Writes the key that the table reads, as soon as etcd serves. */
    private static void put(int port) throws Exception {
        String body = "{\"key\":\"YQ==\",\"value\":\"YQ==\"}";
        String request = "POST /v3/kv/put HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
        String answer = "";
        for (int i = 0; i < 300 && !answer.startsWith("HTTP/1.1 200"); i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            } catch (IOException e) {
                answer = String.valueOf(e.getMessage());
            }
            if (!answer.startsWith("HTTP/1.1 200")) {
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }
        assertThat(answer).startsWith("HTTP/1.1 200");
    }
}
