package dev.quoin.net;

/** How a call to another server ended. Whether and when to try again is for the caller to decide: nothing here does. */
public sealed interface DialEnd {
    /** The answer came whole, whatever its status. */
    record Answered() implements DialEnd {}

    /**
     * No answer, or not all of it. Whether the other has seen the request is not known unless {@code why} is before it.
     *
     * @param text what happened, for the log
     */
    record Failed(Why why, String text) implements DialEnd {}

    /** What went wrong. */
    enum Why {
        /** As many calls as may be are at work: not dialled. */
        TOO_MANY,
        /** The name has no address, or there was no connection in time: not asked. */
        CONNECT,
        /** Its host is there, and nobody listens: not asked. */
        REFUSED,
        /** No agreement on TLS; under TLS 1.3 our certificate may be refused only after we have asked. */
        HANDSHAKE,
        /** The other takes nothing of the request any more. */
        WRITE_STALLED,
        /** The head of the answer, or the next byte of its body, did not come in time. */
        SILENT,
        /** The head or the body of the answer is longer than it may be. */
        TOO_LARGE,
        /** What came is not an answer. */
        MALFORMED,
        /** The connection ended before the answer. */
        CUT,
        /** {@link DialCall#cancel}, or the handler threw. */
        CANCELLED,
        /** The dialler was closed. */
        CLOSED
    }
}
