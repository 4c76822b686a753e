package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Our etcdctl beside real etcdctl 3.7.1, over TLS and sockets of unix: the same answers, exit codes and last words. */
@Tag("interop")
class EtcdctlTlsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final String LOCAL = "DNS:localhost,IP:127.0.0.1";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final List<ServerProcess> servers = new ArrayList<>();

    @AfterEach
    void close() {
        servers.forEach(ServerProcess::close);
    }

    /** Whose server it is. */
    enum Server {
        ETCD, QUOIN;

        private Path executable() {
            return this == ETCD ? Tools.built("etcd") : ServerProcess.image();
        }
    }

    private ServerProcess server(Server kind, Authority authority, String url, boolean asksForCertificates)
            throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        ServerProcess server = ServerProcess.of(kind.executable(), home, ports.get(0), ports.get(1));
        servers.add(server);
        String listen = url.isEmpty() ? "https://127.0.0.1:" + ports.get(0) : url;
        server.with("--listen-client-urls", listen, "--advertise-client-urls", listen, "--cert-file",
                authority.file("server.pem"), "--key-file", authority.file("server.key"));
        if (asksForCertificates) {
            server.with("--trusted-ca-file", authority.file("ca.pem"), "--client-cert-auth");
        }
        server.start();
        return server;
    }

    /** Exit code, what was printed, and the last line of standard error; of both, or it fails. */
    private String both(String... arguments) throws Exception {
        String[] all = new String[arguments.length + 2];
        all[0] = "--dial-timeout=1s";
        all[1] = "--command-timeout=2s";
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        String theirs = outcome(Program.of(Tools.built("etcdctl")).within(PATIENCE).run(all));
        String ours = outcome(
                Program.of(ServerProcess.image().resolveSibling("etcdctl")).within(PATIENCE).run(all));
        assertThat(ours).as("%s", Arrays.asList(arguments)).isEqualTo(theirs);
        return ours;
    }

    private static String outcome(Program.Result result) {
        List<String> words = result.stderr().lines().filter(line -> !line.startsWith("{")).toList();
        return result.exitCode() + "\n" + result.stdout() + (words.isEmpty() ? "" : words.getLast());
    }

    @ParameterizedTest
    @EnumSource(Server.class)
    void whoHasTheRightCertificatesIsServed(Server kind) throws Exception {
        Authority ours = Authority.in(home.resolve("ours"));
        Authority theirs = Authority.in(home.resolve("theirs"));
        ours.sign("server", "server", LOCAL);
        ours.sign("client", "client", LOCAL);
        theirs.sign("client", "client", LOCAL);
        String endpoint = "127.0.0.1:" + server(kind, ours, "", true).clientPort();
        String authority = "--cacert=" + ours.file("ca.pem");
        String certificate = "--cert=" + ours.file("client.pem");
        String key = "--key=" + ours.file("client.key");
        for (String url : List.of(endpoint, "https://" + endpoint)) {
            assertThat(both("--endpoints=" + url, authority, certificate, key, "put", "k", "v")).startsWith("0\nOK\n");
            assertThat(both("--endpoints=" + url, authority, certificate, key, "get", "k")).startsWith("0\nk\nv\n");
            assertThat(both("--endpoints=" + url, "--insecure-skip-tls-verify", certificate, key, "get", "k"))
                    .startsWith("0\nk\nv\n");
        }
        String https = "--endpoints=https://" + endpoint;
        // Who is not known, does not know, or does not even encrypt.
        both(https, authority, "get", "k");
        both(https, authority, "--cert=" + theirs.file("client.pem"), "--key=" + theirs.file("client.key"), "get", "k");
        both(https, "--cacert=" + theirs.file("ca.pem"), certificate, key, "get", "k");
        both(https, certificate, key, "get", "k");
        both("--endpoints=http://" + endpoint, "get", "k");
        both("--endpoints=" + endpoint, "get", "k");
        // Flags that do not fit.
        both(https, authority, certificate, "get", "k");
        both(https, authority, key, "get", "k");
        both(https, "--cacert=/nonexistent/ca.pem", "get", "k");
        both(https, "--cacert=", "get", "k");
        both(https, "--cert=/nonexistent/c", "--key=/nonexistent/k", "get", "k");
        both(https, authority, "--cert=" + ours.file("client.pem"), "--key=" + ours.file("server.key"), "get", "k");
        both(https, "--discovery-srv=nowhere.invalid", "--insecure-transport=false", "version");
    }

    @ParameterizedTest
    @EnumSource(Server.class)
    void aSnapshotIsSavedOverTls(Server kind) throws Exception {
        Authority authority = Authority.in(home.resolve("authority"));
        authority.sign("server", "server", LOCAL);
        String endpoint = "--endpoints=https://127.0.0.1:" + server(kind, authority, "", false).clientPort();
        String trust = "--cacert=" + authority.file("ca.pem");
        // More than a window, so that room is given over TLS too.
        for (int i = 0; i < 8; i++) {
            Program.Result put = Program.of(ServerProcess.image().resolveSibling("etcdctl"), endpoint, trust)
                    .within(PATIENCE).feed("v".repeat(1_000_000), "put", "k" + i);
            assertThat(put.stdout()).as(put.stderr()).isEqualTo("OK\n");
        }
        Path file = home.resolve("s.db");
        both(endpoint, trust, "--command-timeout=30s", "snapshot", "save", file.toString());
        assertThat(Files.size(file) % 512).isEqualTo(32);
        assertThat(Files.size(file)).isGreaterThan(8_000_000);
    }

    @ParameterizedTest
    @EnumSource(Server.class)
    void socketsOfUnixAreServersToo(Server kind) throws Exception {
        Authority authority = Authority.in(home.resolve("authority"));
        authority.sign("server", "server", "DNS:localhost,IP:127.0.0.1");
        String socket = "localhost:" + ServerProcess.freePorts(1).getFirst();
        server(kind, authority, "unix://" + socket, false);
        // A relative path: the file is in the server's directory, and its name is all that is said.
        Path file = home.resolve(socket);
        assertThat(both("--endpoints=unix://" + file, "put", "k", "v")).startsWith("0\nOK\n");
        assertThat(both("--endpoints=unix:" + file, "get", "k")).startsWith("0\nk\nv\n");
        both("--endpoints=unix://" + file + ".none", "get", "k");
    }

    @ParameterizedTest
    @EnumSource(Server.class)
    void socketsOfUnixAreEncryptedIfTheyAreToBe(Server kind) throws Exception {
        Authority authority = Authority.in(home.resolve("authority"));
        authority.sign("server", "server", "DNS:localhost,IP:127.0.0.1");
        String socket = "localhost:" + ServerProcess.freePorts(1).getFirst();
        server(kind, authority, "unixs://" + socket, false);
        Path file = home.resolve(socket);
        String trust = "--cacert=" + authority.file("ca.pem");
        assertThat(both("--endpoints=unixs://" + file, "--insecure-skip-tls-verify", "put", "k", "v"))
                .startsWith("0\nOK\n");
        both("--endpoints=unixs://" + file, trust, "get", "k");
    }
}
