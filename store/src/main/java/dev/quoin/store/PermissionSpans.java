package dev.quoin.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * The keys that a role lets be read, or written: ranges that do not overlap or touch, ascending. Never changes.
 *
 * <p>Here an end that is empty lies behind every key, as in etcd's intervals: no key is empty, so no range ends there.
 */
final class PermissionSpans {
    static final PermissionSpans NONE = new PermissionSpans(new Bytes[0], new Bytes[0]);

    /** Byte by byte, but what is empty comes last. */
    static final Comparator<Bytes> EMPTY_LAST = (a, b) -> a.isEmpty() || b.isEmpty()
            ? Boolean.compare(a.isEmpty(), b.isEmpty())
            : a.compareTo(b);

    private final Bytes[] starts;
    private final Bytes[] ends;

    private PermissionSpans(Bytes[] starts, Bytes[] ends) {
        this.starts = starts;
        this.ends = ends;
    }

    record Span(Bytes start, Bytes end) {
        static Span of(KeyRange range) {
            if (range.isSingle()) {
                return new Span(range.key(), KeyRange.successor(range.key()));
            }
            return new Span(range.key(), range.isUnbounded() ? Bytes.EMPTY : range.rangeEnd());
        }

        /** A store of old may hold one from no key, or that ends before it starts: it allows nothing. */
        boolean isEmpty() {
            return start.isEmpty() || EMPTY_LAST.compare(start, end) >= 0;
        }
    }

    static PermissionSpans of(List<KeyRange> ranges) {
        List<Span> sorted = ranges.stream().map(Span::of).filter(span -> !span.isEmpty())
                .sorted(Comparator.comparing(Span::start)).toList();
        List<Bytes> starts = new ArrayList<>();
        List<Bytes> ends = new ArrayList<>();
        for (Span span : sorted) {
            if (starts.isEmpty() || EMPTY_LAST.compare(ends.getLast(), span.start) < 0) {
                starts.add(span.start);
                ends.add(span.end);
            } else if (EMPTY_LAST.compare(span.end, ends.getLast()) > 0) {
                ends.set(ends.size() - 1, span.end);
            }
        }
        return new PermissionSpans(starts.toArray(Bytes[]::new), ends.toArray(Bytes[]::new));
    }

    /** Where the range that holds {@code key} ends; null if none does. */
    private @Nullable Bytes endAround(Bytes key) {
        int found = Arrays.binarySearch(starts, key);
        int at = found >= 0 ? found : -found - 2;
        return at >= 0 && EMPTY_LAST.compare(key, ends[at]) < 0 ? ends[at] : null;
    }

    /**
     * Whether every key of {@code range} is in one of {@code spans}. What a range covers only together with the next, of
     * another role perhaps, is covered; so the way goes from the end of one to what lies around that.
     *
     * <p>A range that ends where it starts holds nothing, but as in etcd must start in one of them. For one that ends before
     * that, this is not enough: see {@link PermissionTree}.
     */
    static boolean cover(List<PermissionSpans> spans, KeyRange range) {
        if (range.key().isEmpty()) {
            return false;
        }
        Span wanted = Span.of(range);
        Bytes reached = wanted.start;
        do {
            reached = furthestEnd(spans, reached);
            if (reached == null) {
                return false;
            }
        } while (!reached.isEmpty() && EMPTY_LAST.compare(reached, wanted.end) < 0);
        return true;
    }

    private static @Nullable Bytes furthestEnd(List<PermissionSpans> spans, Bytes key) {
        Bytes furthest = null;
        for (PermissionSpans one : spans) {
            Bytes end = one.endAround(key);
            if (end != null && (furthest == null || EMPTY_LAST.compare(end, furthest) > 0)) {
                furthest = end;
            }
        }
        return furthest;
    }
}
