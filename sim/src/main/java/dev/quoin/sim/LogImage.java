package dev.quoin.sim;

import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.raft.Entry;
import dev.quoin.raft.SnapshotMeta;

/** A log as one looks at it from outside: of each entry its term and a hash of what it says. */
final class LogImage {
    private static final int FIRST_CAPACITY = 64;

    private long base;
    private long baseTerm;
    private long[] terms = new long[FIRST_CAPACITY];
    private long[] hashes = new long[FIRST_CAPACITY];
    private int size;

    /** Of an entry: what it says, not where it is. */
    static long hashOf(Entry entry) {
        Bytes data = entry.data();
        long hash = entry.kind().number() + 31L * data.length();
        byte[] array = data.array();
        int end = data.offset() + data.length();
        for (int i = data.offset(); i < end; i++) {
            hash = (hash ^ array[i]) * 0x100000001b3L;
        }
        return hash ^ (hash >>> 29);
    }

    void startAt(long newBase, long newBaseTerm, List<Entry> entries) {
        base = newBase;
        baseTerm = newBaseTerm;
        size = 0;
        entries.forEach(this::add);
    }

    /** The snapshot takes the place of the log, then the entries follow, and take the place of what is there. */
    void write(@Nullable SnapshotMeta snapshot, List<Entry> entries) {
        if (snapshot != null) {
            startAt(snapshot.index(), snapshot.term(), List.of());
        }
        for (Entry entry : entries) {
            put(entry);
        }
    }

    void put(Entry entry) {
        long at = entry.index() - base - 1;
        Violation.check(at >= 0 && at <= size, "a log of %d to %d is given entry %d", base, lastIndex(),
                entry.index());
        size = (int) at;
        add(entry);
    }

    private void add(Entry entry) {
        if (size == terms.length) {
            terms = Arrays.copyOf(terms, 2 * size);
            hashes = Arrays.copyOf(hashes, 2 * size);
        }
        terms[size] = entry.term();
        hashes[size] = hashOf(entry);
        size++;
    }

    void copyOf(LogImage other) {
        base = other.base;
        baseTerm = other.baseTerm;
        terms = other.terms.clone();
        hashes = other.hashes.clone();
        size = other.size;
    }

    long base() {
        return base;
    }

    long lastIndex() {
        return base + size;
    }

    /** -1 if it is not there. */
    long termAt(long index) {
        if (index == base) {
            return baseTerm;
        }
        return index < base || index > lastIndex() ? -1 : terms[(int) (index - base - 1)];
    }

    long hashAt(long index) {
        return hashes[(int) (index - base - 1)];
    }

    /** Whether it has that entry, or a state that contains it. */
    boolean holds(long index, long term) {
        return index < base || termAt(index) == term;
    }

    boolean holds(Entry entry) {
        return entry.index() <= base
                || (termAt(entry.index()) == entry.term() && hashAt(entry.index()) == hashOf(entry));
    }

    /** Whether both say the same wherever both say something, and end at the same place. */
    boolean isSameAs(LogImage other) {
        if (lastIndex() != other.lastIndex()) {
            return false;
        }
        for (long index = lastIndex(); index > Math.max(base, other.base); index--) {
            if (termAt(index) != other.termAt(index) || hashAt(index) != other.hashAt(index)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return "log after " + base + " to " + lastIndex() + " of term " + termAt(lastIndex());
    }
}
