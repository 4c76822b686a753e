package dev.quoin.raft;

/** Which state a snapshot holds: everything up to the entry at {@code index}, and who took part there. */
public record SnapshotMeta(long index, long term, ConfState configuration) {}
