package dev.quoin.member;

import java.util.function.LongSupplier;

/**
 * How much the store may hold: what is in use, live keys and history, not what the files take. Any thread.
 *
 * @param bytesMax not positive: any amount
 */
record Quota(long bytesMax, LongSupplier inUseBytes) {
    /** Whether something that {@linkplain dev.quoin.store.Command#cost costs} so much does not fit. What is free fits. */
    boolean isExceededBy(long cost) {
        return cost > 0 && bytesMax > 0 && inUseBytes.getAsLong() + cost >= bytesMax;
    }
}
