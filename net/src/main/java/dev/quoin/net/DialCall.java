package dev.quoin.net;

import dev.quoin.base.Bytes;

/** One request to another server, and its answer. May be used from any thread. */
public interface DialCall {
    /**
     * Sends a piece of a {@link DialRequest.Body.Streamed} body, after waiting until there is room for it. Not on a loop,
     * and by one thread at a time. What goes beyond the announced length is a broken invariant.
     *
     * @return false if the call is over: stop
     */
    boolean send(Bytes piece) throws InterruptedException;

    /**
     * Reads no more from the connection, so that in the end the other must wait. What has been read may still be told: at
     * most 64 KiB if this is called from the handler, else 1 MiB. While nothing is read nobody counts as silent, and an end of the connection is not noticed.
     */
    void pause();

    void resume();

    /** Ends the call, if it is not over. */
    void cancel();
}
