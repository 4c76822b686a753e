package dev.quoin.net;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/** The part of answering an HTTP request that is the same on both versions; runs on the request's virtual thread. */
final class HttpWork {
    private HttpWork() {}

    /** Where an answer goes, from the virtual thread to the loop. */
    interface Reply {
        void whole(HttpResponse response);

        void head(HttpResponse response);

        /** Waits for room; false if the client is gone. */
        boolean piece(Bytes piece) throws InterruptedException;

        boolean hasRoom();

        /** Does not wait; without effect if the client is gone. */
        void push(Bytes piece);

        void end();

        /** The body broke off: the client must be able to tell. */
        void fail();
    }

    /** @param body where the body comes from if it is not in the request, or null */
    static void run(Shared shared, HttpRequest request, @Nullable HttpBody body, Reply reply) {
        HttpResponse response;
        try {
            HttpHandler handler = shared.config.http();
            response = body == null ? handler.handle(request) : handler.handleStreamed(request, body);
        } catch (Throwable t) {
            Faults.internal(request.method() + " " + request.path(), t);
            reply.whole(HttpResponse.text(500, "internal error\n"));
            return;
        }
        switch (response.body()) {
            case HttpResponse.Body.Whole(Bytes bytes) -> reply.whole(response);
            case HttpResponse.Body.Streamed(HttpResponse.Writer writer) -> stream(request, response, writer, reply);
        }
    }

    private static void stream(HttpRequest request, HttpResponse response, HttpResponse.Writer writer, Reply reply) {
        reply.head(response);
        try {
            writer.write(new HttpResponse.Sink() {
                @Override
                public boolean send(Bytes piece) throws InterruptedException {
                    return piece.isEmpty() || reply.piece(piece);
                }

                @Override
                public boolean hasRoom() {
                    return reply.hasRoom();
                }

                @Override
                public void push(Bytes piece) {
                    if (!piece.isEmpty()) {
                        reply.push(piece);
                    }
                }
            });
            reply.end();
        } catch (Throwable t) {
            Faults.internal(request.method() + " " + request.path(), t);
            reply.fail();
        }
    }

    private static final DateTimeFormatter DATE = DateTimeFormatter
            .ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", java.util.Locale.US).withZone(ZoneOffset.UTC);

    /** The fields of an answer with what is added on the way out, and without what belongs to the connection. */
    static HttpFields fields(HttpResponse response, boolean http2) {
        return HttpFields.collect(sink -> {
            response.headers().forEach((name, value) -> {
                boolean ours = name.equals("content-length") || name.equals("transfer-encoding")
                        || name.equals("connection") || name.equals("keep-alive") || name.equals("date");
                if (!ours) {
                    sink.accept(http2 ? name : canonical(name), value);
                }
            });
            sink.accept(http2 ? "date" : "Date", DATE.format(Instant.now()));
            if (response.body() instanceof HttpResponse.Body.Whole(Bytes bytes)) {
                sink.accept(http2 ? "content-length" : "Content-Length", Integer.toString(bytes.length()));
            }
        });
    }

    /** As Go writes names on HTTP/1.1: {@code Content-Type}. */
    static String canonical(String name) {
        StringBuilder canonical = new StringBuilder(name);
        boolean upper = true;
        for (int i = 0; i < canonical.length(); i++) {
            char c = canonical.charAt(i);
            if (upper && c >= 'a' && c <= 'z') {
                canonical.setCharAt(i, (char) (c - 32));
            }
            upper = c == '-';
        }
        return canonical.toString();
    }
}
