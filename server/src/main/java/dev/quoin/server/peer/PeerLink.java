package dev.quoin.server.peer;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.member.SnapshotState;
import dev.quoin.net.HttpResponse;
import dev.quoin.raft.Message;
import dev.quoin.server.dial.Exchange;
import dev.quoin.server.peer.SendQueue.Offered;

/**
 * One other member, and the ways to it and from it (rafthttp/peer.go). A <em>remote</em> (remote.go) is somebody who has
 * spoken to us and is no member as far as we know, since we may lag behind: it is answered, by the pipeline alone.
 */
final class PeerLink {
    private static final Logger LOG = LoggerFactory.getLogger(PeerLink.class);
    /** How a member of old says that a message was not taken because its sender was removed. */
    private static final String REMOVED_SENDER = "{\"message\":\"cannot process message from removed member\"}";

    private final long id;
    private final boolean remote;
    private final PeerContext context;
    private final PeerTargets targets;
    private final Activity activity;
    private final PeerMetrics.Link metrics;
    private final RoundTrips roundTrips;
    private final StreamSender messages;
    private final StreamSender appends;
    private final Pipeline pipeline;
    private final List<StreamReceiver> receivers;
    private final AtomicBoolean lostTold = new AtomicBoolean();
    private volatile @Nullable SnapshotSender sending;
    private volatile boolean closed;

    PeerLink(long id, List<String> urls, boolean remote, PeerContext context) {
        this.id = id;
        this.remote = remote;
        this.context = context;
        targets = new PeerTargets(urls);
        metrics = context.metrics().link(id);
        activity = new Activity(id, context.clock(), metrics);
        roundTrips = new RoundTrips(this, context);
        messages = new StreamSender(StreamKind.MESSAGES, PeerStreams.MessageWriter::new, this, context.limits());
        appends = new StreamSender(StreamKind.APPENDS, PeerStreams.AppendWriter::new, this, context.limits());
        pipeline = new Pipeline(this, context);
        receivers = remote ? List.of()
                : List.of(new StreamReceiver(StreamKind.APPENDS, this, context),
                        new StreamReceiver(StreamKind.MESSAGES, this, context));
    }

    void start() {
        pipeline.start();
        receivers.forEach(StreamReceiver::start);
        if (!remote) {
            roundTrips.start();
        }
        LOG.atInfo().addKeyValue("remote-peer-id", name()).addKeyValue("remote", remote).log("started remote peer");
    }

    long id() {
        return id;
    }

    /** As URLs, headers and logs have it. */
    String name() {
        return Long.toHexString(id);
    }

    PeerTargets targets() {
        return targets;
    }

    Activity activity() {
        return activity;
    }

    PeerMetrics.Link metrics() {
        return metrics;
    }

    boolean isRemote() {
        return remote;
    }

    boolean isClosed() {
        return closed;
    }

    /** Puts a message where it goes out; one that has no room is lost. */
    void send(Message message) {
        Offered offered = Offered.CLOSED;
        if (message instanceof Message.Append) {
            offered = appends.offer(message);
        }
        if (offered == Offered.CLOSED) {
            offered = messages.offer(message);
        }
        if (offered == Offered.CLOSED) {
            offered = pipeline.offer(message);
        }
        if (offered == Offered.FULL) {
            lost();
        }
    }

    /** Something that was to reach the member did not; consensus hears of it soon. */
    void lost() {
        metrics.sendFailed();
        if (!closed && lostTold.compareAndSet(false, true)) {
            context.later().run(() -> {
                lostTold.set(false);
                context.inbox().unreachable(id);
            });
        }
    }

    void sendSnapshot(Message.InstallSnapshot message, SnapshotState state) {
        SnapshotSender sender = new SnapshotSender(this, context, message, state);
        sending = sender;
        // Of the system: walking a state does not wait for anybody, and heartbeats leave on virtual threads.
        Thread.ofPlatform().daemon().name("peer-snapshot-" + name()).start(sender::run);
    }

    /** Whether the member has dialled this stream, and listens. */
    boolean isDialled(StreamKind kind) {
        return switch (kind) {
            case MESSAGES -> messages.isAttached();
            case APPENDS -> appends.isAttached();
        };
    }

    /** The member has dialled one of its streams. */
    void serve(StreamKind kind, HttpResponse.Sink sink) throws InterruptedException {
        receivers.forEach(StreamReceiver::nudge);
        switch (kind) {
            case MESSAGES -> messages.serve(sink);
            case APPENDS -> appends.serve(sink);
        }
    }

    /**
     * Looks at what the raft handlers answered (rafthttp/util.go checkPostResponse).
     *
     * @throws IOException they did not take it; the text says why
     */
    void checkPosted(Exchange.Reply reply) throws IOException {
        switch (reply.status()) {
            case 204 -> {}
            case 403 -> {
                // etcd takes any 403 for a removal; where it only says that we asked the wrong one, we stay.
                if (reply.message().equals(REMOVED_SENDER)) {
                    context.inbox().removed(id);
                }
                throw new IOException(reply.message());
            }
            case 412 -> {
                LOG.atError().addKeyValue("remote-peer-id", name()).addKeyValue("error", reply.message())
                        .addKeyValue("remote-peer-cluster-id", reply.headers().first(PeerHeaders.CLUSTER_ID))
                        .log("request sent was ignored by peer");
                throw new IOException(reply.message());
            }
            default -> throw new IOException("unexpected http status " + reply.status() + ": " + reply.message());
        }
    }

    void close() {
        closed = true;
        messages.close();
        appends.close();
        pipeline.close();
        receivers.forEach(StreamReceiver::close);
        roundTrips.close();
        activity.forget();
        SnapshotSender begun = sending;
        if (begun != null) {
            begun.cancel();
        }
        LOG.atInfo().addKeyValue("remote-peer-id", name()).log("stopped remote peer");
    }
}
