package dev.quoin.store;

import java.util.Comparator;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * A user's permissions as etcd has them: a red-black tree of intervals (Cormen et al., chapters 13 and 14.3), by start and
 * then end, into which the permissions of all roles went one after the other. Only for one kind of question: whether a
 * range that ends before it starts is allowed.
 *
 * <p>Such a range holds no key, so it might seem not to matter. But a transaction that names one is refused or done, and
 * whoever may write anything at all could make members differ that do not agree on it. Etcd's search was not made for such
 * ranges: it finds an interval around the start only if no node above, on the way to it, both ends before the range's start
 * and begins behind the range's end. So what it says depends on the shape of the tree, and the shape on the order of the
 * permissions. All other questions are answered by {@link PermissionSpans}.
 */
final class PermissionTree {
    private static final Comparator<Bytes> ORDER = PermissionSpans.EMPTY_LAST;

    private static final class Node {
        private final Bytes start;
        private final Bytes end;
        /** The last end of this node and of those below it; known once the tree is complete. */
        private Bytes lastEnd;
        private boolean isRed = true;
        private @Nullable Node parent;
        private @Nullable Node left;
        private @Nullable Node right;

        private Node(PermissionSpans.Span span) {
            start = span.start();
            end = span.end();
            lastEnd = end;
        }

        private boolean goesLeftOf(Node other) {
            int starts = ORDER.compare(start, other.start);
            return starts < 0 || (starts == 0 && ORDER.compare(end, other.end) < 0);
        }
    }

    private @Nullable Node root;

    private PermissionTree() {}

    static PermissionTree of(List<KeyRange> ranges) {
        PermissionTree tree = new PermissionTree();
        ranges.forEach(range -> tree.insert(new Node(PermissionSpans.Span.of(range))));
        computeLastEnds(tree.root);
        return tree;
    }

    private static @Nullable Bytes computeLastEnds(@Nullable Node node) {
        if (node == null) {
            return null;
        }
        for (Node child : new Node[]{node.left, node.right}) {
            Bytes below = computeLastEnds(child);
            if (below != null && ORDER.compare(below, node.lastEnd) > 0) {
                node.lastEnd = below;
            }
        }
        return node.lastEnd;
    }

    /** Whether etcd finds an interval around {@code start} on its way through the tree. */
    boolean allowsReversed(Bytes start, Bytes end) {
        return finds(root, start, end);
    }

    private static boolean finds(@Nullable Node node, Bytes start, Bytes end) {
        if (node == null) {
            return false;
        }
        if (ORDER.compare(start, node.start) < 0) {
            return finds(node.left, start, end);
        }
        if (ORDER.compare(start, node.end) < 0) {
            return true;
        }
        boolean endsBehind = ORDER.compare(node.lastEnd, start) > 0;
        boolean beginsBefore = ORDER.compare(node.start, end) < 0;
        return endsBehind && beginsBefore && (finds(node.left, start, end) || finds(node.right, start, end));
    }

    // ---- growing

    private void insert(Node node) {
        Node above = null;
        for (Node next = root; next != null; next = node.goesLeftOf(next) ? next.left : next.right) {
            above = next;
        }
        node.parent = above;
        if (above == null) {
            root = node;
        } else if (node.goesLeftOf(above)) {
            above.left = node;
        } else {
            above.right = node;
        }
        repair(node);
    }

    /** A red node has no red parent, and every way down has as many black ones: brought about from the new node up. */
    private void repair(Node added) {
        Node node = added;
        Node parent = node.parent;
        while (parent != null && parent.isRed && parent.parent != null) {
            Node grandparent = parent.parent;
            boolean isLeft = parent == grandparent.left;
            Node uncle = isLeft ? grandparent.right : grandparent.left;
            if (uncle != null && uncle.isRed) {
                uncle.isRed = false;
                parent.isRed = false;
                grandparent.isRed = true;
                node = grandparent;
            } else {
                if (node == (isLeft ? parent.right : parent.left)) {
                    rotate(parent, isLeft);
                    Node lowered = parent;
                    parent = node;
                    node = lowered;
                }
                parent.isRed = false;
                grandparent.isRed = true;
                rotate(grandparent, !isLeft);
            }
            parent = node.parent;
        }
        if (root != null) {
            root.isRed = false;
        }
    }

    /** Lets a child of {@code node} take its place: the right one, with {@code toLeft}, so that the node becomes its left. */
    private void rotate(Node node, boolean toLeft) {
        Node child = toLeft ? node.right : node.left;
        if (child == null) {
            return;
        }
        Node moved = toLeft ? child.left : child.right;
        if (toLeft) {
            node.right = moved;
            child.left = node;
        } else {
            node.left = moved;
            child.right = node;
        }
        if (moved != null) {
            moved.parent = node;
        }
        Node above = node.parent;
        child.parent = above;
        if (above == null) {
            root = child;
        } else if (above.left == node) {
            above.left = child;
        } else {
            above.right = child;
        }
        node.parent = child;
    }
}
