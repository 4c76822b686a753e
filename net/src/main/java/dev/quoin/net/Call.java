package dev.quoin.net;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * One gRPC call, which is one HTTP/2 stream. What is fixed when it opens may be read by anyone; its state belongs to its
 * {@link Loop}.
 *
 * <p><b>Threads.</b> Every method may be called from any thread. On the loop a write goes to the connection at once,
 * without a flush: each connection touched is flushed once when the turn ends. From elsewhere it goes to the loop's
 * outbox, which wakes the loop once for each batch. What one thread does arrives in its order; nothing is promised
 * between two threads.
 *
 * <p><b>Bounds.</b> A call that is gone swallows what is still sent to it. {@link #writable} is how a sender learns to
 * stop: unless it does, up to everything it sends is kept. Answers that are one message are bounded by holding back new
 * calls of a connection that already owes too much ({@link NetLimits#owedBytesPerConnectionMax}); who reads something only to send
 * it looks again before ({@link #owesTooMuch}), since many calls may have begun at once.
 */
public interface Call {
    Method method();

    /** The request's metadata, without what the protocol itself uses. {@code :authority} and {@code user-agent} are in. */
    Metadata headers();

    Peer peer();

    Loop loop();

    /** When the client stops waiting, on the scale of {@link System#nanoTime}, or {@link #NO_DEADLINE}. */
    long deadlineNanos();

    long NO_DEADLINE = Long.MAX_VALUE;

    /** Whether the client is gone, or its deadline has passed. A hint from other threads; once true, true for ever. */
    boolean cancelled();

    /** Whether more may be sent now. A hint; when false, stop, and wait for {@link Handler#onWritable}. */
    boolean writable();

    /** Whether the connection has not taken more of its answers than it may owe. On the loop. */
    default boolean owesTooMuch() {
        return false;
    }

    /**
     * Runs {@code task} on the loop once the connection has taken enough of its answers, or not at all if the call ends before.
     * On the loop, where the connection {@linkplain #owesTooMuch owes too much}.
     */
    default void whenTaken(Runnable task) {
        throw new IllegalStateException("nothing is owed");
    }

    /**
     * Waits, on a virtual thread, until the call is writable.
     *
     * @return false if the call is over instead: nothing more will reach the client
     */
    boolean awaitWritable() throws InterruptedException;

    /** Sends the headers with {@code initial} in them. Optional, once, before the first message. */
    void headers(Metadata initial);

    void send(Bytes message);

    /** One message given in pieces, which must not change afterwards. Long pieces are not copied. */
    void send(Bytes... pieces);

    /**
     * Sends one message in parts, and waits on this thread, a virtual one, while the client has no room for the next: so
     * of a message of any size little more is held than what a stream may owe ({@link NetLimits#partBytes}, {@link
     * NetLimits#owedBytesPerStreamMax}). The stream's stall limit, its deadline and a reset end the wait.
     *
     * @return false if the call was over before all of the message was handed over
     * @throws StatusException if the message is too large to be sent, or could not be made to its end. To {@link #finish}
     *         with this status is then all that is left to do: the client finds the message cut short
     */
    boolean send(LongMessage message) throws StatusException;

    /** Ends the call. The first one counts; whatever comes later is ignored. */
    void finish(Status status, Metadata trailers);

    default void finish(Status status) {
        finish(status, Metadata.EMPTY);
    }

    /** Ends a unary call well: headers, one message given in pieces, and trailers in one go. */
    void finish(Bytes... answer);

    /**
     * Allows the client so many more messages. A stream starts with {@link NetLimits#messagesAheadMax} and spends one on
     * each {@link Handler#onMessage}: whoever never asks stalls its client after that many.
     */
    void request(int messages);

    /** What the handler hung on this call. Read and set on the loop, or handed over safely by whoever does otherwise. */
    @Nullable
    Object attachment();

    void attach(@Nullable Object attachment);
}
