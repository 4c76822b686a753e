package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.store.KeyRange;

/**
 * A value for each of many ranges of keys, and which of them hold a given key. Single keys lie in a hash map. True ranges
 * lie in an AVL tree, ordered by start and then by end, in which every node knows the furthest end beneath it; so the k
 * ranges around a key are found among n in O(log n + k). Not safe for several threads.
 */
final class RangeMap<V> {
    private final Map<Bytes, V> singles = new LinkedHashMap<>();
    private @Nullable Node<V> root;
    private int rangeCount;

    private static final class Node<V> {
        private KeyRange range;
        private V value;
        private @Nullable Node<V> left;
        private @Nullable Node<V> right;
        private int height = 1;
        /** The furthest end of this and all below; null for no end. */
        private @Nullable Bytes furthest;

        Node(KeyRange range, V value) {
            this.range = range;
            this.value = value;
            furthest = end(range);
        }
    }

    int size() {
        return singles.size() + rangeCount;
    }

    /** The value of exactly this range. */
    @Nullable
    V find(KeyRange range) {
        if (range.isSingle()) {
            return singles.get(range.key());
        }
        Node<V> node = root;
        while (node != null) {
            int order = compare(range, node.range);
            if (order == 0) {
                return node.value;
            }
            node = order < 0 ? node.left : node.right;
        }
        return null;
    }

    /** The value of exactly this range, made if there is none. The range is kept. */
    V obtain(KeyRange range, Function<KeyRange, V> made) {
        V known = find(range);
        if (known != null) {
            return known;
        }
        V value = made.apply(range);
        if (range.isSingle()) {
            singles.put(range.key(), value);
        } else {
            root = insert(root, range, value);
            rangeCount++;
        }
        return value;
    }

    /** Forgets exactly this range, which is there. */
    void remove(KeyRange range) {
        if (range.isSingle()) {
            Invariant.check(singles.remove(range.key()) != null, "a key is taken out that is not there");
            return;
        }
        root = remove(root, range);
        rangeCount--;
    }

    /** Every value whose range holds the key. */
    void forEachAt(Bytes key, Consumer<? super V> visitor) {
        V single = singles.get(key);
        if (single != null) {
            visitor.accept(single);
        }
        visit(root, key, visitor);
    }

    private static <V> void visit(@Nullable Node<V> from, Bytes key, Consumer<? super V> visitor) {
        Node<V> node = from;
        while (node != null && (node.furthest == null || node.furthest.compareTo(key) > 0)) {
            visit(node.left, key, visitor);
            if (node.range.key().compareTo(key) > 0) {
                return;
            }
            Bytes end = end(node.range);
            if (end == null || end.compareTo(key) > 0) {
                visitor.accept(node.value);
            }
            node = node.right;
        }
    }

    /** All values, those of single keys first. */
    List<V> values() {
        List<V> all = new ArrayList<>(singles.values());
        collect(root, all);
        return all;
    }

    private static <V> void collect(@Nullable Node<V> node, List<V> into) {
        if (node != null) {
            collect(node.left, into);
            into.add(node.value);
            collect(node.right, into);
        }
    }

    private static @Nullable Bytes end(KeyRange range) {
        return range.isUnbounded() ? null : range.rangeEnd();
    }

    private static int compare(KeyRange one, KeyRange other) {
        int byStart = one.key().compareTo(other.key());
        return byStart != 0 ? byStart : compareEnds(end(one), end(other));
    }

    private static int compareEnds(@Nullable Bytes one, @Nullable Bytes other) {
        if (one == null || other == null) {
            return Boolean.compare(one == null, other == null);
        }
        return one.compareTo(other);
    }

    private static <V> Node<V> insert(@Nullable Node<V> node, KeyRange range, V value) {
        if (node == null) {
            return new Node<>(range, value);
        }
        if (compare(range, node.range) < 0) {
            node.left = insert(node.left, range, value);
        } else {
            node.right = insert(node.right, range, value);
        }
        return balanced(node);
    }

    private static <V> @Nullable Node<V> remove(@Nullable Node<V> node, KeyRange range) {
        if (node == null) {
            throw Invariant.violation("a range is taken out that is not there");
        }
        int order = compare(range, node.range);
        if (order < 0) {
            node.left = remove(node.left, range);
        } else if (order > 0) {
            node.right = remove(node.right, range);
        } else if (node.left == null) {
            return node.right;
        } else if (node.right == null) {
            return node.left;
        } else {
            Node<V> next = node.right;
            while (next.left != null) {
                next = next.left;
            }
            node.range = next.range;
            node.value = next.value;
            node.right = remove(node.right, next.range);
        }
        return balanced(node);
    }

    private static <V> Node<V> balanced(Node<V> node) {
        update(node);
        Node<V> left = node.left;
        Node<V> right = node.right;
        if (left != null && height(left) > height(right) + 1) {
            if (height(left.left) < height(left.right)) {
                node.left = rotateLeft(left);
            }
            return rotateRight(node);
        }
        if (right != null && height(right) > height(left) + 1) {
            if (height(right.right) < height(right.left)) {
                node.right = rotateRight(right);
            }
            return rotateLeft(node);
        }
        return node;
    }

    private static <V> Node<V> rotateRight(Node<V> node) {
        Node<V> up = node.left;
        if (up == null) {
            throw Invariant.violation("nothing to turn up from the left");
        }
        node.left = up.right;
        up.right = node;
        update(node);
        update(up);
        return up;
    }

    private static <V> Node<V> rotateLeft(Node<V> node) {
        Node<V> up = node.right;
        if (up == null) {
            throw Invariant.violation("nothing to turn up from the right");
        }
        node.right = up.left;
        up.left = node;
        update(node);
        update(up);
        return up;
    }

    private static int height(@Nullable Node<?> node) {
        return node == null ? 0 : node.height;
    }

    private static <V> void update(Node<V> node) {
        node.height = 1 + Math.max(height(node.left), height(node.right));
        node.furthest = further(node.left, further(node.right, end(node.range)));
    }

    private static @Nullable Bytes further(@Nullable Node<?> child, @Nullable Bytes end) {
        return child != null && compareEnds(child.furthest, end) > 0 ? child.furthest : end;
    }

    /** How deep the tree is, for tests. */
    int depth() {
        return height(root);
    }
}
