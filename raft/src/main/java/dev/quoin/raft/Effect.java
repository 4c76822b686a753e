package dev.quoin.raft;

import java.util.List;

import org.jspecify.annotations.Nullable;

/** What a node asks of the world. Performing effects in list order is always correct. */
public sealed interface Effect {
    /**
     * Let the log begin behind {@code snapshot} if there is one, write these entries (replacing what the log holds from
     * the first one's index on), then the state, and answer with {@link Input.Persisted} of this ticket. If {@code sync},
     * only once it is on stable storage; else whenever. Tickets rise by one.
     */
    record Persist(long ticket, @Nullable SnapshotMeta snapshot, List<Entry> entries, HardState state, boolean sync)
            implements
                Effect {}

    /** May leave at once: whatever it promises is durable. */
    record Send(Message message) implements Effect {}

    /** These entries are committed, durable here, and follow those of the last such effect: apply them in order. */
    record Commit(List<Entry> entries) implements Effect {}

    /** The state machine becomes that of the snapshot, which the shell holds; {@link Input.Applied} says when it has. */
    record Install(SnapshotMeta snapshot) implements Effect {}

    /** The members in force have changed, by {@link Input.Reconfigured} or by a snapshot. */
    record ConfigurationChanged(ConfState configuration) implements Effect {}

    /**
     * The read with this id is linearizable once {@code index} is applied. A leader elsewhere may answer twice, late, or
     * for a read that was never asked.
     */
    record ReadReady(long id, long index) implements Effect {}

    /** The leader this node knows has changed; 0: it knows none. */
    record LeaderChanged(long leader, long term) implements Effect {}

    /** These proposals will not be appended by this try. */
    record Dropped(List<Input.Proposal> proposals, Reason reason) implements Effect {}

    /** Something that an operator may want to read. Nobody need act on it. */
    record Noted(Event event) implements Effect {}

    /** Why proposals were dropped. */
    enum Reason {
        NO_LEADER,
        FORWARDING_DISABLED,
        /** The leader has been removed from the members. */
        NOT_A_MEMBER,
        LEADERSHIP_TRANSFER,
        TOO_MUCH_UNCOMMITTED,
        /** Its bytes are not the configuration change that its kind says. */
        MALFORMED
    }
}
