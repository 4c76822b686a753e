package dev.quoin.net;

import dev.quoin.base.Bytes;

/**
 * A server-streaming method written as a recipe, on a virtual thread, bounded as {@link UnaryHandler} is. It sends with
 * {@link Call#send}, a piece at a time, and between pieces waits with {@link Call#awaitWritable}. Returning ends the call
 * well.
 */
@FunctionalInterface
public interface StreamHandler {
    void handle(Call call, Bytes request) throws StatusException, InterruptedException;
}
