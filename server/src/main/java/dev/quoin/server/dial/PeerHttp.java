package dev.quoin.server.dial;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
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

/** A request to another member over HTTP/1.1, and its whole answer: waits, so not for loops. Nothing is tried twice. */
public final class PeerHttp {
    /** The longest answer is a list of members. */
    private static final long ANSWER_BYTES_MAX = 4L << 20;

    private final Dialler dialler;

    /** What came back, whatever its status. */
    public record Answer(int status, HttpFields headers, Bytes body) {
        public String text() {
            return body.toUtf8();
        }
    }

    public PeerHttp(Dialler dialler) {
        this.dialler = dialler;
    }

    /**
     * Asks for what lies at an URL.
     *
     * @param url {@code http://HOST:PORT/PATH}
     * @param within how long the whole exchange may take
     * @throws IOException there is no whole answer; the text says why
     */
    public Answer get(String url, Duration within) throws IOException, InterruptedException {
        return ask(url, path -> DialRequest.get(path, HttpFields.EMPTY, ANSWER_BYTES_MAX, within.toMillis()), within);
    }

    /** As {@link #get}, with what is to be done. */
    public Answer post(String url, HttpFields headers, DialRequest.Body body, Duration within)
            throws IOException, InterruptedException {
        return ask(url, path -> DialRequest.post(path, headers, body, ANSWER_BYTES_MAX, within.toMillis()), within);
    }

    private interface Asking {
        DialRequest of(String path);
    }

    private Answer ask(String url, Asking asking, Duration within) throws IOException, InterruptedException {
        URI uri = parse(url);
        String path = Objects.requireNonNullElse(uri.getRawPath(), "");
        Collector collector = new Collector();
        DialCall call;
        try {
            call = dialler.open(target(uri), asking.of(path.isEmpty() ? "/" : path), collector);
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
        try {
            return collector.answer.get(within.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            throw new IOException(url + ": no answer within " + within.toMillis() + " ms", late);
        } catch (ExecutionException failed) {
            throw new IOException(url + ": " + Objects.requireNonNull(failed.getCause()).getMessage(), failed);
        } finally {
            call.cancel();
        }
    }

    private static URI parse(String url) throws IOException {
        try {
            return new URI(url);
        } catch (URISyntaxException e) {
            throw new IOException(url + ": " + e.getReason(), e);
        }
    }

    /** Not by URI's host, which knows no underscore. */
    private static DialTarget target(URI uri) throws IOException {
        String authority = Objects.requireNonNullElse(uri.getRawAuthority(), "");
        int colon = authority.lastIndexOf(':');
        if (colon < 0 || !authority.substring(colon + 1).matches("[0-9]{1,5}")) {
            throw new IOException(uri + ": no port");
        }
        String host = authority.substring(0, colon);
        boolean isBracketed = host.startsWith("[") && host.endsWith("]");
        return new DialTarget(isBracketed ? host.substring(1, host.length() - 1) : host,
                Integer.parseInt(authority.substring(colon + 1)), "https".equals(uri.getScheme()));
    }

    /** Puts the answer together, on the dialler's loop. */
    private static final class Collector implements DialHandler {
        final CompletableFuture<Answer> answer = new CompletableFuture<>();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private int status;
        private HttpFields headers = HttpFields.EMPTY;

        @Override
        public void onHead(DialCall call, int newStatus, HttpFields newHeaders) {
            status = newStatus;
            headers = newHeaders;
        }

        @Override
        public void onBytes(DialCall call, Bytes piece) {
            body.write(piece.array(), piece.offset(), piece.length());
        }

        @Override
        public void onEnd(DialCall call, DialEnd end) {
            switch (end) {
                case DialEnd.Answered() ->
                    answer.complete(new Answer(status, headers, Bytes.of(body.toByteArray())));
                case DialEnd.Failed(DialEnd.Why why, String text) ->
                    answer.completeExceptionally(new IOException(text));
            }
        }
    }
}
