package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Certificates on every port: two Quoins and an etcd are a cluster, etcdctl is served, and whoever has no certificate is not. */
@Tag("interop")
class ClusterTlsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String LOCAL = "DNS:localhost,IP:127.0.0.1";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final List<ServerProcess> members = new ArrayList<>();
    private final List<Integer> ports = ServerProcess.freePorts(6);

    @AfterEach
    void stop() {
        members.forEach(ServerProcess::close);
    }

    private static String https(int port) {
        return "https://127.0.0.1:" + port;
    }

    private ServerProcess member(Path server, int i, Authority authority, String certificate, String... more)
            throws Exception {
        String cluster = String.join(",",
                Stream.of(0, 1, 2).map(j -> "m" + j + "=" + https(ports.get(2 * j + 1))).toList());
        String client = https(ports.get(2 * i));
        String peer = https(ports.get(2 * i + 1));
        ServerProcess member = ServerProcess
                .of(server, Files.createDirectories(home.resolve("m" + i)), ports.get(2 * i), ports.get(2 * i + 1))
                .with("--name", "m" + i, "--initial-cluster", cluster, "--listen-client-urls", client,
                        "--advertise-client-urls", client, "--listen-peer-urls", peer,
                        "--initial-advertise-peer-urls", peer)
                .with("--cert-file", authority.file(certificate + ".pem"), "--key-file",
                        authority.file(certificate + ".key"), "--trusted-ca-file", authority.file("ca.pem"),
                        "--client-cert-auth")
                .with("--peer-cert-file", authority.file(certificate + ".pem"), "--peer-key-file",
                        authority.file(certificate + ".key"), "--peer-trusted-ca-file", authority.file("ca.pem"),
                        "--peer-client-cert-auth")
                .with(more);
        members.add(member);
        return member;
    }

    private Program.Result ask(int i, Authority authority, String certificate, String... arguments) throws Exception {
        return Program
                .of(Tools.built("etcdctl"), "--endpoints=" + https(ports.get(2 * i)),
                        "--cacert=" + authority.file("ca.pem"), "--cert=" + authority.file(certificate + ".pem"),
                        "--key=" + authority.file(certificate + ".key"), "--dial-timeout=1s", "--command-timeout=3s")
                .run(arguments);
    }

    private void served(int i, Authority authority) throws Exception {
        Program.Result put = ask(i, authority, "client", "put", "key", "by " + i);
        assertThat(put.stdout()).as(put.stderr()).isEqualTo("OK\n");
        Program.Result get = ask((i + 1) % 3, authority, "client", "get", "key", "--print-value-only");
        assertThat(get.stdout()).as(get.stderr()).isEqualTo("by " + i + "\n");
    }

    @Test
    void certificatesOnEveryPortBesideAnEtcdAndNewOnesWhileItServes() throws Exception {
        Authority ours = Authority.in(home.resolve("ours"));
        Authority theirs = Authority.in(home.resolve("theirs"));
        ours.sign("server", "server", LOCAL);
        ours.sign("client", "client", LOCAL);
        theirs.sign("client", "client", LOCAL);
        member(ServerProcess.image(), 0, ours, "server").spawn();
        member(ServerProcess.image(), 1, ours, "server").spawn();
        member(Tools.built("etcd"), 2, ours, "server").spawn();
        for (ServerProcess member : members) {
            member.awaitReady();
        }
        for (int i = 0; i < 3; i++) {
            served(i, ours);
        }
        moveLeader(ours, "m2");
        served(0, ours);

        refused(ours, theirs);
        String before = ours.serialAt(ports.getFirst());
        ours.sign("server", "server", LOCAL);
        until(() -> !ours.serialAt(ports.getFirst()).equals(before));
        for (int i = 0; i < 3; i++) {
            served(i, ours);
        }
        // A member that starts anew is met with the new certificates, and meets others with them.
        members.get(1).kill9();
        members.get(1).start();
        served(1, ours);
    }

    /** Only the leader does it, and each says whether it is one. */
    private void moveLeader(Authority authority, String name) throws Exception {
        List<Integer> exits = new ArrayList<>();
        for (int i = 0; i < members.size() && !exits.contains(0); i++) {
            exits.add(ask(i, authority, "client", "move-leader", idOf(authority, name)).exitCode());
        }
        assertThat(exits).contains(0);
    }

    private String idOf(Authority authority, String name) throws Exception {
        Program.Result list = ask(0, authority, "client", "member", "list");
        return list.lines().stream().filter(line -> line.contains(", " + name + ",")).findFirst().orElseThrow()
                .replaceFirst(",.*", "");
    }

    private void refused(Authority ours, Authority theirs) throws Exception {
        Program.Result stranger = Program
                .of(Tools.built("etcdctl"), "--endpoints=" + https(ports.getFirst()),
                        "--cacert=" + ours.file("ca.pem"), "--cert=" + theirs.file("client.pem"),
                        "--key=" + theirs.file("client.key"), "--dial-timeout=1s", "--command-timeout=2s")
                .run("get", "key");
        assertThat(stranger.exitCode()).isNotZero();
        Program.Result plain = Program.of(Tools.system("curl", "curl"), "-s", "--max-time", "3")
                .run("http://127.0.0.1:" + ports.getFirst() + "/health");
        assertThat(plain.exitCode()).as("HTTP without TLS: " + plain.stdout()).isNotZero();
        Program.Result known = Program
                .of(Tools.system("curl", "curl"), "-s", "--max-time", "3", "--cacert", ours.file("ca.pem"), "--cert",
                        ours.file("client.pem"), "--key", ours.file("client.key"))
                .run(https(ports.getFirst()) + "/health");
        assertThat(known.stdout()).isEqualTo("{\"health\":\"true\",\"reason\":\"\"}");
        until(() -> members.getFirst().stderr().contains("rejected connection on client endpoint"));
    }

    @Test
    void aMemberThatIsNotAllowedStaysAlone() throws Exception {
        Authority authority = Authority.in(home.resolve("ours"));
        authority.sign("server", "server", LOCAL);
        authority.sign("client", "client", LOCAL);
        authority.sign("stranger", "stranger", LOCAL);
        member(ServerProcess.image(), 0, authority, "server", "--peer-cert-allowed-cn=server").spawn();
        member(ServerProcess.image(), 1, authority, "server", "--peer-cert-allowed-cn=server").spawn();
        member(ServerProcess.image(), 2, authority, "stranger", "--peer-cert-allowed-cn=server").spawn();
        members.get(0).awaitReady();
        members.get(1).awaitReady();
        assertThat(ask(0, authority, "client", "put", "key", "value").stdout()).isEqualTo("OK\n");
        until(() -> members.getFirst().stderr().contains("rejected connection on peer endpoint")
                && members.getFirst().stderr().contains("client certificate authentication failed"));
        assertThat(members.get(2).stderr()).doesNotContain("ready to serve client requests");
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void until(Condition condition) throws Exception {
        for (long end = System.nanoTime() + PATIENCE.toNanos(); !condition.holds();) {
            assertThat(System.nanoTime()).as("within " + PATIENCE).isLessThan(end);
            Thread.sleep(200);
        }
    }
}
