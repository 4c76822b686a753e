package dev.quoin.raft;

import java.util.List;

import dev.quoin.base.Bytes;

/** What may happen to a node. */
public sealed interface Input {
    /** One tick of time went by. Missed ticks are dropped by the caller, not made up for. */
    record Tick() implements Input {}

    /** A message of another member. It may be late, doubled, or made up: the core refuses what cannot be. */
    record Received(Message message) implements Input {}

    /** Stand for election now, without waiting for a timeout: what a lone voter does at start. */
    record Campaign() implements Input {}

    /**
     * Requests to append, in order: all of them or none. A follower passes them on to its leader; what cannot be done
     * comes back as {@link Effect.Dropped}.
     */
    record Proposed(List<Proposal> proposals) implements Input {}

    /**
     * A linearizable read wants to know the index it must wait for. {@code id} is fresh for every try, in the whole
     * cluster. Without a leader it waits; one that was passed on to a leader may be lost, and is tried again by the caller.
     */
    record ReadRequested(long id) implements Input {}

    /**
     * Everything asked for by {@link Effect.Persist}s up to and including {@code ticket} is written, and on stable storage
     * where that was asked for.
     */
    record Persisted(long ticket) implements Input {}

    /**
     * Entries up to {@code index}, or the snapshot there, are applied and their effects readable. Entries that no follower
     * may need are forgotten.
     */
    record Applied(long index) implements Input {}

    /**
     * The change of members in the entry at {@code index} was applied: from now on it is in force. Given before
     * {@link Applied} of that entry. A change that the state machine refused is given with node 0 and changes nothing. One
     * that is overtaken by a snapshot, which the core may have taken over meanwhile, is passed over.
     */
    record Reconfigured(long index, ConfChange change) implements Input {}

    /** The log up to {@code index}, which is applied, need not be kept: a follower that lacks it gets a snapshot. */
    record Forget(long index) implements Input {}

    /** Let {@code to} lead, if it is a voter and can catch up within an election timeout. */
    record TransferLeadership(long to) implements Input {}

    /** A follower no longer believes that its leader lives, and may vote for another at once. */
    record ForgetLeader() implements Input {}

    /** A message to {@code peer} could not be delivered. */
    record Unreachable(long peer) implements Input {}

    /** The snapshot sent to {@code peer} has arrived whole, or has not. */
    record SnapshotSent(long peer, boolean arrived) implements Input {}

    /** What is to be appended: an entry that has no place yet. */
    record Proposal(EntryKind kind, Bytes data) {}
}
