package dev.quoin.net;

import dev.quoin.base.Bytes;

/**
 * A unary method written as a recipe: it runs on a virtual thread of its own and may block. How many run at once is
 * bounded ({@link NetLimits#virtualCallsMax}); a call beyond that is refused with RESOURCE_EXHAUSTED at once.
 *
 * <p>It is not interrupted when its client goes away, because an interrupt closes whatever file channel it meets:
 * {@link Call#cancelled} and {@link Call#deadlineNanos} say when to stop waiting.
 */
@FunctionalInterface
public interface UnaryHandler {
    Bytes handle(Call call, Bytes request) throws StatusException, InterruptedException;
}
