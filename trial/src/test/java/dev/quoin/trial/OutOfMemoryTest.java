package dev.quoin.trial;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.PutResponse;
import io.etcd.jetcd.api.RangeRequest;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The heap gives out under a member while it takes up keys: the process ends at once, and what it had acknowledged is
 * there when it comes back.
 */
class OutOfMemoryTest {
    /** The member's index of so many keys of this length is several times the heap it is given. */
    private static final int KEYS_MAX = 200_000;
    private static final String KEY_PADDING = "/" + "x".repeat(1_000);
    private static final int IN_FLIGHT_MAX = 200;

    @TempDir
    private Path home;

    @Test
    void endsTheProcessAndNothingAcknowledgedIsLost() throws Exception {
        Set<String> acknowledged = new ConcurrentSkipListSet<>();
        try (ServerProcess server = ServerProcess.prepared(home)) {
            server.withVariable("QUOIN_JAVA_OPTS", "-Xmx48m");
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                putUntilItEnds(server, client, acknowledged);
            }
            assertThat(server.awaitExit(Duration.ofSeconds(30))).isNotZero();
            assertThat(server.stderr()).contains("OutOfMemoryError");
            assertThat(acknowledged).hasSizeGreaterThan(1_000);

            server.withVariable("QUOIN_JAVA_OPTS", "");
            server.start();
            try (PlainClient client = new PlainClient(server)) {
                acknowledged.removeAll(keys(client));
                assertThat(acknowledged).as("lost").isEmpty();
            }
        }
    }

    private static void putUntilItEnds(ServerProcess server, PlainClient client, Set<String> acknowledged)
            throws InterruptedException {
        Semaphore inFlight = new Semaphore(IN_FLIGHT_MAX);
        KVGrpc.KVStub stub = KVGrpc.newStub(client.channel());
        for (int n = 0; n < KEYS_MAX && server.isAlive(); n++) {
            String key = "k" + n + KEY_PADDING;
            inFlight.acquire();
            stub.withDeadlineAfter(10, TimeUnit.SECONDS).put(
                    PutRequest.newBuilder().setKey(PlainClient.bytes(key)).build(), new StreamObserver<PutResponse>() {
                        @Override
                        public void onNext(PutResponse response) {
                            acknowledged.add(key);
                        }

                        @Override
                        public void onError(Throwable outcomeUnknown) {
                            inFlight.release();
                        }

                        @Override
                        public void onCompleted() {
                            inFlight.release();
                        }
                    });
        }
        inFlight.acquire(IN_FLIGHT_MAX);
    }

    private static Set<String> keys(PlainClient client) {
        Set<String> keys = new TreeSet<>();
        for (int digit = 0; digit <= 9; digit++) {
            RangeRequest range = RangeRequest.newBuilder().setKey(PlainClient.bytes("k" + digit))
                    .setRangeEnd(PlainClient.bytes("k" + (char) ('0' + digit + 1))).setKeysOnly(true).build();
            client.kv().withMaxInboundMessageSize(Integer.MAX_VALUE).range(range).getKvsList().stream()
                    .map(KeyValue::getKey).forEach(key -> keys.add(key.toStringUtf8()));
        }
        return keys;
    }
}
