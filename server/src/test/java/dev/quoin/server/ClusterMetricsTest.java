package dev.quoin.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.disk.RealDisk;
import dev.quoin.server.config.Flags;

import static org.assertj.core.api.Assertions.assertThat;

/** Three servers: what each tells Prometheus of the others, and of who leads. */
class ClusterMetricsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path home;

    @Test
    void membersAreSeenAndMissed() throws Exception {
        List<Server> servers = started(freePorts());
        List<Server> running = new ArrayList<>(servers);
        try {
            Server follower = servers.stream().filter(server -> !leads(server)).findFirst().orElseThrow();
            Server leader = servers.stream().filter(ClusterMetricsTest::leads).findFirst().orElseThrow();
            String peer = id(leader);
            for (String series : List.of("etcd_network_peer_sent_bytes_total{To=\"" + peer + "\"}",
                    "etcd_network_peer_received_bytes_total{From=\"" + peer + "\"}",
                    "etcd_network_peer_round_trip_time_seconds_count{To=\"" + peer + "\"}",
                    "etcd_network_active_peers{Local=\"" + id(follower) + "\",Remote=\"" + peer + "\"}",
                    "etcd_network_known_peers{Local=\"" + id(follower) + "\",Remote=\"" + peer + "\"}",
                    "quoin_peer_reachable_seconds{peer=\"" + peer + "\"}", "etcd_server_has_leader",
                    "etcd_server_leader_changes_seen_total", "etcd_cluster_version{cluster_version=\"3.7\"}")) {
                awaitMore(follower, series, 0);
            }
            assertThat(page(follower).samples()).containsKey("etcd_network_peer_sent_failures_total{To=\"" + peer
                    + "\"}");
            assertThat(page(follower).sum("etcd_server_is_leader")).isZero();
            assertThat(page(leader).sum("etcd_server_is_leader")).isEqualTo(1);

            double changes = page(follower).sum("etcd_server_leader_changes_seen_total");
            running.remove(leader);
            leader.stop();
            awaitMore(follower, "etcd_server_leader_changes_seen_total", changes);
            awaitMore(follower, "etcd_network_disconnected_peers_total", 0);
            awaitMore(follower, "etcd_network_active_peers", 0);

            Server other = running.stream().filter(server -> server != follower).findFirst().orElseThrow();
            running.remove(other);
            other.stop();
            await(follower, "nobody leads", page -> page.sum("etcd_server_has_leader") == 0);
            await(follower, "nobody is within reach", page -> page.sum("etcd_network_active_peers") == 0);
        } finally {
            for (Server server : running) {
                server.stop();
            }
        }
    }

    private List<Server> started(List<Integer> ports) throws Exception {
        String cluster = IntStream.range(0, 3).mapToObj(i -> "m" + i + "=http://127.0.0.1:" + ports.get(i))
                .collect(Collectors.joining(","));
        List<CompletableFuture<Server>> starting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            String[] arguments = {"--name=m" + i, "--data-dir=" + home.resolve("m" + i), "--initial-cluster=" + cluster,
                "--listen-peer-urls=http://127.0.0.1:" + ports.get(i),
                "--initial-advertise-peer-urls=http://127.0.0.1:" + ports.get(i),
                "--listen-client-urls=http://127.0.0.1:0", "--advertise-client-urls=http://127.0.0.1:0"};
            CompletableFuture<Server> server = new CompletableFuture<>();
            starting.add(server);
            Thread.ofPlatform().start(() -> start(arguments, server));
        }
        List<Server> servers = new ArrayList<>();
        for (CompletableFuture<Server> server : starting) {
            servers.add(server.get());
        }
        return servers;
    }

    private static void start(String[] arguments, CompletableFuture<Server> started) {
        try {
            if (Flags.read(arguments, Map.of()) instanceof Flags.Wish.Start(Flags flags)) {
                started.complete(Server.start(ServerConfig.of(flags), new RealDisk(), new RealClock(),
                        (where, why) -> started.completeExceptionally(why), () -> {}));
            }
        } catch (Exception refused) {
            started.completeExceptionally(refused);
        }
    }

    private static List<Integer> freePorts() throws Exception {
        List<ServerSocket> held = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        }
        List<Integer> ports = held.stream().map(ServerSocket::getLocalPort).toList();
        for (ServerSocket socket : held) {
            socket.close();
        }
        return ports;
    }

    private static boolean leads(Server server) {
        return server.member().leader() == server.member().memberId();
    }

    private static String id(Server server) {
        return Long.toHexString(server.member().memberId());
    }

    private static MetricsPage page(Server server) throws Exception {
        return MetricsPage.of((InetSocketAddress) server.clientAddresses().getFirst());
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds(MetricsPage page);
    }

    private static void awaitMore(Server server, String series, double than) throws Exception {
        await(server, series + " is more than " + than, page -> page.sum(series) > than);
    }

    private static void await(Server server, String what, Condition condition) throws Exception {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds(page(server))) {
            assertThat(System.nanoTime()).as(what).isLessThan(until);
            Thread.sleep(50);
        }
    }
}
