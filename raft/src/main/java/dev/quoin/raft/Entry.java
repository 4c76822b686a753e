package dev.quoin.raft;

import dev.quoin.base.Bytes;

/**
 * One entry of the replicated log. Two logs that hold an entry with the same index and term hold the same entry (Raft
 * §5.3).
 */
public record Entry(long term, long index, EntryKind kind, Bytes data) {
    @Override
    public String toString() {
        return kind + " " + term + "/" + index + " " + data.length() + " bytes";
    }
}
