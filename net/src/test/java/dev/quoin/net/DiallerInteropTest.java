package dev.quoin.net;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** A dialler asks the peer port of a real etcd, which speaks HTTP/1.1 and under TLS selects h2 and nothing else. */
@Tag("interop")
class DiallerInteropTest {
    private static String file(String name) throws Exception {
        return Path.of(Objects.requireNonNull(DiallerInteropTest.class.getResource("/tls/" + name)).toURI()).toString();
    }

    private static Process etcd(Path directory, String peerUrl, boolean tls) throws Exception {
        String clientUrl = "http://127.0.0.1:" + InteropTest.freePort();
        List<String> command = new ArrayList<>(List.of(InteropTest.tool("etcd").toString(), "--data-dir",
                directory.resolve("data").toString(), "--listen-client-urls", clientUrl, "--advertise-client-urls",
                clientUrl, "--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl,
                "--initial-cluster", "default=" + peerUrl));
        if (tls) {
            command.addAll(List.of("--peer-cert-file", file("server.pem"), "--peer-key-file", file("server.key"),
                    "--peer-trusted-ca-file", file("ca.pem"), "--peer-client-cert-auth"));
        }
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(directory.resolve("etcd.log").toFile()).start();
    }

    private static DialRecord ask(Dialler dialler, DialTarget target, DialRequest request) throws Exception {
        DialRecord record = new DialRecord();
        dialler.open(target, request, record);
        assertThat(record.end()).isNotNull();
        return record;
    }

    private static DialRequest get(String path) {
        return DialRequest.get(path, HttpFields.EMPTY, 1 << 20, 5_000);
    }

    private static DialRecord firstAnswer(Dialler dialler, DialTarget target) throws Exception {
        DialRecord version = ask(dialler, target, get("/version"));
        for (int i = 0; i < 300 && !(version.why() == null && version.text().contains("\"etcdcluster\":\"3.")); i++) {
            TimeUnit.MILLISECONDS.sleep(100);
            version = ask(dialler, target, get("/version"));
        }
        return version;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void etcdsPeerPortAnswers(boolean tls, @TempDir Path directory) throws Exception {
        int port = InteropTest.freePort();
        DialTarget target = new DialTarget("127.0.0.1", port, tls);
        @Nullable
        DialTls certificates = tls
                ? new DialTls(Path.of(file("ca.pem")), Path.of(file("client.pem")), Path.of(file("client.key")), null)
                : null;
        Process process = etcd(directory, (tls ? "https" : "http") + "://127.0.0.1:" + port, tls);
        try (Dialler dialler = new Dialler(NetLimits.defaults(), certificates)) {
            DialRecord version = firstAnswer(dialler, target);
            assertThat(version.status).isCompletedWithValue(200);
            assertThat(version.text()).contains("\"etcdserver\":\"3.7.1\"", "\"etcdcluster\":\"3.7.0\"");

            DialRecord members = ask(dialler, target, get("/members"));
            assertThat(members.status).isCompletedWithValue(200);
            assertThat(members.text()).startsWith("[{\"id\":").contains("\"name\":\"default\"").endsWith("]\n");
            assertThat(members.field("x-etcd-cluster-id")).matches("[0-9a-f]+");

            DialRecord probing = ask(dialler, target, get("/raft/probing"));
            assertThat(probing.status).isCompletedWithValue(200);
            assertThat(probing.text()).startsWith("{\"OK\":true,\"Now\":");

            // A request with a body: refused, since it does not say of which cluster it is.
            DialRecord raft = ask(dialler, target, DialRequest.post("/raft",
                    HttpFields.of("content-type", "application/protobuf", "x-server-from", "1", "x-server-version",
                            "3.7.1", "x-min-cluster-version", "3.0.0"),
                    new DialRequest.Body.Whole(Bytes.of(new byte[]{8, 8})), 1_000, 5_000));
            assertThat(raft.status).isCompletedWithValue(412);
            assertThat(raft.text()).isEqualTo("cluster ID mismatch\n");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
