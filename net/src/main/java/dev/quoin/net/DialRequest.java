package dev.quoin.net;

import dev.quoin.base.Bytes;

/**
 * What is asked of another server. Host, length and connection fields are added on the way out.
 *
 * @param path             with its query, if any, as it goes onto the wire
 * @param answerBytesMax   what the body of the answer may have; {@link Long#MAX_VALUE} for one without end
 * @param silenceMillisMax how long the answer's head may take once the request is written, and then every next byte
 * @param keepsConnection  whether the connection may serve other such requests, before and after this one: then it may
 *                         be cut although the other is well, and what was asked may or may not have been heard
 */
public record DialRequest(String method, String path, HttpFields headers, Body body, long answerBytesMax,
        long silenceMillisMax, boolean keepsConnection) {
    /** What follows the head. */
    public sealed interface Body {
        record None() implements Body {}

        record Whole(Bytes bytes) implements Body {}

        /** Exactly so many bytes come through {@link DialCall#send}. */
        record Streamed(long length) implements Body {}
    }

    public DialRequest {
        boolean clean = path.startsWith("/") && path.chars().allMatch(c -> c > ' ' && c < 0x7f);
        if (!clean || !method.chars().allMatch(c -> c >= 'A' && c <= 'Z')) {
            throw new IllegalArgumentException("not a request: " + method + " " + path);
        }
        if (body instanceof Body.Streamed streamed && streamed.length() <= 0) {
            throw new IllegalArgumentException("a streamed body of " + streamed.length() + " bytes");
        }
    }

    public static DialRequest get(String path, HttpFields headers, long answerBytesMax, long silenceMillisMax) {
        return new DialRequest("GET", path, headers, new Body.None(), answerBytesMax, silenceMillisMax, false);
    }

    public static DialRequest post(String path, HttpFields headers, Body body, long answerBytesMax,
            long silenceMillisMax) {
        return new DialRequest("POST", path, headers, body, answerBytesMax, silenceMillisMax, false);
    }

    /** The same on a connection that is kept. */
    public DialRequest keepingConnection() {
        return new DialRequest(method, path, headers, body, answerBytesMax, silenceMillisMax, true);
    }
}
