package dev.quoin.ctl.cluster;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.ctl.cli.Failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class LayoutTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    Path directory;

    @Test
    void portsAreFreeAndEachOnesOwn() throws Exception {
        Layout first = Layout.of(Files.createDirectory(directory.resolve("a")), 1);
        int port = first.members().get(0).clientPort();
        try (ServerSocket taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            Layout layout = Layout.of(Files.createDirectory(directory.resolve("b")), 3);
            Set<Integer> ports = new HashSet<>();
            for (Layout.Place place : layout.members()) {
                ports.add(place.clientPort());
                ports.add(place.peerPort());
            }
            assertThat(ports).hasSize(6).doesNotContain(taken.getLocalPort());
        }
    }

    @Test
    void aDirectoryRemembersItsPorts() throws Exception {
        Files.write(directory.resolve("cluster"), List.of("m1 12379 12380", "m2 22379 22380"));

        Layout layout = Layout.of(directory, 2);

        assertThat(layout.endpoints()).isEqualTo("127.0.0.1:12379,127.0.0.1:22379");
        assertThat(layout.initialCluster()).isEqualTo("m1=http://127.0.0.1:12380,m2=http://127.0.0.1:22380");
        assertThat(layout.data(layout.members().get(1))).isEqualTo(directory.resolve("m2.etcd"));
        Layout fresh = Layout.of(Files.createDirectory(directory.resolve("new")), 3);
        assertThat(Layout.of(directory.resolve("new"), 3)).isEqualTo(fresh);
    }

    @Test
    void whatADirectoryCannotBeIsRefused() throws Exception {
        Path file = Files.write(directory.resolve("cluster"), List.of("m1 12379 12380"));
        assertThatThrownBy(() -> Layout.of(directory, 3)).isInstanceOf(Failure.class).hasMessage(
                directory + " is a cluster of 1, not of 3: start it as that, or name another directory");
        for (String line : List.of("m1 2379", "m1 2379 x")) {
            Files.write(file, List.of(line));
            assertThatThrownBy(() -> Layout.of(directory, 1)).isInstanceOf(Failure.class)
                    .hasMessage(file + " is no list of members and ports: " + line);
        }
    }
}
