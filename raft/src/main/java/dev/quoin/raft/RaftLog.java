package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/**
 * The part of the log that is kept in memory, and marks on it:
 *
 * <pre>
 *   applied ≤ handed over ≤ committed ≤ last
 *             handed over ≤ durable   ≤ last
 *   base    ≤ applied, but for a snapshot that is not applied yet
 * </pre>
 *
 * Entries enter at {@code last}; they become <em>durable</em> when the disk says so, <em>committed</em> when a quorum
 * holds them, are <em>handed over</em> to be applied once they are both, and <em>applied</em> when the state machine says
 * so. Up to {@code base} they are forgotten: who needs them needs a snapshot. A follower's entries that are not committed
 * may be replaced. A snapshot replaces all.
 */
final class RaftLog {
    /** The term of an entry that is not known: before the base, or beyond the end. */
    static final long UNKNOWN = -1;

    private static final int SLOTS_AT_START = 1024;
    /** A list grows from there: how many entries fit is not known before. */
    private static final int ROOM_AT_START_MAX = 1024;
    /** What an entry weighs beside its data, about. */
    private static final int ENTRY_OVERHEAD_BYTES = 64;

    private final RaftLimits limits;
    /** Entry {@code i} is in slot {@code i & (length - 1)}; the length is a power of two and at least what is held. */
    private @Nullable Entry[] slots = new @Nullable Entry[SLOTS_AT_START];
    private long heldBytes;
    private long baseIndex;
    private long baseTerm;
    private long lastIndex;
    private long lastTerm;
    private long durableIndex;
    private long committedIndex;
    private long handedOverIndex;
    private long appliedIndex;
    /** The data of what is applied and held. */
    private long retainedBytes;
    /** The data of what is handed over and not applied. */
    private long applyingBytes;
    /** Taken over, and not the state machine's state yet. Until it is, nothing else is handed over. */
    private @Nullable SnapshotMeta pendingSnapshot;

    /** The log that a restart finds: {@code tail} behind {@code baseIndex}, all of it durable. */
    RaftLog(RaftLimits limits, long baseIndex, long baseTerm, List<Entry> tail, long committed, long applied) {
        this.limits = limits;
        this.baseIndex = baseIndex;
        this.baseTerm = baseTerm;
        lastIndex = baseIndex;
        lastTerm = baseTerm;
        for (Entry entry : tail) {
            append(entry);
        }
        durableIndex = lastIndex;
        committedIndex = committed;
        handedOverIndex = applied;
        appliedIndex = applied;
        Invariant.check(committed <= lastIndex, "commit %d is beyond the end of the log, %d", committed, lastIndex);
        Invariant.check(applied <= committed, "applied %d is beyond commit %d", applied, committed);
        Invariant.check(applied >= baseIndex, "applied %d, the log begins after %d", applied, baseIndex);
        for (long index = baseIndex + 1; index <= applied; index++) {
            retainedBytes += entryAt(index).data().length();
        }
    }

    long baseIndex() {
        return baseIndex;
    }

    long lastIndex() {
        return lastIndex;
    }

    long lastTerm() {
        return lastTerm;
    }

    long committedIndex() {
        return committedIndex;
    }

    long durableIndex() {
        return durableIndex;
    }

    long handedOverIndex() {
        return handedOverIndex;
    }

    long appliedIndex() {
        return appliedIndex;
    }

    @Nullable
    SnapshotMeta pendingSnapshot() {
        return pendingSnapshot;
    }

    /** The data of all entries that are not applied. */
    long unappliedBytes() {
        return heldBytes - retainedBytes;
    }

    /** The term of the entry at {@code index}, the base included; {@link #UNKNOWN} outside. */
    long termAt(long index) {
        if (index == lastIndex) {
            return lastTerm;
        }
        if (index == baseIndex) {
            return baseTerm;
        }
        return index < baseIndex || index > lastIndex ? UNKNOWN : entryAt(index).term();
    }

    boolean matches(long index, long term) {
        return termAt(index) == term;
    }

    /** Whether a log that ends with this entry holds all that this one may have committed (Raft §5.4.1). */
    boolean isUpToDate(long otherLastTerm, long otherLastIndex) {
        return otherLastTerm > lastTerm || (otherLastTerm == lastTerm && otherLastIndex >= lastIndex);
    }

    /**
     * The highest index up to {@code index} whose term is at most {@code term} or not known: where a log of which only
     * that entry is known may begin to agree with this one.
     */
    long lastPossibleMatch(long index, long term) {
        long candidate = index;
        while (candidate > 0 && termAt(candidate) > term) {
            candidate--;
        }
        return candidate;
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

    /** Takes back the entries from {@code index} on, which are not committed. */
    void truncateFrom(long index) {
        Invariant.check(index > committedIndex, "entry %d is replaced, committed is %d", index, committedIndex);
        for (long i = index; i <= lastIndex; i++) {
            heldBytes -= entryAt(i).data().length();
            slots[slot(i)] = null;
        }
        long last = index - 1;
        lastTerm = last == baseIndex ? baseTerm : entryAt(last).term();
        lastIndex = last;
        durableIndex = Math.min(durableIndex, last);
    }

    /** Becomes the log of which nothing is known but that it is committed up to the snapshot. */
    void restore(SnapshotMeta snapshot) {
        Invariant.check(snapshot.index() > committedIndex, "snapshot at %d, committed is %d", snapshot.index(),
                committedIndex);
        slots = new @Nullable Entry[SLOTS_AT_START];
        heldBytes = 0;
        retainedBytes = 0;
        baseIndex = snapshot.index();
        baseTerm = snapshot.term();
        lastIndex = baseIndex;
        lastTerm = baseTerm;
        durableIndex = 0;
        committedIndex = baseIndex;
        pendingSnapshot = snapshot;
    }

    /** Never goes back. */
    void durableTo(long index) {
        Invariant.check(index <= lastIndex, "durable to %d, log ends at %d", index, lastIndex);
        durableIndex = Math.max(durableIndex, index);
    }

    /** Never goes back. */
    void commitTo(long index) {
        Invariant.check(index <= lastIndex, "commit to %d, log ends at %d", index, lastIndex);
        committedIndex = Math.max(committedIndex, index);
    }

    /** The next entries that have become committed and durable, in order, within the bound on what is being applied. */
    List<Entry> handOver() {
        long to = Math.min(committedIndex, durableIndex);
        if (to <= handedOverIndex || pendingSnapshot != null || applyingBytes >= limits.applyingBytesMax()) {
            return List.of();
        }
        List<Entry> ready = new ArrayList<>((int) Math.min(to - handedOverIndex, ROOM_AT_START_MAX));
        while (handedOverIndex < to && applyingBytes < limits.applyingBytesMax()) {
            handedOverIndex++;
            Entry entry = entryAt(handedOverIndex);
            ready.add(entry);
            applyingBytes += Math.max(1, entry.data().length());
        }
        return ready;
    }

    /** The snapshot is the state machine's to take; the log goes on behind it. */
    void handedOverSnapshot(SnapshotMeta snapshot) {
        handedOverIndex = snapshot.index();
        applyingBytes = 0;
    }

    /** Says how much data the newly applied entries had. An index below what is applied is old news. */
    long appliedTo(long index) {
        Invariant.check(index <= handedOverIndex, "applied to %d, handed over to %d", index, handedOverIndex);
        if (index <= appliedIndex) {
            return 0;
        }
        long dataBytes = 0;
        for (long i = Math.max(appliedIndex, baseIndex) + 1; i <= index; i++) {
            Entry entry = entryAt(i);
            dataBytes += entry.data().length();
            applyingBytes -= Math.max(1, entry.data().length());
        }
        // A snapshot that took over while entries were being applied has set the count to zero.
        applyingBytes = Math.max(0, applyingBytes);
        retainedBytes += dataBytes;
        appliedIndex = index;
        if (pendingSnapshot != null && pendingSnapshot.index() <= index) {
            pendingSnapshot = null;
        }
        return dataBytes;
    }

    /** Forgets the oldest applied entries until those that are left weigh no more than {@code bytesMax}. */
    void retainAtMost(long bytesMax) {
        while (baseIndex < appliedIndex
                && retainedBytes + (appliedIndex - baseIndex) * ENTRY_OVERHEAD_BYTES > bytesMax) {
            forgetFirst();
        }
    }

    void forgetTo(long index) {
        Invariant.check(index <= appliedIndex, "forget to %d, applied to %d", index, appliedIndex);
        while (baseIndex < index) {
            forgetFirst();
        }
    }

    private void forgetFirst() {
        Entry first = entryAt(baseIndex + 1);
        heldBytes -= first.data().length();
        retainedBytes -= first.data().length();
        baseIndex = first.index();
        baseTerm = first.term();
        slots[slot(baseIndex)] = null;
    }

    /** All entries behind {@code index}. */
    List<Entry> after(long index) {
        if (index >= lastIndex) {
            return List.of();
        }
        List<Entry> entries = new ArrayList<>((int) (lastIndex - index));
        for (long i = index + 1; i <= lastIndex; i++) {
            entries.add(entryAt(i));
        }
        return entries;
    }

    /** Entries from {@code from} to {@code to}: as many as fit into {@code bytesMax}, but at least one. */
    List<Entry> slice(long from, long to, long bytesMax) {
        if (from > to) {
            return List.of();
        }
        List<Entry> entries = new ArrayList<>((int) Math.min(to - from + 1, ROOM_AT_START_MAX));
        long left = bytesMax;
        for (long index = from; index <= to; index++) {
            Entry entry = entryAt(index);
            left -= entry.encodedBytes();
            if (left < 0 && index > from) {
                break;
            }
            entries.add(entry);
        }
        return entries;
    }

    /** Whether a change of members is committed and not applied. */
    boolean hasUnappliedConfChange() {
        for (long index = Math.max(appliedIndex, baseIndex) + 1; index <= committedIndex; index++) {
            if (entryAt(index).kind() != EntryKind.NORMAL) {
                return true;
            }
        }
        return false;
    }

    private int heldEntries() {
        return (int) (lastIndex - baseIndex);
    }

    private Entry entryAt(long index) {
        Entry entry = slots[slot(index)];
        if (entry == null || entry.index() != index) {
            throw Invariant.violation("entry %d asked for, held are those after %d to %d", index, baseIndex,
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
        for (long index = baseIndex + 1; index <= lastIndex; index++) {
            slots[slot(index)] = old[(int) index & (old.length - 1)];
        }
    }

    @Override
    public String toString() {
        return "base=" + baseTerm + "/" + baseIndex + " applied=" + appliedIndex + " handed-over=" + handedOverIndex
                + " committed=" + committedIndex + " durable=" + durableIndex + " last=" + lastTerm + "/" + lastIndex;
    }
}
