package dev.quoin.server.dial;

import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import dev.quoin.base.Bytes;
import dev.quoin.net.DialCall;
import dev.quoin.net.DialEnd;
import dev.quoin.net.DialHandler;
import dev.quoin.net.DialRequest;
import dev.quoin.net.DialTarget;
import dev.quoin.net.Dialler;
import dev.quoin.net.HttpFields;

/** One question to another server: its answer is put together on the dialler's loop, and awaited by whoever asked. */
public final class Exchange implements DialHandler {
    /** An answer, whatever its status. */
    public record Reply(int status, HttpFields headers, Bytes body) {
        public String text() {
            return body.toUtf8();
        }

        /** What an error says: without the newline that Go puts behind it. */
        public String message() {
            String text = text();
            return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        }
    }

    private final CompletableFuture<Reply> reply = new CompletableFuture<>();
    // Of the dialler's loop.
    private int status;
    private HttpFields headers = HttpFields.EMPTY;
    private final Gathered body = new Gathered();

    /**
     * Asks, and waits for the whole of the answer.
     *
     * @throws IOException there was none within the time, or the target cannot be dialled
     */
    public static Reply ask(Dialler dialler, DialTarget target, DialRequest request, long withinMillis)
            throws IOException, InterruptedException {
        Exchange exchange = new Exchange();
        DialCall call = exchange.open(dialler, target, request);
        try {
            return exchange.await(withinMillis);
        } finally {
            call.cancel();
        }
    }

    /** Begins; for a body that is sent in pieces. A target that cannot be dialled is an {@link IOException}. */
    public DialCall open(Dialler dialler, DialTarget target, DialRequest request) throws IOException {
        return open(dialler, target, request, this);
    }

    /** As {@link Dialler#open}; a target that cannot be dialled is an {@link IOException}. */
    public static DialCall open(Dialler dialler, DialTarget target, DialRequest request, DialHandler handler)
            throws IOException {
        try {
            return dialler.open(target, request, handler);
        } catch (IllegalArgumentException | IllegalStateException refused) {
            throw new IOException(refused.getMessage(), refused);
        }
    }

    /** Waits for the whole of it, so long: an answer that trickles is none. */
    public Reply await(long millis) throws IOException, InterruptedException {
        try {
            return reply.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            throw new IOException("no answer within " + millis + " ms", late);
        } catch (ExecutionException failed) {
            throw new IOException(Objects.requireNonNull(failed.getCause()).getMessage(), failed);
        }
    }

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
            case DialEnd.Answered() -> reply.complete(new Reply(status, headers, body.whole()));
            case DialEnd.Failed(DialEnd.Why why, String text) -> reply.completeExceptionally(new IOException(text));
        }
    }
}
