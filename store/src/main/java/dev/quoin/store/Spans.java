package dev.quoin.store;

import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/** A set of keys made of ranges, which grows and is asked for keys. Ranges that touch become one. */
final class Spans {
    /** Start to end, disjoint and not touching. */
    private final TreeMap<Bytes, Bytes> bounded = new TreeMap<>();
    /** Every key from here on is in the set. */
    private @Nullable Bytes unboundedFrom;

    void add(KeyRange range) {
        if (range.isUnbounded()) {
            if (unboundedFrom == null || range.key().compareTo(unboundedFrom) < 0) {
                unboundedFrom = range.key();
            }
            return;
        }
        add(range.key(), range.isSingle() ? KeyRange.successor(range.key()) : range.rangeEnd());
    }

    void addAll(Spans other) {
        other.bounded.forEach(this::add);
        if (other.unboundedFrom != null) {
            add(KeyRange.from(other.unboundedFrom));
        }
    }

    private void add(Bytes start, Bytes end) {
        if (end.compareTo(start) <= 0) {
            return;
        }
        Bytes mergedStart = start;
        Bytes mergedEnd = end;
        for (Map.Entry<Bytes, Bytes> left = bounded.floorEntry(end); left != null
                && left.getValue().compareTo(start) >= 0; left = bounded.floorEntry(end)) {
            bounded.remove(left.getKey());
            mergedStart = min(mergedStart, left.getKey());
            mergedEnd = max(mergedEnd, left.getValue());
        }
        bounded.put(mergedStart, mergedEnd);
    }

    boolean contains(Bytes key) {
        if (unboundedFrom != null && key.compareTo(unboundedFrom) >= 0) {
            return true;
        }
        Map.Entry<Bytes, Bytes> span = bounded.floorEntry(key);
        return span != null && key.compareTo(span.getValue()) < 0;
    }

    private static Bytes min(Bytes a, Bytes b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    private static Bytes max(Bytes a, Bytes b) {
        return a.compareTo(b) >= 0 ? a : b;
    }
}
