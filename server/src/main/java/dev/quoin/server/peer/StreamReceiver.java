package dev.quoin.server.peer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.net.DialCall;
import dev.quoin.net.DialEnd;
import dev.quoin.net.DialHandler;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.HttpFields;
import dev.quoin.raft.Message;
import dev.quoin.server.dial.Exchange;
import dev.quoin.server.dial.Gathered;
import dev.quoin.server.peer.PeerContext.Verdict;

/**
 * One stream from a member (rafthttp streamReader): we dial it, and dial again whenever it ends. Has a virtual thread,
 * which waits; what arrives is read and passed on by the dialler's loop.
 */
final class StreamReceiver {
    private static final Logger LOG = LoggerFactory.getLogger(StreamReceiver.class);
    private static final int GONE = 410;
    private static final int ERROR_TEXT_BYTES_MAX = 4_096;

    private final StreamKind kind;
    private final PeerLink link;
    private final PeerContext context;
    private final Thread thread;
    private final Semaphore nudges = new Semaphore(0);
    private String lastFailure = ""; // of the thread; what repeats is logged once

    StreamReceiver(StreamKind kind, PeerLink link, PeerContext context) {
        this.kind = kind;
        this.link = link;
        this.context = context;
        thread = Thread.ofVirtual().name("peer-" + kind.path(link.id())).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** The member lives: whoever waits before dialling again does not have to. */
    void nudge() {
        if (nudges.availablePermits() == 0) {
            nudges.release();
        }
    }

    void close() {
        thread.interrupt();
    }

    private void run() {
        PeerLimits limits = context.limits();
        long pauseMillis = limits.redialMillisMin();
        try {
            while (true) {
                boolean established = attempt();
                pauseMillis = established ? limits.redialMillisMin()
                        : Math.min(2 * pauseMillis, limits.redialMillisMax());
                TimeUnit.MILLISECONDS.sleep(limits.redialMillisMin());
                if (nudges.tryAcquire(pauseMillis - limits.redialMillisMin(), TimeUnit.MILLISECONDS)) {
                    pauseMillis = limits.redialMillisMin();
                }
            }
        } catch (InterruptedException closed) {
            // That is how it ends.
        }
    }

    /** Dials and listens until it is over; says whether it had been established. */
    private boolean attempt() throws InterruptedException {
        DialTarget target = link.targets().pick();
        if (target == null) {
            return false;
        }
        Attempt attempt = new Attempt();
        DialCall call;
        try {
            call = Exchange.open(context.client().dialler(), target, request(), attempt);
        } catch (IOException refused) {
            link.targets().unreachable(target);
            failed("dial", String.valueOf(refused.getMessage()));
            return false;
        }
        String failure;
        try {
            failure = attempt.await();
        } catch (InterruptedException closed) {
            call.cancel();
            throw closed;
        }
        if (!attempt.established) {
            link.targets().unreachable(target);
            failed("dial", failure);
            return false;
        }
        lastFailure = "";
        LOG.atWarn().addKeyValue("stream-reader-type", kind.etcdName()).addKeyValue("remote-peer-id", link.name())
                .addKeyValue("error", failure).log("lost TCP streaming connection with remote peer");
        if (!attempt.endedWell) {
            link.activity()
                    .deactivate("failed to read " + link.name() + " on " + kind.etcdName() + " (" + failure + ")");
        }
        return true;
    }

    private void failed(String action, String failure) {
        link.activity().deactivate(
                "failed to " + action + " " + link.name() + " on " + kind.etcdName() + " (" + failure + ")");
        if (!failure.equals(lastFailure)) {
            lastFailure = failure;
            LOG.atWarn().addKeyValue("stream-reader-type", kind.etcdName()).addKeyValue("remote-peer-id", link.name())
                    .addKeyValue("error", failure).log("failed to dial stream of remote peer");
        }
    }

    private DialRequest request() {
        return DialRequest.get(kind.path(context.memberId()), context.headers().with(PeerHeaders.TO, link.name()),
                Long.MAX_VALUE, context.limits().silenceMillisMax());
    }

    private PeerStreams.Reader reader() {
        int bytesMax = context.limits().streamMessageBytesMax();
        return switch (kind) {
            case MESSAGES -> new PeerStreams.MessageReader(bytesMax);
            case APPENDS -> new PeerStreams.AppendReader(link.id(), context.memberId(), bytesMax);
        };
    }

    /** One call. Its methods run on the dialler's loop. */
    private final class Attempt implements DialHandler {
        private final CompletableFuture<String> over = new CompletableFuture<>();
        private PeerStreams.@Nullable Reader reader;
        /** What the piece at hand brought. */
        private final List<Message> arrived = new ArrayList<>();
        private final Gathered errorText = new Gathered();
        private int status;
        private @Nullable String refusal;
        volatile boolean established;
        volatile boolean endedWell;

        String await() throws InterruptedException {
            try {
                return over.get();
            } catch (ExecutionException never) {
                throw new IllegalStateException("a future of ours failed", never);
            }
        }

        @Override
        public void onHead(DialCall call, int answered, HttpFields headers) {
            status = answered;
            if (!PeerHeaders.knowsStreams(headers)) {
                refuse(call, "status " + answered + " of a server that does not know such streams");
            } else if (answered == 200) {
                reader = reader();
                established = true;
                link.activity().activate();
                LOG.atInfo().addKeyValue("stream-reader-type", kind.etcdName())
                        .addKeyValue("remote-peer-id", link.name())
                        .log("established TCP streaming connection with remote peer");
            } else if (answered == GONE) {
                refuse(call, "the member has been permanently removed from the cluster");
                context.inbox().removed(link.id());
            }
        }

        @Override
        public void onBytes(DialCall call, Bytes piece) {
            PeerStreams.Reader open = reader;
            if (open != null) {
                link.metrics().received(piece.length());
                read(call, open, piece);
                return;
            }
            errorText.add(piece);
            if (errorText.length() > ERROR_TEXT_BYTES_MAX) {
                refuse(call, "status " + status + " and much text");
            }
        }

        private void read(DialCall call, PeerStreams.Reader open, Bytes piece) {
            try {
                open.feed(piece);
                for (PeerMessages.Received next = open.next(); next != null; next = open.next()) {
                    received(next);
                }
            } catch (Malformed malformed) {
                link.metrics().receiveFailed();
                refuse(call, String.valueOf(malformed.getMessage()));
            }
            if (!arrived.isEmpty()) {
                List<Message> together = List.copyOf(arrived);
                arrived.clear();
                context.intake().tell(together);
            }
        }

        private void received(PeerMessages.Received received) {
            switch (received) {
                case PeerMessages.Received.Told(var message) -> {
                    Verdict verdict = context.intake().verdict(message);
                    if (verdict == Verdict.TOLD) {
                        arrived.add(message);
                    } else {
                        LOG.atWarn().addKeyValue("remote-peer-id", link.name()).addKeyValue("verdict", verdict)
                                .log("rejected Raft message");
                    }
                }
                case PeerMessages.Received.LinkHeartbeat heartbeat -> {}
                case PeerMessages.Received.Dropped(int type) ->
                    LOG.atWarn().addKeyValue("remote-peer-id", link.name()).addKeyValue("message-type", type)
                            .log("dropped a Raft message of a type that is not sent");
            }
        }

        private void refuse(DialCall call, String why) {
            refusal = why;
            call.cancel();
        }

        @Override
        public void onEnd(DialCall call, DialEnd end) {
            String why = refusal != null ? refusal : switch (end) {
                case DialEnd.Answered answered when established -> "EOF";
                case DialEnd.Answered answered ->
                    "status " + status + ": " + errorText.whole().toUtf8().strip();
                case DialEnd.Failed failed -> failed.text();
            };
            if (end instanceof DialEnd.Failed failed && failed.why() == DialEnd.Why.REFUSED) {
                context.inbox().gone(link.id());
            }
            endedWell = refusal == null && end instanceof DialEnd.Answered;
            over.complete(why);
        }
    }
}
