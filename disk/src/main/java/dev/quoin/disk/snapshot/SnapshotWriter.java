package dev.quoin.disk.snapshot;

import java.util.List;

import dev.quoin.base.Invariant;

/**
 * Writes etcd's database file front to back, as {@code Tx.WriteTo} of bbolt does: two metas, then pages, no more.
 *
 * <p>The problem: the head of the file says where the root is and how many pages there are, which is known at the end, and
 * nothing that went out can be changed. The idea: the pages are a function of the lengths of keys and values. So the tree
 * is built twice by the same code: once to count, once to send. No more is held than a row, a page for each level of a tree
 * and {@value #BUFFER_BYTES} bytes.
 *
 * <p>It keeps nothing between two files, so it may be used again, and by several threads if the rows allow that.
 */
public final class SnapshotWriter {
    static final int PAGE_SIZE = 4096;

    /**
     * Even, so that it lies where bbolt would have put it, and the first transaction of whoever opens the file goes to
     * the other meta.
     */
    private static final long TRANSACTION = 2;
    private static final int BUFFER_BYTES = 64 << 10;

    /** Where the file goes. What it throws ends the writing and reaches whoever began it. */
    @FunctionalInterface
    public interface Output {
        /** Takes the next bytes, all of them; the array may change afterwards. */
        void write(byte[] bytes, int offset, int length);
    }

    private final List<BucketRows> buckets;
    private final Layout layout;

    private record Layout(long root, long pageCount) {}

    private SnapshotWriter(List<BucketRows> buckets, Layout layout) {
        this.buckets = buckets;
        this.layout = layout;
    }

    /**
     * Walks all rows once for their lengths. Keys have 1 to 32,768 bytes.
     *
     * @param buckets in the order of their names; empty ones too, for an etcd misses a bucket that is not there
     */
    public static SnapshotWriter measure(List<BucketRows> buckets) {
        List<BucketRows> copy = List.copyOf(buckets);
        return new SnapshotWriter(copy, build(copy, Pages.counted()));
    }

    /** How many bytes {@link #writeTo} will write: a multiple of {@value #PAGE_SIZE}. */
    public long length() {
        return layout.pageCount() * PAGE_SIZE;
    }

    /** Walks all rows once more, and writes the file. They must be those that were measured. */
    public void writeTo(Output output) {
        Buffered buffered = new Buffered(output);
        for (int id = 0; id < Format.FIRST_PAGE; id++) {
            Meta meta = new Meta(PAGE_SIZE, layout.root(), Meta.NO_FREELIST, layout.pageCount(), TRANSACTION - id);
            buffered.write(meta.encode(id), 0, PAGE_SIZE);
        }
        Layout written = build(buckets, Pages.written(buffered, layout.pageCount()));
        Invariant.check(written.equals(layout), "%s was written, %s was measured", written, layout);
        buffered.flush();
    }

    private static Layout build(List<BucketRows> buckets, Pages pages) {
        TreeWriter root = new TreeWriter(pages);
        for (BucketRows bucket : buckets) {
            TreeWriter tree = new TreeWriter(pages);
            if (pages.isCounting()) {
                bucket.rows().forEachLength(tree::addLength);
            } else {
                bucket.rows().forEach(tree::addRow);
            }
            root.addBucket(bucket.name(), tree);
        }
        long page = root.finish();
        return new Layout(page, pages.count());
    }

    /** Gathers what is small. */
    private static final class Buffered implements Output {
        private final Output output;
        private final byte[] buffer = new byte[BUFFER_BYTES];
        private int used;

        Buffered(Output output) {
            this.output = output;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            if (length > buffer.length - used) {
                flush();
            }
            if (length > buffer.length) {
                output.write(bytes, offset, length);
                return;
            }
            System.arraycopy(bytes, offset, buffer, used, length);
            used += length;
        }

        void flush() {
            if (used > 0) {
                output.write(buffer, 0, used);
                used = 0;
            }
        }
    }
}
