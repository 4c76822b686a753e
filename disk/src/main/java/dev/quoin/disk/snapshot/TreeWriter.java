package dev.quoin.disk.snapshot;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.snapshot.PageBuilder.Element;

/**
 * Packs rows that come in order into a tree, from the bottom up. A page leaves as soon as it is full, and the page above
 * learns its number: so a tree lies in the file leaves first, every branch right behind the last of what it names, and
 * nothing is held but one page in the making for each level.
 */
final class TreeWriter {
    /** A bucket that is one leaf of at most this many bytes needs no page. */
    private static final int INLINE_BYTES_MAX = SnapshotWriter.PAGE_SIZE / 4;
    /** bbolt makes no branches of one child, so neither do we. */
    private static final int CHILDREN_MIN = 2;

    private final Pages pages;
    /** From the leaves up. */
    private final List<PageBuilder> levels = new ArrayList<>(List.of(new PageBuilder(true)));
    private @Nullable Bytes last;

    TreeWriter(Pages pages) {
        this.pages = pages;
    }

    void addRow(Bytes key, Bytes value) {
        add(Element.row(key, 0, value.length(), value));
    }

    void addLength(Bytes key, int valueLength) {
        add(Element.row(key, 0, valueLength, null));
    }

    /** Completes the tree of a bucket, and names it in this one. */
    void addBucket(Bytes name, TreeWriter tree) {
        PageBuilder only = tree.levels.getFirst();
        if (tree.levels.size() > 1 || only.bytes() > INLINE_BYTES_MAX) {
            add(Element.row(name, Format.BUCKET_FLAG, Format.BUCKET_HEAD, Format.bucket(tree.finish())));
            return;
        }
        int length = (int) (Format.BUCKET_HEAD + only.bytes());
        add(Element.row(name, Format.BUCKET_FLAG, length, pages.isCounting() ? null : inline(only, length)));
    }

    private static Bytes inline(PageBuilder page, int length) {
        byte[] value = new byte[length];
        int[] end = {Format.BUCKET_HEAD};
        page.writeTo((bytes, offset, count) -> {
            System.arraycopy(bytes, offset, value, end[0], count);
            end[0] += count;
        }, 0, 0);
        return Bytes.of(value);
    }

    /** The number of the tree's root. */
    long finish() {
        for (int level = 0; level < levels.size() - 1; level++) {
            complete(level);
        }
        return pages.put(levels.getLast());
    }

    private void add(Element element) {
        Bytes key = element.key();
        Invariant.check(!key.isEmpty() && key.length() <= Format.KEY_BYTES_MAX, "a key of %d bytes", key.length());
        Invariant.check(last == null || last.compareTo(key) < 0, "%s comes behind %s", key, last);
        last = key;
        put(0, element);
    }

    private void put(int level, Element element) {
        if (level == levels.size()) {
            levels.add(new PageBuilder(false));
        }
        PageBuilder page = levels.get(level);
        boolean fits = page.bytes() + element.bytes() <= SnapshotWriter.PAGE_SIZE;
        if (!fits && page.isLeaf() && page.count() > 0) {
            complete(level);
        } else if (!fits && !page.isLeaf() && page.count() > CHILDREN_MIN) {
            // The last child goes along, so that the next branch has two even if there are no more.
            Element kept = page.removeLast();
            complete(level);
            page.add(kept);
        }
        page.add(element);
    }

    private void complete(int level) {
        PageBuilder page = levels.get(level);
        put(level + 1, Element.child(page.firstKey().compact(), pages.put(page)));
        page.clear();
    }
}
