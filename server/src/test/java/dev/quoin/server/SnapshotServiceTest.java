package dev.quoin.server;

import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.HashRequest;
import dev.quoin.api.etcdserverpb.HashResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.SnapshotResponse;
import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.member.Failure;
import dev.quoin.member.SnapshotState;
import dev.quoin.net.Call;
import dev.quoin.net.Handler;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.SnapshotMeta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** How a state goes to a client, or its hash, and what ends that. */
class SnapshotServiceTest {
    private static final Method ANY = Method.hot(SnapshotService.PATH, Method.Kind.SERVER_STREAMING, new Handler() {
        @Override
        public void onMessage(Call call, Bytes message) {}
    });

    private final List<Long> hashTimes = new CopyOnWriteArrayList<>();
    private final RecordedCall call = new RecordedCall(ANY, Bytes.EMPTY);

    /** A state of made-up bytes, written in odd portions; then it may break. */
    private static final class MadeUp implements SnapshotState {
        private static final int PORTION = 10_007;
        private final byte[] bytes;
        private final @Nullable RuntimeException breaks;
        private final AtomicInteger closed = new AtomicInteger();

        MadeUp(int length, @Nullable RuntimeException breaks) {
            bytes = new byte[length];
            new Random(length).nextBytes(bytes);
            this.breaks = breaks;
        }

        @Override
        public SnapshotMeta meta() {
            return new SnapshotMeta(42, 3, new ConfState(List.of(1L), List.of()));
        }

        @Override
        public String storageVersion() {
            return "3.7.0";
        }

        @Override
        public Bytes oldStore() {
            return Bytes.utf8("{}");
        }

        @Override
        public long revision() {
            return 7;
        }

        @Override
        public int hash() {
            if (breaks != null) {
                throw breaks;
            }
            return 0xcafe_f00d;
        }

        @Override
        public long lengthBytes() {
            return bytes.length;
        }

        @Override
        public void writeTo(Output output) {
            for (int at = 0; at < bytes.length; at += PORTION) {
                output.write(bytes, at, Math.min(PORTION, bytes.length - at));
            }
            if (breaks != null) {
                throw breaks;
            }
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }

    private SnapshotService service(SnapshotService.Source source) {
        return new SnapshotService(source, revision -> ResponseHeader.newBuilder().setRevision(revision).build(),
                hashTimes::add);
    }

    private void serve(SnapshotState state) throws Exception {
        service(() -> state).serve(call, Bytes.EMPTY);
    }

    private List<SnapshotResponse> sent() throws Exception {
        List<SnapshotResponse> sent = new ArrayList<>();
        for (Bytes message : call.sent()) {
            sent.add(SnapshotResponse.parseFrom(message.toByteArray()));
        }
        return sent;
    }

    @Test
    void theFileComesInPiecesAndThenItsSha256() throws Exception {
        MadeUp state = new MadeUp(3 * 32_768 + 4_096, null);
        serve(state);
        List<SnapshotResponse> sent = sent();
        assertThat(sent.stream().map(message -> message.getBlob().size())).containsExactly(32_768, 32_768, 32_768,
                4_096, 32);
        assertThat(sent.stream().map(SnapshotResponse::getRemainingBytes)).containsExactly(69_632L, 36_864L, 4_096L,
                0L, 0L);
        assertThat(sent).allMatch(message -> message.getVersion().equals("3.7.0") && !message.hasHeader());
        MessageDigest sha = MessageDigest.getInstance("SHA-256");
        sent.subList(0, 4).forEach(message -> sha.update(message.getBlob().toByteArray()));
        assertThat(sent.getLast().getBlob().toByteArray())
                .isEqualTo(MessageDigest.getInstance("SHA-256").digest(state.bytes)).isEqualTo(sha.digest());
        assertThat(state.closed).hasValue(1);
    }

    @Test
    void aLengthOfWholePiecesLeavesNoEmptyOne() throws Exception {
        serve(new MadeUp(2 * 32_768, null));
        assertThat(sent().stream().map(message -> message.getBlob().size())).containsExactly(32_768, 32_768, 32);
    }

    @Test
    void aLostRecordEndsItWithoutAHash() throws Exception {
        MadeUp state = new MadeUp(32_768, new Damaged(Path.of("00000001.ledger"), 81_920, "a record is lost"));
        assertThatThrownBy(() -> serve(state)).isInstanceOfSatisfying(StatusException.class,
                lost -> assertThat(lost.status().code()).isEqualTo(Status.Code.DATA_LOSS))
                .hasMessageContaining("00000001.ledger");
        assertThat(sent()).hasSize(1);
        assertThat(state.closed).hasValue(1);
    }

    @Test
    void whoIsTooSlowIsToldSo() {
        assertThatThrownBy(() -> serve(new MadeUp(32_768, new Gone(7)))).isInstanceOfSatisfying(
                StatusException.class, slow -> assertThat(slow.status()).isEqualTo(Errors.SNAPSHOT_TOO_SLOW));
    }

    @Test
    void aClientThatHasGoneEndsIt() throws Exception {
        MadeUp state = new MadeUp(3 * 32_768, null);
        call.cancel();
        serve(state);
        assertThat(call.sent()).isEmpty();
        assertThat(state.closed).hasValue(1);
    }

    @Test
    void aMemberThatGivesNoStateIsATimeout() {
        SnapshotService none = service(() -> {
            throw new TimeoutException();
        });
        assertThatThrownBy(() -> none.serve(call, Bytes.EMPTY)).isInstanceOfSatisfying(StatusException.class,
                late -> assertThat(late.status()).isEqualTo(Errors.of(Failure.TIMEOUT)));
    }

    @Test
    void aHashIsOfTheStateAtItsRevision() throws Exception {
        MadeUp state = new MadeUp(4_096, null);
        HashResponse hash = service(() -> state).hash(call, HashRequest.getDefaultInstance());
        assertThat(hash).isEqualTo(HashResponse.newBuilder().setHeader(ResponseHeader.newBuilder().setRevision(7))
                .setHash(0xcafe_f00d).build());
        assertThat(state.closed).hasValue(1);
        assertThat(hashTimes).hasSize(1);
    }

    @Test
    void aLostRecordHasNoHash() {
        MadeUp state = new MadeUp(4_096, new Damaged(Path.of("00000001.ledger"), 81_920, "a record is lost"));
        assertThatThrownBy(() -> service(() -> state).hash(call, HashRequest.getDefaultInstance()))
                .isInstanceOfSatisfying(StatusException.class,
                        lost -> assertThat(lost.status().code()).isEqualTo(Status.Code.DATA_LOSS));
        assertThat(state.closed).hasValue(1);
        assertThat(hashTimes).isEmpty();
    }

    /** Each that is under way is asked for one more, and the last of them finds no place; when all is over there is room. */
    @Test
    void soManyAtOnceAndNoMore() throws Exception {
        AtomicInteger depth = new AtomicInteger();
        List<Status> refused = new ArrayList<>();
        SnapshotService[] service = new SnapshotService[1];
        service[0] = service(() -> {
            depth.incrementAndGet();
            try {
                service[0].serve(call, Bytes.EMPTY);
            } catch (StatusException full) {
                refused.add(full.status());
            }
            return new MadeUp(4_096, null);
        });
        service[0].serve(call, Bytes.EMPTY);
        assertThat(depth).hasValue(ServerLimits.SNAPSHOTS_MAX);
        assertThat(refused).containsExactly(Errors.of(Failure.TOO_MANY_REQUESTS));
        depth.set(0);
        service[0].serve(call, Bytes.EMPTY);
        assertThat(depth).hasValue(ServerLimits.SNAPSHOTS_MAX);
    }
}
