package dev.quoin.server.peer;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * A real etcd of which members of a test are told to be the others. It is looked for in the directory named by {@code
 * quoin.tools}; if it is missing, its test is skipped, or fails where {@code CI=true}.
 */
final class EtcdProcess implements AutoCloseable {
    private final Process process;
    private final Path log;
    private final int clientPort;
    private final HttpClient http = HttpClient.newHttpClient();

    /** @param cluster as {@code --initial-cluster} has it, with {@code etcd} for this one */
    EtcdProcess(Path directory, int peerPort, String cluster, String token, String... more) throws IOException {
        log = directory.resolve("etcd.log");
        clientPort = TestPeer.freePort();
        String client = "http://127.0.0.1:" + clientPort;
        String peer = "http://127.0.0.1:" + peerPort;
        List<String> command = new ArrayList<>(List.of(tool("etcd").toString(), "--name", "etcd", "--data-dir",
                directory.resolve("data").toString(), "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
                "--initial-cluster-token", token));
        command.addAll(List.of(more));
        process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    }

    private static Path tool(String name) {
        String directory = System.getProperty("quoin.tools");
        boolean there = directory != null && Files.isExecutable(Path.of(directory, name));
        assertThat(there || !"true".equals(System.getenv("CI"))).as("no %s in quoin.tools=%s", name, directory)
                .isTrue();
        assumeTrue(there, "no " + name + " in quoin.tools=" + directory);
        return Path.of(String.valueOf(directory), name);
    }

    /** Writes a key, once etcd serves and has a quorum. */
    boolean put(String base64Key, String base64Value) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + clientPort + "/v3/kv/put"))
                .timeout(Duration.ofSeconds(10)).POST(HttpRequest.BodyPublishers
                        .ofString("{\"key\":\"" + base64Key + "\",\"value\":\"" + base64Value + "\"}"))
                .build();
        for (int i = 0; i < 100; i++) {
            try {
                if (http.send(request, HttpResponse.BodyHandlers.ofString()).statusCode() == 200) {
                    return true;
                }
            } catch (IOException notYet) {
                // It starts, or has no leader.
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
        return false;
    }

    String log() throws IOException {
        return Files.readString(log, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
        http.close();
    }
}
