package dev.quoin.server.peer;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.net.HttpResponse;
import dev.quoin.raft.Message;

/**
 * One stream to a member (rafthttp streamWriter), for as long as the member has it dialled. Whatever has gathered goes out
 * as one piece; a sign of life goes out all the time, whether there is something to say or not.
 */
final class StreamSender {
    private static final Logger LOG = LoggerFactory.getLogger(StreamSender.class);
    private static final int HEARTBEAT_BYTES_MAX = 16;
    private static final int AT_ONCE_BYTES_MAX = 64 * 1024;

    private final StreamKind kind;
    private final Supplier<PeerStreams.Writer> codecs;
    private final PeerLink link;
    private final SendQueue queue;
    private final int batchBytes;
    private final long heartbeatNanos;

    StreamSender(StreamKind kind, Supplier<PeerStreams.Writer> codecs, PeerLink link, PeerLimits limits) {
        this.kind = kind;
        this.codecs = codecs;
        this.link = link;
        queue = new SendQueue(limits.streamMessagesMax(), limits.queuedBytesMax());
        batchBytes = limits.batchBytes();
        heartbeatNanos = TimeUnit.MILLISECONDS.toNanos(limits.heartbeatMillis());
    }

    boolean isAttached() {
        return queue.isOpen();
    }

    SendQueue.Offered offer(Message message) {
        return queue.offer(message);
    }

    /** Serves a member that has dialled, until it goes, or dials again. On the thread of its request. */
    void serve(HttpResponse.Sink sink) throws InterruptedException {
        boolean replaced = queue.isOpen();
        if (queue.close()) {
            link.lost();
        }
        PeerStreams.Writer codec = codecs.get();
        long holder = queue.open(message -> sendAtOnce(codec, sink, message, link.metrics()));
        if (link.isClosed()) {
            queue.close(holder);
            return;
        }
        link.activity().activate();
        LOG.atInfo().addKeyValue("stream-writer-type", kind.etcdName()).addKeyValue("remote-peer-id", link.name())
                .addKeyValue("replaced", replaced).log("established TCP streaming connection with remote peer");
        boolean gone = true;
        try {
            gone = send(holder, codec, sink);
        } finally {
            if (gone) {
                gone(holder);
            }
        }
    }

    /** Returns whether the member is gone; it may also be that somebody else holds the queue, or nobody any more. */
    private boolean send(long holder, PeerStreams.Writer codec, HttpResponse.Sink sink) throws InterruptedException {
        long heartbeatDue = System.nanoTime() + heartbeatNanos;
        while (true) {
            List<Message> batch = queue.take(holder, batchBytes, Math.max(0, heartbeatDue - System.nanoTime()));
            if (batch == null) {
                return false;
            }
            ProtoWriter out = new ProtoWriter(bytes(batch));
            batch.forEach(message -> codec.write(out, message));
            if (heartbeatDue - System.nanoTime() <= 0) {
                codec.heartbeat(out);
                heartbeatDue = System.nanoTime() + heartbeatNanos;
            }
            if (out.size() > 0 && !sink.send(Bytes.of(out.buffer(), 0, out.size()))) {
                if (!batch.isEmpty()) {
                    link.lost();
                }
                return true;
            }
            link.metrics().sent(out.size());
        }
    }

    /** On the thread of consensus: only what is soon written. */
    private static boolean sendAtOnce(PeerStreams.Writer codec, HttpResponse.Sink sink, Message message,
            PeerMetrics.Link metrics) {
        int bytes = PeerMessages.bytesMost(message);
        if (bytes > AT_ONCE_BYTES_MAX || !sink.hasRoom()) {
            return false;
        }
        ProtoWriter out = new ProtoWriter(bytes + HEARTBEAT_BYTES_MAX);
        codec.write(out, message);
        sink.push(Bytes.of(out.buffer(), 0, out.size()));
        metrics.sent(out.size());
        return true;
    }

    private static int bytes(List<Message> batch) {
        long bytes = HEARTBEAT_BYTES_MAX;
        for (Message message : batch) {
            bytes += PeerMessages.bytesMost(message) + HEARTBEAT_BYTES_MAX;
        }
        return (int) Math.min(bytes, Integer.MAX_VALUE - 8);
    }

    private void gone(long holder) {
        if (!queue.isHeldBy(holder)) {
            return;
        }
        link.activity().deactivate("failed to write " + link.name() + " on " + kind.etcdName());
        if (queue.close(holder)) {
            link.lost();
        }
        LOG.atWarn().addKeyValue("stream-writer-type", kind.etcdName()).addKeyValue("remote-peer-id", link.name())
                .log("lost TCP streaming connection with remote peer");
    }

    void close() {
        queue.close();
    }
}
