package dev.quoin.net;

import org.jspecify.annotations.Nullable;

/**
 * An event loop: one thread, and the connections and calls that live on it. Whoever gathers work over a turn hangs it
 * here ({@link #attach}).
 */
public interface Loop {
    /**
     * Runs a task on the loop, after what was given before it from the same thread. Tasks given in one batch wake the loop
     * once, and what they write is flushed once for each connection. Any thread. Unbounded: bound what you give it.
     */
    void execute(Runnable task);

    boolean inLoop();

    @Nullable
    Object attachment();

    /** On the loop, or before the server starts to listen. */
    void attach(@Nullable Object attachment);
}
