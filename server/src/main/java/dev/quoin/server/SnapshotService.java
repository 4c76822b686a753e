package dev.quoin.server;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.api.etcdserverpb.HashRequest;
import dev.quoin.api.etcdserverpb.HashResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.SnapshotRequest;
import dev.quoin.api.etcdserverpb.SnapshotResponse;
import dev.quoin.base.Bytes;
import dev.quoin.base.HumanBytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.member.Failure;
import dev.quoin.member.SnapshotState;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.StatusException;
import dev.quoin.server.config.Durations;

/**
 * What reads a member's whole state for clients. etcdserverpb.Maintenance/Snapshot: the state as etcd's database file, in pieces of
 * {@value #PIECE_BYTES} bytes, then the SHA-256 of all of them in a message of its own (v3rpc/maintenance.go). A learner answers,
 * too. And Maintenance/Hash: the hash of what would be in that file ({@link SnapshotState#hash}), which is equal on members that
 * have applied the same.
 *
 * <p>The file is made while it is sent: walked once for its length and once for its bytes, at the pace of the client, and
 * never held; for a hash it is walked once. What each costs meanwhile is some 30 bytes for every revision, and records that are not given up; so there are at
 * most so many at once ({@link ServerLimits#SNAPSHOTS_MAX}), and records are kept for so long (ten minutes).
 */
final class SnapshotService {
    static final String PATH = "/etcdserverpb.Maintenance/Snapshot";
    private static final String HASH_PATH = "/etcdserverpb.Maintenance/Hash";

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotService.class);
    private static final int PIECE_BYTES = 32 << 10;

    /** Where states come from: {@link dev.quoin.member.Member#snapshot}. */
    @FunctionalInterface
    interface Source {
        SnapshotState take() throws InterruptedException, TimeoutException;
    }

    /** What is done with a state. */
    private interface Work<T> {
        T on(SnapshotState state);
    }

    private final Source source;
    private final LongFunction<ResponseHeader> headers;
    private final LongConsumer hashed;
    private final Semaphore free = new Semaphore(ServerLimits.SNAPSHOTS_MAX);

    /**
     * @param headers the header of an answer, by revision
     * @param hashed told how many nanoseconds a hash took
     */
    SnapshotService(Source source, LongFunction<ResponseHeader> headers, LongConsumer hashed) {
        this.source = source;
        this.headers = headers;
        this.hashed = hashed;
    }

    List<Method> methods() {
        return List.of(Method.virtualStream(PATH, this::serve),
                Unary.method(HASH_PATH, HashRequest.parser(), this::hash));
    }

    void serve(Call call, Bytes request) throws StatusException, InterruptedException {
        check(request);
        read(state -> send(call, state));
    }

    HashResponse hash(Call call, HashRequest request) throws StatusException, InterruptedException {
        return read(state -> {
            long begun = System.nanoTime();
            int hash = state.hash();
            hashed.accept(System.nanoTime() - begun);
            return HashResponse.newBuilder().setHeader(headers.apply(state.revision())).setHash(hash).build();
        });
    }

    /** Waits for a thread of the system: a walk over all records would keep virtual ones from running. */
    private <T> T read(Work<T> work) throws StatusException, InterruptedException {
        if (!free.tryAcquire()) {
            throw new StatusException(Errors.of(Failure.TOO_MANY_REQUESTS));
        }
        try (SnapshotState state = source.take()) {
            FutureTask<T> reading = new FutureTask<>(() -> work.on(state));
            Thread.ofPlatform().name("snapshot").daemon().start(reading);
            return await(reading);
        } catch (TimeoutException late) {
            throw new StatusException(Errors.of(Failure.TIMEOUT));
        } finally {
            free.release();
        }
    }

    private static void check(Bytes request) throws StatusException {
        try {
            Invariant.check(SnapshotRequest.parseFrom(request.toByteArray()).isInitialized(),
                    "a message without fields lacks some");
        } catch (InvalidProtocolBufferException e) {
            throw new StatusException(Errors.unreadableInStream(String.valueOf(e.getMessage())));
        }
    }

    /** To the very end: whoever reads must not find the state closed. */
    private static <T> T await(FutureTask<T> reading) throws StatusException, InterruptedException {
        try {
            return reading.get();
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case StatusException status -> throw status;
                case Damaged damaged -> throw new StatusException(Errors.lost(damaged));
                case Gone gone -> throw new StatusException(Errors.SNAPSHOT_TOO_SLOW);
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException("the state could not be read", failed);
            }
        }
    }

    /** Whether the client took all of it. */
    private static boolean send(Call call, SnapshotState state) {
        long start = System.nanoTime();
        long total = state.lengthBytes();
        String size = HumanBytes.text(total);
        LOG.atInfo().addKeyValue("total-bytes", total).addKeyValue("size", size)
                .addKeyValue("storage-version", state.storageVersion()).log("sending database snapshot to client");
        try {
            Pieces pieces = new Pieces(call, total, state.storageVersion());
            state.writeTo(pieces);
            pieces.end();
        } catch (ClientGone gone) {
            LOG.atWarn().addKeyValue("total-bytes", total).log("the client of a database snapshot has gone");
            return false;
        }
        LOG.atInfo().addKeyValue("total-bytes", total).addKeyValue("size", size)
                .addKeyValue("took", Durations.text(Duration.ofNanos(System.nanoTime() - start)))
                .addKeyValue("storage-version", state.storageVersion())
                .log("successfully sent database snapshot to client");
        return true;
    }

    /** Ends the walk: nobody takes any more of it. */
    private static final class ClientGone extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ClientGone() {
            super("the call is over", null, false, false);
        }
    }

    /** Cuts the file into messages, and waits for room before each. */
    private static final class Pieces implements SnapshotState.Output {
        private final Call call;
        private final String version;
        private final MessageDigest sha = sha256();
        private byte[] piece = new byte[PIECE_BYTES];
        private int filled;
        private long remaining;

        Pieces(Call call, long total, String version) {
            this.call = call;
            this.version = version;
            remaining = total;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            int at = offset;
            int left = length;
            while (left > 0) {
                int part = Math.min(left, PIECE_BYTES - filled);
                System.arraycopy(bytes, at, piece, filled, part);
                filled += part;
                at += part;
                left -= part;
                if (filled == PIECE_BYTES) {
                    flush();
                }
            }
        }

        private void flush() {
            if (filled > 0) {
                sha.update(piece, 0, filled);
                remaining -= filled;
                send(piece, filled);
                piece = new byte[PIECE_BYTES];
                filled = 0;
            }
        }

        void end() {
            flush();
            Invariant.check(remaining == 0, "%d bytes of a state were announced and not written", remaining);
            send(sha.digest(), sha.getDigestLength());
        }

        private void send(byte[] blob, int length) {
            awaitRoom();
            call.send(Bytes.of(SnapshotResponse.newBuilder().setRemainingBytes(remaining)
                    .setBlob(UnsafeByteOperations.unsafeWrap(blob, 0, length)).setVersion(version).build()
                    .toByteArray()));
        }

        private void awaitRoom() {
            try {
                if (!call.awaitWritable()) {
                    throw new ClientGone();
                }
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                throw new ClientGone();
            }
        }

        private static MessageDigest sha256() {
            try {
                return MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-256", e);
            }
        }
    }
}
