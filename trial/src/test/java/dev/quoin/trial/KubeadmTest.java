package dev.quoin.trial;

import java.io.IOException;
import java.io.InputStream;
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
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A control plane as kubeadm sets it up: the static pod of etcd, {@code kubeadm-etcd.yaml}, with the flags, the certificates and
 * the probes that kubeadm writes (cmd/kubeadm/app/phases/etcd/local.go), for the node 127.0.0.2. Its command starts Quoin as it
 * stands there, the kubelet's probes are answered, and so is the API server. What is other than on a node: where the two mounted
 * directories are, and the ports, so that several can run.
 */
@Tag("interop")
class KubeadmTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern COMMAND = Pattern.compile("(?m)^    - (etcd|--\\S+)$");
    private static final String LOCAL = "DNS:control-plane,DNS:localhost,IP:127.0.0.2,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    private final HttpClient kubelet = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5)).build();
    private List<Integer> ports = List.of();
    private String manifest = "";

    private Path pki() {
        return home.resolve("pki");
    }

    /** The certificates of kubeadm's phase {@code certs}, under its names, and the manifest for this node. */
    @BeforeEach
    void prepareTheNode() throws Exception {
        Authority authority = Authority.in(pki());
        for (String name : List.of("server", "peer")) {
            authority.sign(name, "control-plane", LOCAL);
        }
        authority.sign("apiserver-etcd-client", "kube-apiserver-etcd-client", "DNS:client");
        for (String name : List.of("ca", "server", "peer", "apiserver-etcd-client")) {
            Files.move(pki().resolve(name + ".pem"), pki().resolve(name + ".crt"));
        }
        ports = ServerProcess.freePorts(3);
        try (InputStream in = Objects.requireNonNull(getClass().getResourceAsStream("kubeadm-etcd.yaml"))) {
            manifest = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .replace("/etc/kubernetes/pki/etcd", pki().toString())
                    .replace("/var/lib/etcd", home.resolve("data").toString());
        }
        for (int i = 0; i < ports.size(); i++) {
            manifest = manifest.replaceAll("\\b" + (2379 + i) + "\\b", ports.get(i).toString());
        }
    }

    private List<String> command() {
        List<String> command = new ArrayList<>(
                COMMAND.matcher(manifest).results().map(found -> found.group(1)).toList());
        assertThat(command).startsWith("etcd").hasSize(20);
        command.set(0, ServerProcess.image().toString());
        return command;
    }

    /** Where a probe of the container asks. */
    private URI probe(String name) {
        Matcher found = Pattern.compile("(?s)" + name
                + ":\n.*?host: (\\S+)\n *path: (\\S+)\n *port: probe-port\n *scheme: (\\S+)\n").matcher(manifest);
        Matcher port = Pattern.compile("containerPort: (\\d+)\n *name: probe-port").matcher(manifest);
        assertThat(found.find() && port.find()).as(name).isTrue();
        return URI.create(found.group(3).toLowerCase(java.util.Locale.ROOT) + "://" + found.group(1) + ":"
                + port.group(1) + found.group(2));
    }

    private int ask(String probe) throws InterruptedException {
        try {
            return kubelet.send(HttpRequest.newBuilder(probe(probe)).timeout(Duration.ofSeconds(15)).build(),
                    HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException notYet) {
            return 0;
        }
    }

    private Process start() throws Exception {
        Process etcd = new ProcessBuilder(command()).directory(home.toFile())
                .redirectErrorStream(true).redirectOutput(home.resolve("log").toFile()).start();
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(etcd::destroyForcibly));
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (ask("startupProbe") != 200) {
            assertThat(etcd.isAlive() && System.nanoTime() < until).as(log()).isTrue();
            Thread.sleep(100);
        }
        return etcd;
    }

    private String log() throws IOException {
        return Files.readString(home.resolve("log"));
    }

    private Program.Result apiServer(String... command) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--endpoints", "https://127.0.0.2:" + ports.getFirst(),
                "--cacert", pki().resolve("ca.crt").toString(), "--cert",
                pki().resolve("apiserver-etcd-client.crt").toString(), "--key",
                pki().resolve("apiserver-etcd-client.key").toString()));
        arguments.addAll(List.of(command));
        return Program.of(Tools.built("etcdctl")).run(arguments.toArray(String[]::new));
    }

    @Test
    void theStaticPodOfKubeadmStartsUnchanged() throws Exception {
        Process etcd = start();
        try {
            assertThat(ask("livenessProbe")).isEqualTo(200);
            assertThat(ask("readinessProbe")).isEqualTo(200);
            assertThat(apiServer("put", "/registry/x", "1").stdout()).isEqualTo("OK\n");
            Program.Result nobody = Program.of(Tools.built("etcdctl")).run("--endpoints",
                    "https://127.0.0.2:" + ports.getFirst(), "--cacert", pki().resolve("ca.crt").toString(), "get",
                    "/registry/x");
            assertThat(nobody.exitCode()).as("without a certificate").isNotZero();
            assertThat(log()).as("flags that are not understood, or mean nothing")
                    .doesNotContain("some settings have no effect");
        } finally {
            etcd.destroy();
            assertThat(etcd.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(ask("livenessProbe")).as("the kubelet would start it again").isZero();
        Process again = start();
        try {
            assertThat(apiServer("get", "/registry/x", "--print-value-only").stdout()).isEqualTo("1\n");
        } finally {
            again.destroyForcibly().waitFor();
        }
    }
}
