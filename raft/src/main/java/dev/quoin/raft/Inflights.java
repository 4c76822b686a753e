package dev.quoin.raft;

import dev.quoin.base.Invariant;

/**
 * The messages to one follower that it has not acknowledged, as the index of the last entry of each, in order. A ring
 * that grows as needed up to its bound.
 */
final class Inflights {
    private final int messagesMax;
    private final long bytesMax;
    private long[] lastIndices = new long[0];
    private long[] sizes = new long[0];
    private int start;
    private int count;
    private long bytes;

    Inflights(int messagesMax, long bytesMax) {
        this.messagesMax = messagesMax;
        this.bytesMax = bytesMax;
    }

    int count() {
        return count;
    }

    /** Whether nothing more may be sent. One message may bring the bytes over their bound. */
    boolean isFull() {
        return count == messagesMax || bytes >= bytesMax;
    }

    void add(long lastIndex, long messageBytes) {
        Invariant.check(!isFull(), "%d messages are in flight already", count);
        if (count == lastIndices.length) {
            grow();
        }
        int slot = slot(count);
        lastIndices[slot] = lastIndex;
        sizes[slot] = messageBytes;
        count++;
        bytes += messageBytes;
    }

    /** The follower holds everything up to {@code index}. */
    void freeTo(long index) {
        while (count > 0 && lastIndices[start] <= index) {
            bytes -= sizes[start];
            start = slot(1);
            count--;
        }
    }

    void clear() {
        start = 0;
        count = 0;
        bytes = 0;
    }

    private int slot(int position) {
        int slot = start + position;
        return slot < lastIndices.length ? slot : slot - lastIndices.length;
    }

    private void grow() {
        int wanted = (int) Math.min(messagesMax, Math.max(8L, 2L * count));
        long[] newIndices = new long[wanted];
        long[] newSizes = new long[wanted];
        for (int i = 0; i < count; i++) {
            newIndices[i] = lastIndices[slot(i)];
            newSizes[i] = sizes[slot(i)];
        }
        lastIndices = newIndices;
        sizes = newSizes;
        start = 0;
    }
}
