package dev.quoin.disk.snapshot;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/** Numbers pages in the order in which they are complete, and sends them off, or only counts them. */
final class Pages {
    private static final byte[] ZEROS = new byte[SnapshotWriter.PAGE_SIZE];

    private final SnapshotWriter.@Nullable Output output;
    /** As many as were counted. */
    private final long max;
    private long next = Format.FIRST_PAGE;

    private Pages(SnapshotWriter.@Nullable Output output, long max) {
        this.output = output;
        this.max = max;
    }

    static Pages counted() {
        return new Pages(null, Long.MAX_VALUE);
    }

    /** At most {@code max} are expected. */
    static Pages written(SnapshotWriter.Output output, long max) {
        return new Pages(output, max);
    }

    boolean isCounting() {
        return output == null;
    }

    /** How many there are so far, those of the metas included. */
    long count() {
        return next;
    }

    /** The number that the page got. */
    long put(PageBuilder page) {
        long id = next;
        long count = Math.ceilDiv(page.bytes(), SnapshotWriter.PAGE_SIZE);
        next += count;
        Invariant.check(next <= max, "page %d of %d: what is written is not what was measured", next, max);
        if (output != null) {
            page.writeTo(output, id, (int) (count - 1));
            output.write(ZEROS, 0, (int) (count * SnapshotWriter.PAGE_SIZE - page.bytes()));
        }
        return id;
    }
}
