package dev.quoin.disk.snapshot;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFile;

/**
 * A walk over one tree in the order of its keys. It ends whatever the file says, for no page is taken twice; and it holds
 * no more than the nodes from the root to where it is, whose sum is bounded.
 */
final class TreeWalk {
    /** Takes the elements of leaves: the node stands at one of them. */
    interface Visitor {
        void element(Node leaf);
    }

    private final DiskFile file;
    private final Meta meta;
    private final SnapshotLimits limits;
    private final Visitor visitor;
    /** Pages that belong to something. */
    private final BitSet taken;

    TreeWalk(DiskFile file, Meta meta, SnapshotLimits limits, BitSet taken, Visitor visitor) {
        this.file = file;
        this.meta = meta;
        this.limits = limits;
        this.taken = taken;
        this.visitor = visitor;
    }

    /** {@code namedAt} is where in the file the root is named. */
    void from(long root, long namedAt) {
        visit(root, namedAt, null, null, 1, limits.pathBytesMax());
    }

    private void visit(long id, long namedAt, @Nullable Bytes from, @Nullable Bytes to, int depth, int heapBytes) {
        if (depth > limits.depthMax()) {
            throw damaged(namedAt, "the tree is deeper than " + limits.depthMax() + " pages");
        }
        Node node = read(id, namedAt, from, to, heapBytes);
        if (node.isLeaf()) {
            while (node.next()) {
                visitor.element(node);
            }
            return;
        }
        boolean more = node.next();
        while (more) {
            Bytes first = node.key();
            long child = node.child();
            long at = node.elementOffset();
            more = node.next();
            visit(child, at, first, more ? node.key() : to, depth + 1, heapBytes - node.bytesHeld());
        }
    }

    private Node read(long id, long namedAt, @Nullable Bytes from, @Nullable Bytes to, int heapBytes) {
        if (id < Format.FIRST_PAGE || id >= meta.pageCount()) {
            throw damaged(namedAt, "it names page " + Long.toUnsignedString(id) + ", which is not there");
        }
        long offset = id * meta.pageSize();
        if (meta.pageSize() > heapBytes) {
            throw damaged(namedAt, "the pages on the way here take too much memory");
        }
        byte[] bytes = read(offset, new byte[meta.pageSize()], 0);
        if (Format.longAt(bytes, 0) != id) {
            throw damaged(offset, "the page does not bear its number");
        }
        long pages = 1 + Format.uintAt(bytes, 12);
        if (pages > meta.pageCount() - id) {
            throw damaged(offset, "the page reaches beyond the end of the database");
        }
        if (pages * meta.pageSize() > heapBytes) {
            throw damaged(offset, "a page takes more than " + limits.pathBytesMax() + " bytes");
        }
        take(id, pages, namedAt);
        if (pages > 1) {
            bytes = read(offset, Arrays.copyOf(bytes, (int) (pages * meta.pageSize())), meta.pageSize());
        }
        Node node = new Node(file.path(), offset, bytes, 0, bytes.length, from, to);
        // Only a tree without rows has an empty page, which is its root.
        if (node.count() == 0 && (from != null || !node.isLeaf())) {
            throw damaged(offset, "the page is empty");
        }
        return node;
    }

    private void take(long id, long pages, long namedAt) {
        int next = taken.nextSetBit((int) id);
        if (next >= 0 && next < id + pages) {
            throw damaged(namedAt, "page " + next + " belongs to something else already");
        }
        taken.set((int) id, (int) (id + pages));
    }

    /** Fills {@code bytes} from an index on; the first of them lies at {@code offset}. */
    private byte[] read(long offset, byte[] bytes, int from) {
        int wanted = bytes.length - from;
        if (file.readFully(offset + from, ByteBuffer.wrap(bytes, from, wanted)) < wanted) {
            throw damaged(offset, "the file became shorter while it was read");
        }
        return bytes;
    }

    private Damaged damaged(long offset, String what) {
        return new Damaged(file.path(), offset, what);
    }
}
