package dev.quoin.member;

import dev.quoin.store.Outcome;

/**
 * Who waits for a request. Exactly one of the methods is called, once, on a thread of the member: it must not block and
 * must not throw.
 */
public interface Answer {
    /** What follows took long, for these reasons. Told only if somebody wants to know ({@link MemberMetrics#slowRequestNanos}). */
    default void slow(Phases phases) {}

    /** The request was applied, or refused by what it met; its effects are in {@link Member#view}. */
    void outcome(Outcome outcome);

    void failed(Failure failure);
}
