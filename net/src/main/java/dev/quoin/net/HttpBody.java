package dev.quoin.net;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * The body of a request that is read while it arrives ({@link HttpHandler#streams}). Used by the request's own thread. Who
 * does not read lets the client wait: no more than {@link NetLimits#streamWindowBytes} are read ahead.
 */
@FunctionalInterface
public interface HttpBody {
    /**
     * Waits for the next piece, which is never empty and an array of its own. Null: the body is over.
     *
     * @throws HttpBodyLost if it broke off, or nothing came for {@link NetLimits#bodySilenceMillisMax}
     */
    @Nullable
    Bytes next() throws HttpBodyLost, InterruptedException;
}
