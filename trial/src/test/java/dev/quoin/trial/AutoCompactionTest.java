package dev.quoin.trial;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.etcd.jetcd.api.RangeRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** History that is given up by itself, by etcd and by Quoin, and what both write about it into their logs. */
@Tag("interop")
class AutoCompactionTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @Test
    void historyOlderThanItsPeriodIsGone() throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        assertThat(linesOf("quoin", ServerProcess.image(), ports))
                .isEqualTo(linesOf("etcd", Tools.built("etcd"), ports));
    }

    /** The messages about the first compaction, each with its fields. */
    private List<String> linesOf(String name, Path program, List<Integer> ports) throws Exception {
        Path directory = Files.createDirectories(home.resolve(name));
        try (ServerProcess server = ServerProcess.of(program, directory, ports.get(0), ports.get(1))
                .with("--auto-compaction-mode=periodic", "--auto-compaction-retention=2s")) {
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                for (int n = 0; n < 5; n++) {
                    client.put("k", "v" + n);
                }
                long deadline = System.nanoTime() + PATIENCE.toNanos();
                while (!isCompacted(client)) {
                    assertThat(System.nanoTime()).as("nothing was compacted").isLessThan(deadline);
                    client.put("k", "later");
                    Thread.sleep(200);
                }
                while (!server.stderr().contains("completed auto")) {
                    assertThat(System.nanoTime()).as("nothing is said").isLessThan(deadline);
                    Thread.sleep(20);
                }
            }
            return server.stderr().lines().filter(line -> line.contains("auto periodic compaction")).limit(2)
                    .map(AutoCompactionTest::shape).toList();
        }
    }

    private static boolean isCompacted(PlainClient client) {
        StatusRuntimeException refused = catchThrowableOfType(StatusRuntimeException.class, () -> client.kv()
                .range(RangeRequest.newBuilder().setKey(PlainClient.bytes("k")).setRevision(3).build()));
        return refused != null && refused.getStatus().getCode() == Status.Code.OUT_OF_RANGE;
    }

    private static String shape(String line) {
        JsonObject fields = JsonParser.parseString(line).getAsJsonObject();
        return fields.get("level") + " " + fields.get("msg") + " " + fields.get("compact-period") + " "
                + new TreeSet<>(fields.keySet());
    }
}
