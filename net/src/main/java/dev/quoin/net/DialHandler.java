package dev.quoin.net;

import dev.quoin.base.Bytes;

/**
 * Is told what becomes of a {@link DialCall}, on the dialler's loop: it must not block. One that throws has its call
 * cancelled.
 */
public interface DialHandler {
    /** The head of the answer. Informational ones (1xx) are not told. */
    default void onHead(DialCall call, int status, HttpFields headers) {}

    /** More of the answer's body: an array of its own, never empty. */
    default void onBytes(DialCall call, Bytes piece) {}

    /** The call is over. Told once, and last, of every call that was opened. */
    void onEnd(DialCall call, DialEnd end);
}
