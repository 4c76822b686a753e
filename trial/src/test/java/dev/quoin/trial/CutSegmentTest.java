package dev.quoin.trial;

import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

import io.etcd.jetcd.api.CompactionRequest;
import io.etcd.jetcd.api.HashKVRequest;
import io.etcd.jetcd.api.MaintenanceGrpc;
import io.etcd.jetcd.api.RangeRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * A file of the store is cut short under the running member, which reads it through a memory map: the page that is gone is
 * a lost record to whoever asks for it, and not the death of the process.
 */
class CutSegmentTest {
    private static final int KEYS = 200;
    private static final int PAGE = 4_096;

    @TempDir
    private Path home;

    @Test
    void whoeverReadsThereIsToldAndAllElseGoesOn() throws Exception {
        try (ServerProcess server = ServerProcess.started(home); PlainClient client = new PlainClient(server)) {
            for (int n = 0; n < KEYS; n++) {
                client.put(key(n), "v".repeat(1_000));
            }
            awaitFlush();
            Path segment = server.dataDirectory().resolve("member/ledger/00000001.ledger");
            try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE)) {
                channel.truncate(10 * PAGE);
            }
            assertThat(client.pairs(key(0))).as("what is left").hasSize(1);
            assertLost(() -> client.pairs(key(KEYS - 1)), "00000001.ledger");
            assertCutShort(() -> client.pairs("k"));
            assertLost(() -> MaintenanceGrpc.newBlockingStub(client.channel())
                    .hashKV(HashKVRequest.getDefaultInstance()), "00000001.ledger");
            assertThat(client.kv().range(RangeRequest.newBuilder().setKey(PlainClient.bytes("k"))
                    .setRangeEnd(PlainClient.bytes("l")).setKeysOnly(true).build()).getKvsCount())
                    .as("keys come from memory").isEqualTo(KEYS);

            client.put(key(KEYS - 1), "new");
            assertThat(client.pairs(key(KEYS - 1))).containsExactly(key(KEYS - 1) + "=new");
            client.kv().compact(CompactionRequest.newBuilder().setRevision(KEYS).setPhysical(true).build());
            assertThat(server.isAlive()).isTrue();
            assertThat(server.stderr()).contains("a record cannot be read");
            assertThat(server.sigterm(Duration.ofSeconds(20))).isEqualTo(143);
        }
    }

    private static String key(int n) {
        return String.format("k%04d", n);
    }

    /** The store is written behind, about every 100 ms. */
    private static void awaitFlush() throws InterruptedException {
        Thread.sleep(1_000);
    }

    private static void assertLost(ThrowingCallable read, String file) {
        StatusRuntimeException lost = catchThrowableOfType(StatusRuntimeException.class, read);
        assertThat(lost).isNotNull();
        assertThat(lost.getStatus().getCode()).isEqualTo(Status.Code.DATA_LOSS);
        assertThat(lost.getStatus().getDescription()).contains(file);
    }

    /** A list that had begun ends early; what arrives must not pass for the whole. */
    private static void assertCutShort(ThrowingCallable read) {
        assertThat(catchThrowableOfType(StatusRuntimeException.class, read)).isNotNull();
    }
}
