package dev.quoin.server.peer;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.member.Delivery;
import dev.quoin.member.SnapshotState;
import dev.quoin.net.DialCall;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.raft.Message;
import dev.quoin.server.dial.Exchange;

/**
 * Sends one state (rafthttp snapshotSender): its message behind the message's length, then the file, as one post. On a
 * virtual thread of its own, which walks the state at the pace of whoever receives it.
 */
final class SnapshotSender {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotSender.class);
    private static final int PIECE_BYTES = 1 << 16;

    private final PeerLink link;
    private final PeerContext context;
    private final Message.InstallSnapshot message;
    private final SnapshotState state;
    private volatile @Nullable DialCall call;
    private volatile boolean cancelled;

    SnapshotSender(PeerLink link, PeerContext context, Message.InstallSnapshot message, SnapshotState state) {
        this.link = link;
        this.context = context;
        this.message = message;
        this.state = state;
    }

    /** Closes the state, whatever happens, and says what became of it. */
    void run() {
        Delivery delivery = Delivery.FAILED;
        long begun = System.nanoTime();
        link.metrics().snapshotBegun();
        try (state) {
            if (context.snapshots().tryAcquire(context.limits().snapshotTurnMillisMax(), TimeUnit.MILLISECONDS)) {
                try {
                    delivery = cancelled ? Delivery.FAILED : send();
                    link.metrics().sent(delivery == Delivery.ARRIVED ? state.lengthBytes() : 0);
                } finally {
                    context.snapshots().release();
                }
            } else {
                LOG.atWarn().addKeyValue("remote-peer-id", link.name())
                        .log("too many database snapshots are being sent; trying again later");
            }
        } catch (InterruptedException closed) {
            // The network is closed; the member may still want to know.
        } finally {
            boolean hasArrived = delivery == Delivery.ARRIVED;
            link.metrics().snapshotSent(hasArrived, System.nanoTime() - begun);
            if (!hasArrived) {
                link.metrics().sendFailed();
                context.inbox().unreachable(link.id());
            }
            context.inbox().snapshotSent(link.id(), delivery);
        }
    }

    /** The member is not to be sent it any more. */
    void cancel() {
        cancelled = true;
        DialCall begun = call;
        if (begun != null) {
            begun.cancel();
        }
    }

    private Delivery send() throws InterruptedException {
        DialTarget target = link.targets().pick();
        if (target == null) {
            return Delivery.FAILED;
        }
        try {
            log("sending database snapshot");
            link.checkPosted(post(target));
            link.activity().activate();
            log("sent database snapshot");
            return Delivery.ARRIVED;
        } catch (Damaged damaged) {
            // The other member has no part in it.
            LOG.atError().addKeyValue("snapshot-index", message.snapshot().index())
                    .addKeyValue("remote-peer-id", link.name()).addKeyValue("error", damaged.getMessage())
                    .addKeyValue("remedy", Damaged.REMEDY).log("cannot make a database snapshot");
            return Delivery.DAMAGED;
        } catch (IOException | Gone | DiskFailure failed) {
            link.targets().unreachable(target);
            link.activity()
                    .deactivate("failed to post " + link.name() + " on sendMsgSnap (" + failed.getMessage() + ")");
            LOG.atWarn().addKeyValue("snapshot-index", message.snapshot().index())
                    .addKeyValue("remote-peer-id", link.name()).addKeyValue("bytes", state.lengthBytes())
                    .addKeyValue("error", failed.getMessage()).log("failed to send database snapshot");
            return Delivery.FAILED;
        }
    }

    private void log(String what) {
        LOG.atInfo().addKeyValue("snapshot-index", message.snapshot().index())
                .addKeyValue("remote-peer-id", link.name()).addKeyValue("bytes", state.lengthBytes()).log(what);
    }

    private Exchange.Reply post(DialTarget target) throws IOException, InterruptedException {
        ProtoWriter envelope = new ProtoWriter(PIECE_BYTES);
        new PeerStreams.MessageWriter().write(envelope, message, state.oldStore());
        DialRequest.Body body = new DialRequest.Body.Streamed(envelope.size() + state.lengthBytes());
        Exchange exchange = new Exchange();
        DialCall begun = exchange.open(context.client().dialler(), target, context.post("/raft/snapshot",
                "application/octet-stream", body, context.limits().snapshotAnswerMillisMax()));
        call = begun;
        if (cancelled) {
            begun.cancel();
        }
        boolean written = false;
        try {
            Pieces pieces = new Pieces(begun);
            pieces.write(envelope.buffer(), 0, envelope.size());
            state.writeTo(pieces);
            pieces.flush();
            Invariant.check(pieces.writtenBytes == envelope.size() + state.lengthBytes(),
                    "a state of %d bytes was written as %d", state.lengthBytes(),
                    pieces.writtenBytes - envelope.size());
            written = true;
        } catch (Stopped early) {
            // It has answered, or is gone: the answer says which.
            written = true;
        } finally {
            if (!written) {
                begun.cancel();
            }
        }
        try {
            return exchange.await(context.limits().snapshotAnswerMillisMax());
        } finally {
            begun.cancel();
        }
    }

    /** Ends the walk: nobody takes any more of it. */
    private static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Stopped() {
            super("the call is over", null, false, false);
        }
    }

    /** Cuts the file into pieces, each an array of its own. */
    private static final class Pieces implements SnapshotState.Output {
        private final DialCall call;
        private byte[] piece = new byte[PIECE_BYTES];
        private int filled;
        private long writtenBytes;

        Pieces(DialCall call) {
            this.call = call;
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

        void flush() {
            if (filled == 0) {
                return;
            }
            Bytes full = Bytes.of(piece, 0, filled);
            writtenBytes += filled;
            piece = new byte[PIECE_BYTES];
            filled = 0;
            try {
                if (!call.send(full)) {
                    throw new Stopped();
                }
            } catch (InterruptedException closed) {
                Thread.currentThread().interrupt();
                throw new Stopped();
            }
        }
    }
}
