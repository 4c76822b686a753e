package dev.quoin.ctl.gateway;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.client.Discovery;
import dev.quoin.ctl.client.NameServer;
import dev.quoin.ctl.text.Malformed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The command: what it listens on, whom it finds, what it refuses. */
@Timeout(60)
class GatewayTest {
    private static final InetAddress HOST = InetAddress.getLoopbackAddress();

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final List<Thread> running = new ArrayList<>();

    @AfterEach
    void stop() throws InterruptedException {
        for (Thread thread : running) {
            thread.interrupt();
            thread.join();
        }
    }

    private void run(Discovery discovery, String... words) {
        PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8);
        Streams streams = new Streams(new ByteArrayInputStream(new byte[0]), stream, stream, Map.of());
        List<String> all = new ArrayList<>(List.of("gateway", "start"));
        all.addAll(List.of(words));
        new CommandLine(new Gateway(streams, discovery).root(), stream, stream).run(all);
    }

    private String printed() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    private void start(Discovery discovery, String... words) {
        running.add(Thread.ofVirtual().start(() -> run(discovery, words)));
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!printed().contains("ready to proxy client requests")) {
            assertThat(System.nanoTime()).as(printed()).isLessThan(end);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    private void refuses(String why, String... words) {
        refuses(why, Discovery.ofSystem(), words);
    }

    private void refuses(String why, Discovery discovery, String... words) {
        assertThatThrownBy(() -> run(discovery, words)).as(printed()).isInstanceOfSatisfying(Failure.class,
                failure -> assertThat(failure.exitCode()).isEqualTo(1)).hasMessage(why);
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, HOST)) {
            return free.getLocalPort();
        }
    }

    private static int firstByte(int port) throws IOException {
        try (Socket socket = new Socket(HOST, port)) {
            socket.setSoTimeout(20_000);
            return socket.getInputStream().read();
        }
    }

    /** Says one letter, once. */
    private static ServerSocket speaker(char letter) throws IOException {
        ServerSocket listener = new ServerSocket(0, 16, HOST);
        Thread.ofVirtual().start(() -> {
            try (Socket socket = listener.accept()) {
                socket.getOutputStream().write(letter);
            } catch (IOException closed) {
                assertThat(listener.isClosed()).isTrue();
            }
        });
        return listener;
    }

    @Test
    void itPassesOnToAnEndpointWhateverItsScheme() throws Exception {
        int port = freePort();
        try (ServerSocket server = speaker('x')) {
            start(Discovery.ofSystem(), "--listen-addr=127.0.0.1:" + port,
                    "--endpoints=https://127.0.0.1:" + server.getLocalPort());
            assertThat(firstByte(port)).isEqualTo('x');
        }
        assertThat(printed().lines().map(line -> line.replaceAll(".*\"msg\":\"([^\"]*)\".*", "$1"))).containsExactly(
                "Running: ", "notifying init daemon", "successfully notified init daemon",
                "ready to proxy client requests");
        assertThat(printed()).contains("\"args\":[\"etcd\",\"gateway\",\"start\",\"--listen-addr=127.0.0.1:" + port);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 127.0.0.1", "127.0.0.1, http://localhost", "localhost, 127.0.0.1", "0.0.0.0, 127.0.0.1",
        "'', 127.0.0.1", "127.0.0.1, 0.0.0.0"})
    void itRefusesItselfAsAnEndpoint(String listen, String endpoint) throws Exception {
        int port = freePort();
        assertThatThrownBy(() -> run(Discovery.ofSystem(), "--listen-addr=" + listen + ":" + port,
                "--endpoints=127.0.0.1:1," + endpoint + ":" + port)).isInstanceOf(Failure.class)
                .hasMessageStartingWith("SRV or endpoint (" + endpoint.replace("http://", "") + ":" + port + "->")
                .hasMessageEndingWith(
                        ":" + port + ") should not resolve to the gateway listen addr (" + listen + ":" + port + ")");
    }

    @Test
    void anotherPortOfTheSameHostIsNotItself() throws Exception {
        int port = freePort();
        start(Discovery.ofSystem(), "--listen-addr=127.0.0.1:" + port, "--endpoints=127.0.0.1:" + freePort());
        assertThat(printed()).doesNotContain("should not resolve");
    }

    @Test
    void whatMakesNoSenseIsRefused() throws Exception {
        refuses("error parsing endpoint \"host\": address host: missing port in address", "--endpoints=host");
        refuses("error parsing endpoint \"a:b:1\": address a:b:1: too many colons in address", "--endpoints=a:b:1");
        refuses("error parsing endpoint \"a:http\": not a port: \"http\"", "--endpoints=a:http");
        refuses("failed to validate listen address: 2379", "--listen-addr=2379");
        refuses("failed to resolve listen host: no.such.host.invalid", "--listen-addr=no.such.host.invalid:1");
        refuses("failed to resolve endpoint host: no.such.host.invalid", "--endpoints=no.such.host.invalid:1");
        refuses("no endpoints found", "--endpoints=");
        refuses("--retry-delay must not be negative", "--retry-delay=-1s", "--listen-addr=127.0.0.1:" + freePort());
        try (ServerSocket taken = new ServerSocket(0, 1, HOST)) {
            refuses("listen tcp 127.0.0.1:" + taken.getLocalPort() + ": bind: address already in use",
                    "--listen-addr=127.0.0.1:" + taken.getLocalPort());
        }
    }

    @Test
    void placesAreReadAsGoReadsThem() throws Malformed {
        assertThat(HostPort.parse("[::1]:2379")).isEqualTo(new HostPort("::1", 2379)).hasToString("[::1]:2379");
        assertThat(HostPort.parse("h:0")).hasToString("h:0");
        for (String bad : List.of("h:65536", "h:-1", "h:+1", "h:", "::1")) {
            assertThatThrownBy(() -> HostPort.parse(bad)).as(bad).isInstanceOf(Malformed.class);
        }
    }

    @Test
    void serversAreFoundByTheirRecords() throws Exception {
        int port = freePort();
        try (ServerSocket first = speaker('1');
                ServerSocket second = speaker('2');
                NameServer names = new NameServer(Map.of("_etcd-client-blue._tcp.example.test",
                        List.of("7 0 " + second.getLocalPort() + " localhost",
                                "3 0 " + first.getLocalPort() + " localhost")))) {
            start(Discovery.at("127.0.0.1", names.port()), "--listen-addr=127.0.0.1:" + port,
                    "--discovery-srv=example.test", "--discovery-srv-name=blue", "--insecure-discovery");
            assertThat(firstByte(port)).isEqualTo('1');
        }
        assertThat(printed()).contains("\"msg\":\"discovered cluster from SRV\",\"srv-server\":\"example.test\"")
                .doesNotContain("validating");
    }

    @Test
    void recordsThatAreNotToBeHadAreTheEnd() throws Exception {
        try (NameServer names = new NameServer(Map.of())) {
            refuses("dns lookup errors: lookup _etcd-client-ssl._tcp.example.test: no such host and "
                    + "lookup _etcd-client._tcp.example.test: no such host", Discovery.at("127.0.0.1", names.port()),
                    "--discovery-srv=example.test");
        }
    }

    /** etcd takes whoever can be reached at the port. */
    @Test
    void aServerThatIsNotOfTheDomainIsLeftOut(@TempDir Path directory) throws Exception {
        int port = freePort();
        Path authorities = directory.resolve("ca.pem");
        SSLContext ofDomain = context(directory.resolve("1.p12"), "example.test", authorities);
        SSLContext ofAnother = context(directory.resolve("2.p12"), "example.test", directory.resolve("other.pem"));
        try (ServerSocket good = secure(ofDomain);
                ServerSocket bad = secure(ofAnother);
                ServerSocket plain = speaker('p');
                NameServer names = new NameServer(Map.of("_etcd-client-ssl._tcp.example.test",
                        List.of("0 0 " + portOf(good) + " localhost", "0 0 " + portOf(bad) + " localhost"),
                        "_etcd-client._tcp.example.test", List.of("0 0 " + portOf(plain) + " localhost")))) {
            start(Discovery.at("127.0.0.1", names.port()), "--listen-addr=127.0.0.1:" + port,
                    "--discovery-srv=example.test", "--trusted-ca-file=" + authorities);
            assertThat(printed())
                    .contains("\"msg\":\"failed to validate discovered endpoints\",\"srv-server\":\"example.test\","
                            + "\"endpoints\":[\"https://localhost.:" + portOf(good) + "\"]")
                    .contains("\\\"http://localhost.:" + portOf(plain) + "\\\" is insecure")
                    .contains("tls: failed to verify certificate: x509: ")
                    .contains("ready to proxy client requests\",\"endpoints\":[\"localhost.:" + portOf(good) + "\"]");
        }
    }

    private static int portOf(ServerSocket server) {
        return server.getLocalPort();
    }

    /** Shakes hands for HTTP/2, and says no more. */
    private static ServerSocket secure(SSLContext context) throws IOException {
        ServerSocket listener = context.getServerSocketFactory().createServerSocket(0, 16, HOST);
        Thread.ofVirtual().start(() -> {
            while (!listener.isClosed()) {
                try (SSLSocket socket = (SSLSocket) listener.accept()) {
                    SSLParameters parameters = socket.getSSLParameters();
                    parameters.setApplicationProtocols(new String[]{"h2"});
                    socket.setSSLParameters(parameters);
                    socket.startHandshake();
                } catch (IOException refused) {
                    // By the client, which is what the test is about.
                    assertThat(refused).isNotNull();
                }
            }
        });
        return listener;
    }

    /** A key made by the JDK's keytool, and its certificate, which signs itself, as PEM. */
    private static SSLContext context(Path file, String name, Path pem) throws Exception {
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", "key", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=" + name,
                "-ext", "san=dns:" + name, "-validity", "2", "-storetype", "PKCS12", "-keystore", file.toString(),
                "-storepass", "password").redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, "password".toCharArray());
        }
        Files.writeString(pem, "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder().encodeToString(keys.getCertificate("key").getEncoded())
                + "\n-----END CERTIFICATE-----\n");
        KeyManagerFactory own = KeyManagerFactory.getInstance("PKIX");
        own.init(keys, "password".toCharArray());
        TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
        trusted.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }
}
