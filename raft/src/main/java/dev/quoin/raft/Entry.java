package dev.quoin.raft;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;

/**
 * One entry of the replicated log. Two logs that hold an entry with the same index and term hold the same entry (Raft
 * §5.3).
 */
public record Entry(long term, long index, EntryKind kind, Bytes data) {
    /** The size of its wire form, with the fields that etcd 3.7 sets. */
    int encodedBytes() {
        int bytes = 2 + ProtoWriter.varintSize(term) + ProtoWriter.varintSize(index);
        if (kind != EntryKind.NORMAL) {
            bytes += 2;
        }
        if (!data.isEmpty()) {
            bytes += 1 + ProtoWriter.varintSize(data.length()) + data.length();
        }
        return bytes;
    }

    @Override
    public String toString() {
        return kind + " " + term + "/" + index + " " + data.length() + " bytes";
    }
}
