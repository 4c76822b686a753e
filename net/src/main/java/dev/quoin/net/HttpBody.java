package dev.quoin.net;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * The body of a request that is read while it arrives ({@link HttpHandler#streams}). Used by one thread at a time. Who does
 * not read lets the client wait: no more than {@link NetLimits#streamWindowBytes} are read ahead.
 */
public interface HttpBody {
    /**
     * Waits for the next piece, which is never empty and an array of its own. Null: the body is over.
     *
     * @throws HttpBodyLost if it broke off, or the request has been answered, or nothing came for {@link
     *         NetLimits#bodySilenceMillisMax}
     */
    @Nullable
    Bytes next() throws HttpBodyLost, InterruptedException;

    /** The same, however long it takes: of a client that says now and then what it wants. */
    @Nullable
    Bytes awaitNext() throws HttpBodyLost, InterruptedException;

    /**
     * Has this run if the client goes away before it has its answer, at once if it has gone already; also after the end of the
     * body. Run on a loop: it must not block. There is one such task; another takes its place.
     */
    void whenGone(Runnable task);
}
