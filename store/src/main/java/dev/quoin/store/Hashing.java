package dev.quoin.store;

/** The answer to the question for a {@link KeyHash}, or the way to it. */
public sealed interface Hashing permits Hashing.Known, Hashing.Refused, HashWalk {
    /** A compaction at this revision has computed it. */
    record Known(KeyHash hash) implements Hashing {}

    /** The revision asked for is compacted or not there yet. */
    record Refused(Refusal reason) implements Hashing {}
}
