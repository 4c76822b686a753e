package dev.quoin.raft;

import java.util.List;

/** What a node asks of the world. Performing effects in list order is always correct. */
public sealed interface Effect {
    /**
     * Write these entries (replacing what the log holds at their indices), then the state, and answer with
     * {@link Input.Persisted} of this ticket. If {@code sync}, only once it is on stable storage; else whenever.
     * Tickets rise by one.
     */
    record Persist(long ticket, List<Entry> entries, HardState state, boolean sync) implements Effect {}

    /** These entries are committed, durable here, and follow those of the last such effect: apply them in order. */
    record Commit(List<Entry> entries) implements Effect {}

    /** The read with this id is linearizable once {@code index} is applied. */
    record ReadReady(long id, long index) implements Effect {}

    /** The leader this node knows has changed; 0: it knows none. */
    record LeaderChanged(long leader, long term) implements Effect {}
}
