package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/**
 * The part of the log that is kept in memory, and four marks on it:
 *
 * <pre>
 *   forgotten ≤ handed over ≤ committed ≤ last
 *               handed over ≤ durable   ≤ last
 * </pre>
 *
 * Entries enter at {@code last}; they become <em>durable</em> when the disk says so, <em>committed</em> when a quorum
 * holds them, are <em>handed over</em> to be applied once they are both, and are <em>forgotten</em> when they have been
 * applied: after that the write-ahead log is the place to read them from.
 */
final class RaftLog {
    private static final int SLOTS_AT_START = 1024;

    /** Entry {@code i} is in slot {@code i & (length - 1)}; the length is a power of two and at least what is held. */
    private @Nullable Entry[] slots = new @Nullable Entry[SLOTS_AT_START];
    private long heldBytes;
    private long forgottenIndex;
    private long lastIndex;
    private long lastTerm;
    private long durableIndex;
    private long committedIndex;
    private long handedOverIndex;

    /** The log that a restart finds: {@code tail} behind {@code baseIndex}, all of it durable. */
    RaftLog(long baseIndex, long baseTerm, List<Entry> tail, long committed, long applied) {
        forgottenIndex = baseIndex;
        lastIndex = baseIndex;
        lastTerm = baseTerm;
        for (Entry entry : tail) {
            append(entry);
        }
        durableIndex = lastIndex;
        committedIndex = committed;
        handedOverIndex = applied;
        Invariant.check(committed <= lastIndex, "commit %d is beyond the end of the log, %d", committed, lastIndex);
        Invariant.check(applied <= committed, "applied %d is beyond commit %d", applied, committed);
        forgetTo(applied);
    }

    long lastIndex() {
        return lastIndex;
    }

    long committedIndex() {
        return committedIndex;
    }

    long durableIndex() {
        return durableIndex;
    }

    void append(Entry entry) {
        Invariant.check(entry.index() == lastIndex + 1, "entry %d appended after %d", entry.index(), lastIndex);
        Invariant.check(entry.term() >= lastTerm, "term %d appended after term %d", entry.term(), lastTerm);
        if (heldEntries() == slots.length) {
            grow();
        }
        lastIndex = entry.index();
        lastTerm = entry.term();
        slots[slot(lastIndex)] = entry;
        heldBytes += entry.data().length();
    }

    /** The term of an entry that is still held. */
    long termAt(long index) {
        return entryAt(index).term();
    }

    void durableTo(long index) {
        Invariant.check(index >= durableIndex && index <= lastIndex, "durable to %d, log ends at %d", index, lastIndex);
        durableIndex = index;
    }

    void commitTo(long index) {
        Invariant.check(index >= committedIndex && index <= lastIndex, "commit to %d, log ends at %d", index,
                lastIndex);
        committedIndex = index;
    }

    /** What has become committed and durable since the last call, in order. */
    List<Entry> handOver() {
        long to = Math.min(committedIndex, durableIndex);
        if (to <= handedOverIndex) {
            return List.of();
        }
        List<Entry> ready = new ArrayList<>((int) (to - handedOverIndex));
        for (long index = handedOverIndex + 1; index <= to; index++) {
            ready.add(entryAt(index));
        }
        handedOverIndex = to;
        return ready;
    }

    void forgetTo(long index) {
        Invariant.check(index <= handedOverIndex, "forget to %d, handed over to %d", index, handedOverIndex);
        while (forgottenIndex < index) {
            heldBytes -= entryAt(forgottenIndex + 1).data().length();
            forgottenIndex++;
            slots[slot(forgottenIndex)] = null;
        }
    }

    /** The data of all entries that are held. */
    long heldBytes() {
        return heldBytes;
    }

    /** How many entries are held: the distance from what is applied to the end. */
    private int heldEntries() {
        return (int) (lastIndex - forgottenIndex);
    }

    private Entry entryAt(long index) {
        Entry entry = slots[slot(index)];
        if (entry == null || entry.index() != index) {
            throw Invariant.violation("entry %d asked for, held are those after %d to %d", index, forgottenIndex,
                    lastIndex);
        }
        return entry;
    }

    private int slot(long index) {
        return (int) index & (slots.length - 1);
    }

    private void grow() {
        @Nullable
        Entry[] old = slots;
        slots = new @Nullable Entry[2 * old.length];
        for (long index = forgottenIndex + 1; index <= lastIndex; index++) {
            slots[slot(index)] = old[(int) index & (old.length - 1)];
        }
    }

    @Override
    public String toString() {
        return "forgotten=" + forgottenIndex + " handed-over=" + handedOverIndex + " committed=" + committedIndex
                + " durable=" + durableIndex + " last=" + lastTerm + "/" + lastIndex;
    }
}
