package dev.quoin.server.peer;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.net.DialCall;
import dev.quoin.net.DialEnd;
import dev.quoin.net.DialHandler;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.DialTls;
import dev.quoin.net.Dialler;
import dev.quoin.net.HttpFields;
import dev.quoin.net.NetLimits;

/** Asks the peer ports of others, for threads that may wait. Nothing is tried twice, no redirection is followed. */
public final class PeerClient implements AutoCloseable {
    /** An answer, whatever its status. */
    public record Reply(int status, HttpFields headers, Bytes body) {
        /** What an error says: without the newline that Go puts behind it. */
        String text() {
            String text = body.toUtf8();
            return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        }
    }

    private static final long CONNECT_MILLIS_MAX = 2_000;
    private static final long BYTES_PER_MILLI_MIN = 1_024;

    final Dialler dialler;

    /**
     * @param tls for members that speak TLS, or null
     * @throws IOException a certificate cannot be read; the text names it
     */
    public PeerClient(PeerLimits limits, @Nullable DialTls tls) throws IOException {
        dialler = new Dialler(
                NetLimits.defaults().change().writeStallMillisMax(limits.silenceMillisMax()).build(), tls);
    }

    /**
     * Asks and waits for the whole of the answer.
     *
     * @throws IOException there was none
     */
    public Reply ask(DialTarget target, DialRequest request) throws IOException, InterruptedException {
        Pending pending = new Pending();
        DialCall call = open(target, request, pending);
        try {
            return pending.await(wholeMillisMax(request));
        } finally {
            call.cancel();
        }
    }

    /** What is asked here has a short answer, that comes at once. What is said may be longer. */
    private static long wholeMillisMax(DialRequest request) {
        long said = request.body() instanceof DialRequest.Body.Whole(Bytes bytes) ? bytes.length() : 0;
        return CONNECT_MILLIS_MAX + said / BYTES_PER_MILLI_MIN + 2 * request.silenceMillisMax();
    }

    /** As {@link Dialler#open}; a target that cannot be dialled is an {@link IOException}. */
    DialCall open(DialTarget target, DialRequest request, DialHandler handler) throws IOException {
        try {
            return dialler.open(target, request, handler);
        } catch (IllegalArgumentException | IllegalStateException refused) {
            throw new IOException(refused.getMessage(), refused);
        }
    }

    /** What it dials with, for other questions to members. */
    public Dialler dialler() {
        return dialler;
    }

    @Override
    public void close() {
        dialler.close();
    }

    /** An answer that is awaited. */
    static final class Pending implements DialHandler {
        private final CompletableFuture<Reply> reply = new CompletableFuture<>();
        // Of the dialler's loop.
        private int status;
        private HttpFields headers = HttpFields.EMPTY;
        private final Gathered body = new Gathered();

        @Override
        public void onHead(DialCall call, int answered, HttpFields fields) {
            status = answered;
            headers = fields;
        }

        @Override
        public void onBytes(DialCall call, Bytes piece) {
            body.add(piece);
        }

        @Override
        public void onEnd(DialCall call, DialEnd end) {
            switch (end) {
                case DialEnd.Answered answered -> reply.complete(new Reply(status, headers, body.whole()));
                case DialEnd.Failed failed -> reply.completeExceptionally(new IOException(
                        failed.text() + " (" + failed.why() + ")"));
            }
        }

        /** Waits for the whole of it, so long: an answer that trickles is none. */
        Reply await(long millis) throws IOException, InterruptedException {
            try {
                return reply.get(millis, TimeUnit.MILLISECONDS);
            } catch (TimeoutException late) {
                throw new IOException("no answer within " + millis + " ms", late);
            } catch (ExecutionException failed) {
                throw failed.getCause() instanceof IOException cause
                        ? new IOException(cause.getMessage(), cause)
                        : new IOException(failed);
            }
        }
    }

    /** All of them, one behind the other; not copied if it is one. */
    static Bytes join(List<Bytes> pieces) {
        if (pieces.size() == 1) {
            return pieces.getFirst();
        }
        byte[] all = new byte[pieces.stream().mapToInt(Bytes::length).sum()];
        int at = 0;
        for (Bytes piece : pieces) {
            piece.copyTo(all, at);
            at += piece.length();
        }
        return Bytes.of(all);
    }
}
