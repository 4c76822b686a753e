package dev.quoin.server.peer;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.DiskFailure;
import dev.quoin.member.IncomingSnapshot;
import dev.quoin.member.SnapshotRefused;
import dev.quoin.net.HttpBody;
import dev.quoin.net.HttpBodyLost;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.HttpResponse;
import dev.quoin.raft.Message;
import dev.quoin.server.dial.Gathered;

/**
 * What is behind {@code /raft} (rafthttp/http.go): messages that are posted, streams that are dialled, states. Each checks
 * in etcd's order and refuses in its words, since members act on both.
 */
final class RaftFront {
    private static final Logger LOG = LoggerFactory.getLogger(RaftFront.class);

    private final PeerNetwork network;
    private final PeerLimits limits;
    private final AtomicLong postedBytes = new AtomicLong();

    RaftFront(PeerNetwork network) {
        this.network = network;
        limits = network.limits();
    }

    // ---- one message

    HttpResponse message(PeerHost host, HttpRequest request, HttpBody body) throws InterruptedException {
        HttpResponse refused = refuse(host, request);
        if (refused != null) {
            return refused;
        }
        HttpFields headers = clusterId(host);
        long reserved = 0;
        try {
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limits.postMillisMax());
            Gathered gathered = new Gathered();
            for (Bytes piece = body.next(); piece != null; piece = body.next()) {
                reserved += piece.length();
                if (postedBytes.addAndGet(piece.length()) > limits.postedBytesTotalMax()) {
                    return PeerAnswers.error(503, "too many raft messages at a time", headers);
                }
                if (reserved > limits.postedBytesMax()) {
                    return PeerAnswers.error(413, "raft message too large", headers);
                }
                if (System.nanoTime() - until > 0) {
                    return PeerAnswers.error(400, "error reading raft message", headers);
                }
                gathered.add(piece);
            }
            countPosted(request, gathered.length());
            return told(PeerMessages.read(gathered.whole()), headers);
        } catch (HttpBodyLost lost) {
            return PeerAnswers.error(400, "error reading raft message", headers);
        } catch (Malformed malformed) {
            LOG.atWarn().addKeyValue("error", malformed.getMessage()).log("failed to unmarshal Raft message");
            return PeerAnswers.error(400, "error unmarshalling raft message", headers);
        } finally {
            postedBytes.addAndGet(-reserved);
        }
    }

    private void countPosted(HttpRequest request, int bytes) {
        Long from = PeerHeaders.id(request.headers().first(PeerHeaders.FROM));
        if (from != null) {
            network.metrics(from).received(bytes);
        }
    }

    /**
     * A sender that was removed, or that meant somebody else, is told no more than that it failed: etcd 3.7.1 has a status
     * for them, 403, which its type of error never comes to give. A member that gets it stops for good, so we do not begin.
     * That it was removed a member hears where it dials a stream.
     */
    private HttpResponse told(PeerMessages.Received received, HttpFields headers) {
        return switch (received) {
            case PeerMessages.Received.Told(var message) -> switch (network.receive(message)) {
                case TOLD -> PeerAnswers.noContent(headers);
                case REMOVED_SENDER, NOT_FOR_US -> PeerAnswers.error(500, "error processing raft message", headers);
                case SNAPSHOT -> PeerAnswers.error(400, "wrong raft message type", headers);
            };
            case PeerMessages.Received.LinkHeartbeat heartbeat ->
                PeerAnswers.error(500, "error processing raft message", headers);
            case PeerMessages.Received.Dropped dropped ->
                PeerAnswers.error(500, "error processing raft message", headers);
        };
    }

    // ---- a state

    HttpResponse snapshot(PeerHost host, HttpRequest request, HttpBody body) throws InterruptedException {
        HttpResponse refused = refuse(host, request);
        if (refused != null) {
            return refused;
        }
        HttpFields headers = clusterId(host);
        PeerStreams.MessageReader reader = new PeerStreams.MessageReader(limits.envelopeBytesMax());
        PeerMessages.Received received;
        try {
            received = envelope(reader, body);
        } catch (HttpBodyLost | Malformed failed) {
            return PeerAnswers.error(400, "failed to decode raft message (" + failed.getMessage() + ")", headers);
        }
        if (!(received instanceof PeerMessages.Received.Told told
                && told.message() instanceof Message.InstallSnapshot message)) {
            return PeerAnswers.error(400, "wrong raft message type", headers);
        }
        return switch (network.receive(message)) {
            case REMOVED_SENDER -> PeerAnswers.error(500,
                    "failed to process raft message (cannot process message from removed member)", headers);
            case NOT_FOR_US -> PeerAnswers.error(500,
                    "failed to process raft message (cannot process message to mismatch member)", headers);
            case TOLD, SNAPSHOT -> store(message, reader.rest(), body, headers);
        };
    }

    private static PeerMessages.Received envelope(PeerStreams.MessageReader reader, HttpBody body)
            throws HttpBodyLost, InterruptedException {
        for (Bytes piece = body.next(); piece != null; piece = body.next()) {
            reader.feed(piece);
            PeerMessages.Received received = reader.next();
            if (received != null) {
                return received;
            }
        }
        throw new Malformed(reader.isBetweenMessages() ? "EOF" : "unexpected EOF");
    }

    private HttpResponse store(Message.InstallSnapshot message, Bytes first, HttpBody body, HttpFields headers)
            throws InterruptedException {
        long began = System.nanoTime();
        PeerMetrics.Link metrics = network.metrics(message.from());
        metrics.stateBegun();
        boolean isTaken = false;
        LOG.atInfo().addKeyValue("remote-snapshot-sender-id", Long.toHexString(message.from()))
                .addKeyValue("incoming-snapshot-index", message.snapshot().index()).log("receiving database snapshot");
        try {
            long bytes = copy(network.receiveState(message), first, body);
            isTaken = true;
            metrics.received(bytes);
            LOG.atInfo().addKeyValue("remote-snapshot-sender-id", Long.toHexString(message.from()))
                    .addKeyValue("incoming-snapshot-index", message.snapshot().index())
                    .addKeyValue("incoming-snapshot-size-bytes", bytes)
                    .addKeyValue("download-took-ms", (System.nanoTime() - began) / 1_000_000)
                    .log("received and saved database snapshot");
            return PeerAnswers.noContent(headers);
        } catch (SnapshotRefused | HttpBodyLost | DiskFailure failed) {
            LOG.atWarn().addKeyValue("remote-snapshot-sender-id", Long.toHexString(message.from()))
                    .addKeyValue("incoming-snapshot-index", message.snapshot().index())
                    .addKeyValue("error", failed.getMessage()).log("failed to save incoming database snapshot");
            return PeerAnswers.error(500, "failed to save KV snapshot (" + failed.getMessage() + ")", headers);
        } finally {
            metrics.stateReceived(isTaken, System.nanoTime() - began);
        }
    }

    private static long copy(IncomingSnapshot to, Bytes first, HttpBody body)
            throws SnapshotRefused, HttpBodyLost, InterruptedException {
        boolean whole = false;
        long bytes = 0;
        try {
            for (Bytes piece = first; piece != null; piece = body.next()) {
                to.write(piece.array(), piece.offset(), piece.length());
                bytes += piece.length();
            }
            whole = true;
        } finally {
            if (!whole) {
                to.abort();
            }
        }
        finish(to);
        return bytes;
    }

    /**
     * Checks and opens the state on a thread of the system: that takes long, and does not wait for anybody, so on a virtual
     * thread it would keep heartbeats from leaving.
     */
    private static void finish(IncomingSnapshot to) throws InterruptedException {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("peer-state").start(() -> {
            try {
                to.finish();
                done.complete(null);
            } catch (Throwable failed) {
                done.completeExceptionally(failed);
            }
        });
        try {
            done.get();
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case SnapshotRefused refused -> throw refused;
                case DiskFailure failure -> throw failure;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException("a state that arrived was not taken in", failed);
            }
        }
    }

    // ---- a stream

    HttpResponse stream(PeerHost host, HttpRequest request) {
        if (!request.method().equals("GET")) {
            return PeerAnswers.onlyMethod("GET");
        }
        HttpFields headers = clusterId(host).with(PeerHeaders.VERSION, PeerHeaders.OWN_VERSION);
        String incompatible = PeerHeaders.refusal(request.headers(), host.clusterId());
        if (incompatible != null) {
            return incompatible(request, incompatible, headers);
        }
        String named = request.path().substring(StreamKind.PREFIX.length());
        int slash = named.indexOf('/');
        StreamKind kind = slash < 0 ? null : StreamKind.of(named.substring(0, slash));
        if (kind == null) {
            return PeerAnswers.error(404, "invalid path", headers);
        }
        Long from = PeerHeaders.id(named.substring(slash + 1));
        if (from == null) {
            return PeerAnswers.error(404, "invalid from", headers);
        }
        if (host.membership().isRemoved(from)) {
            LOG.atWarn().addKeyValue("remote-peer-id-from", Long.toHexString(from))
                    .log("rejected stream from remote peer because it was removed");
            return PeerAnswers.error(410, "removed member", headers);
        }
        PeerLink link = network.peer(from);
        if (link == null) {
            heardFrom(from, request.headers());
            LOG.atWarn().addKeyValue("remote-peer-id-from", Long.toHexString(from))
                    .log("failed to find remote peer in cluster");
            return PeerAnswers.error(404, "error sender not found", headers);
        }
        if (!Long.toHexString(host.memberId()).equals(request.headers().first(PeerHeaders.TO))) {
            LOG.atWarn().addKeyValue("remote-peer-id-from", Long.toHexString(from))
                    .addKeyValue("remote-peer-id-header", request.headers().first(PeerHeaders.TO))
                    .log("ignored streaming request; ID mismatch");
            return PeerAnswers.error(412, "to field mismatch", headers);
        }
        return new HttpResponse(200, headers, new HttpResponse.Body.Streamed(sink -> link.serve(kind, sink)));
    }

    // ---- what they have in common

    private static HttpFields clusterId(PeerHost host) {
        return HttpFields.of(PeerHeaders.CLUSTER_ID, Long.toHexString(host.clusterId()));
    }

    /** Why something that is posted is not taken, before it is read; else null, and its sender can be answered. */
    private @Nullable HttpResponse refuse(PeerHost host, HttpRequest request) {
        if (!request.method().equals("POST")) {
            return PeerAnswers.onlyMethod("POST");
        }
        String incompatible = PeerHeaders.refusal(request.headers(), host.clusterId());
        if (incompatible != null) {
            return incompatible(request, incompatible, clusterId(host));
        }
        Long from = PeerHeaders.id(request.headers().first(PeerHeaders.FROM));
        if (from != null) {
            heardFrom(from, request.headers());
        }
        return null;
    }

    private static HttpResponse incompatible(HttpRequest request, String why, HttpFields headers) {
        LOG.atWarn().addKeyValue("remote-peer-server-name", request.headers().first(PeerHeaders.FROM))
                .addKeyValue("remote-peer-server-version", request.headers().first(PeerHeaders.VERSION))
                .addKeyValue("remote-peer-cluster-id", request.headers().first(PeerHeaders.CLUSTER_ID))
                .addKeyValue("error", why).log("request of a remote peer refused");
        return PeerAnswers.error(412, why, headers);
    }

    private void heardFrom(long from, HttpFields headers) {
        String urls = headers.first(PeerHeaders.PEER_URLS);
        if (urls != null && !urls.isEmpty()) {
            network.heardFrom(from, List.of(urls.split(",")));
        }
    }
}
