package dev.quoin.raft;

import java.util.List;

import dev.quoin.base.Bytes;

/** What may happen to a node. */
public sealed interface Input {
    /** One tick of time went by. Missed ticks are dropped by the caller, not made up for. */
    record Tick() implements Input {}

    /** Stand for election now, without waiting for a timeout: what a lone voter does at start. */
    record Campaign() implements Input {}

    /** Requests to append, in order. Only a leader may be given them; ask {@link RaftCore#isLeader} first. */
    record Proposed(List<Proposal> proposals) implements Input {}

    /** A linearizable read wants to know the index it must wait for. {@code id} is fresh for every try. */
    record ReadRequested(long id) implements Input {}

    /**
     * Everything asked for by {@link Effect.Persist}s up to and including {@code ticket} is written, and on stable storage
     * where that was asked for.
     */
    record Persisted(long ticket) implements Input {}

    /** Entries up to {@code index} are applied and their effects readable; the core may forget them. */
    record Applied(long index) implements Input {}

    /** A configuration change was applied: from now on these take part. */
    record Reconfigured(ConfState configuration) implements Input {}

    /** What is to be appended: an entry that has no place yet. */
    record Proposal(EntryKind kind, Bytes data) {}
}
