package dev.quoin.net;

import dev.quoin.base.Bytes;

/**
 * The answer to an {@link HttpRequest}: a status, fields, and either all of the body or someone who writes it a piece at a
 * time. Length, date and connection fields are added on the way out.
 */
public record HttpResponse(int status, HttpFields headers, Body body) {
    /** What follows the head. */
    public sealed interface Body {
        record Whole(Bytes bytes) implements Body {}

        record Streamed(Writer writer) implements Body {}
    }

    /** Writes a body of unknown length, on the virtual thread of its request. Returning ends it. */
    @FunctionalInterface
    public interface Writer {
        void write(Sink sink) throws InterruptedException;
    }

    /** Where a streamed body goes. One thread at a time. */
    public interface Sink {
        /**
         * Sends a piece, after waiting until the client has room for it.
         *
         * @return false if the client is gone: stop
         */
        boolean send(Bytes piece) throws InterruptedException;

        /** Whether the client is there and has room for a piece now. A hint. */
        boolean hasRoom();

        /** Sends a piece without waiting, on any thread that is not kept waiting by others: ask {@link #hasRoom} before. */
        void push(Bytes piece);
    }

    public static HttpResponse of(int status, String contentType, Bytes body) {
        return new HttpResponse(status, HttpFields.of("content-type", contentType), new Body.Whole(body));
    }

    public static HttpResponse text(int status, String text) {
        return of(status, "text/plain; charset=utf-8", Bytes.utf8(text));
    }

    public static HttpResponse streamed(int status, String contentType, Writer writer) {
        return new HttpResponse(status, HttpFields.of("content-type", contentType), new Body.Streamed(writer));
    }
}
