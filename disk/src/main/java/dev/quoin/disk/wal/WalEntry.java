package dev.quoin.disk.wal;

import dev.quoin.base.Bytes;

/** A raft entry as the log keeps it (raftpb.Entry). {@code type} is 0 normal, 1 or 2 a change of the configuration. */
public record WalEntry(int type, long term, long index, Bytes data) {}
