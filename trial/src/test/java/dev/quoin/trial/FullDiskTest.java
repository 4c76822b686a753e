package dev.quoin.trial;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A file system that is really full, a small one in memory: the server refuses, serves, goes on, and loses nothing. */
@Tag("interop")
class FullDiskTest {
    private static final String NO_SPACE = "RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded";
    private static final String TIMEOUT = "UNAVAILABLE: etcdserver: request timed out";
    private static final int VALUE_BYTES = 100_000;
    private static final int FILLER_BYTES = 80 << 20;
    private static final int PUTS_MAX = 5_000;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    /** A tmpfs, which needs the rights to mount one. */
    private record Small(Path directory) implements AutoCloseable {
        static Small mounted(Path directory, String size) throws IOException, InterruptedException {
            Files.createDirectories(directory);
            Program.Result mount = Program.of(Tools.system("mount", "mount"), "-t", "tmpfs", "-o", "size=" + size)
                    .run("quoin-test", directory.toString());
            if (mount.exitCode() != 0) {
                Assumptions.abort("a tmpfs cannot be mounted here: " + mount.stderr());
            }
            return new Small(directory);
        }

        @Override
        public void close() throws IOException {
            try {
                Program.of(Tools.system("umount", "mount")).run("-l", directory.toString());
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void fill(Path file) throws IOException {
        byte[] piece = new byte[1 << 20];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int written = 0; written < FILLER_BYTES; written += piece.length) {
                out.write(piece);
            }
        }
    }

    private static void putUntilRefused(PlainClient client, Map<String, String> acknowledged) {
        for (int n = 0; n < PUTS_MAX; n++) {
            String key = String.format("k%05d", acknowledged.size());
            String value = key + "x".repeat(VALUE_BYTES);
            try {
                client.put(key, value);
                acknowledged.put(key, value);
            } catch (StatusRuntimeException refused) {
                if (!TIMEOUT.equals(refused.getMessage())) {
                    assertThat(refused).hasMessage(NO_SPACE);
                    return;
                }
                // It was under way when the disk filled up: nobody can say yet what becomes of it.
            }
        }
        throw new AssertionError("500 MB fit into 300");
    }

    private static void assertHas(PlainClient client, Map<String, String> acknowledged) {
        acknowledged.forEach((key, value) -> assertThat(client.pairs(key)).as(key).containsExactly(key + "=" + value));
    }

    private static void untilPut(PlainClient client, String key) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                client.put(key, "v");
                return;
            } catch (StatusRuntimeException refused) {
                assertThat(System.nanoTime()).as("still refused: %s", refused.getMessage()).isLessThan(deadline);
                Thread.sleep(500);
            }
        }
    }

    @Test
    void aServerOnAFullDiskRefusesWritesAndRecovers() throws Exception {
        Map<String, String> acknowledged = new TreeMap<>();
        Path filler = home.resolve("small/filler");
        try (Small small = Small.mounted(home.resolve("small"), "300m");
                ServerProcess server = ServerProcess.prepared(home).on(small.directory().resolve("data"))) {
            fill(filler);
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                putUntilRefused(client, acknowledged);
                assertThat(acknowledged).hasSizeGreaterThan(100);
                assertThat(server.stderr()).contains("the disk is full", "No space left on device");
                assertHas(client, acknowledged);
                putUntilRefused(client, new TreeMap<>());

                Files.delete(filler);
                untilPut(client, "again");
                assertThat(server.stderr()).contains("the disk has space again");
                assertHas(client, acknowledged);
            }
            server.kill9();
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                assertHas(client, acknowledged);
                assertThat(client.pairs("again")).containsExactly("again=v");
                putUntilRefused(client, acknowledged);
                assertHas(client, acknowledged);
            }
        }
    }
}
