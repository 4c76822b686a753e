package dev.quoin.net;

import dev.quoin.base.Bytes;

/**
 * What a method does with its calls. There is one for each method, so the state of a call hangs on the call ({@link
 * Call#attach}). Everything is told on the call's loop, in the order of the wire, and must not block. Nothing follows
 * {@link #onEnd}. An exception that escapes ends the call with INTERNAL and a line in the log, and never reaches the
 * client.
 */
public interface Handler {
    /** The request passed its checks. Nothing has been read of its body. */
    default void onOpen(Call call) {}

    /** A whole message, inflated and within the limit, in an array of its own: the handler may keep it. */
    void onMessage(Call call, Bytes message);

    /** The client will send no more. Not told for a unary call, whose only message is its end. */
    default void onHalfClose(Call call) {}

    /** The call has become writable after it was not. */
    default void onWritable(Call call) {}

    /** The call is over: exactly once for each {@link #onOpen}. */
    default void onEnd(Call call, End why) {}
}
