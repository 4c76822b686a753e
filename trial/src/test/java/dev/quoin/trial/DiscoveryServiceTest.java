package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Members find each other at a real etcd, in the keys that etcd's own members use. */
@Tag("interop")
class DiscoveryServiceTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private ServerProcess member(String name, ServerProcess service) throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        return ServerProcess.of(ServerProcess.image(), Files.createDirectory(home.resolve(name)), ports.get(0),
                ports.get(1)).with("--name", name, "--initial-cluster", "", "--discovery-token", "token",
                        "--discovery-endpoints", "127.0.0.1:" + service.clientPort());
    }

    @Test
    void theFirstAreTheClusterAndWhoIsTooLateIsRefused() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        Path directory = Files.createDirectory(home.resolve("service"));
        try (ServerProcess service = ServerProcess.of(Tools.built("etcd"), directory, ports.get(0), ports.get(1))) {
            service.start();
            Program etcdctl = Program.of(Tools.built("etcdctl"), "--endpoints=" + service.clientUrl());
            try (ServerProcess early = member("early", service); ServerProcess late = member("late", service)) {
                early.spawn();
                assertThat(early.awaitExit(Duration.ofSeconds(30))).isEqualTo(1);
                assertThat(early.stderr())
                        .contains("failed to join discovery cluster (discovery: size key not found)");

                etcdctl.run("put", "/_etcd/registry/token/_config/size", "1");
                early.start();
                assertThat(etcdctl.run("get", "--prefix", "--print-value-only", "/_etcd/registry/token/members/")
                        .stdout()).isEqualTo("early=" + early.peerUrl() + "\n");

                late.spawn();
                assertThat(late.awaitExit(Duration.ofSeconds(30))).isEqualTo(1);
                assertThat(late.stderr()).contains("failed to join discovery cluster (discovery: cluster is full)",
                        "do not reuse discovery token");
            }
        }
    }
}
