package dev.quoin.store;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * All keys in order, each with its {@link History}: a B+tree whose inner nodes know how many live keys each child holds,
 * so that counting a range costs two walks down and not one along.
 *
 * <p>Readers must see one state while a writer makes the next. So a frozen index never changes, and a change copies the
 * nodes on the path from the root to the key. Copying them anew for every change would be waste: each node carries the
 * edition it was made in, and the index that is being written changes nodes of its own edition in place. {@link #freeze}
 * hands the tree to readers and moves on to the next edition, from where on every node is foreign again: within a batch a
 * path is copied once.
 *
 * <p>A deleted key stays, with its deletion, until a compaction takes it out; it is not live and not counted.
 *
 * <p>Nodes are split on the way down when they are full, before a new key is added, so that a parent always has room. A
 * split where the new key is behind everything else leaves the left node full: keys that arrive in order, as many do,
 * make a dense tree.
 */
final class KeyIndex {
    /** How many keys a leaf and how many children an inner node holds at most. */
    static final int WIDTH = 64;

    private static final long FROZEN = 0;

    private long edition;
    private Node root;

    private KeyIndex(long edition, Node root) {
        this.edition = edition;
        this.root = root;
    }

    /** An empty index for its one writer. */
    static KeyIndex empty() {
        return new KeyIndex(FROZEN + 1, new Leaf(FROZEN + 1));
    }

    /** Told every key of a range in order, deleted ones included, until it answers false. */
    @FunctionalInterface
    interface Visitor {
        boolean visit(byte[] key, History history);
    }

    /** An index for readers, with what this one holds now. */
    KeyIndex freeze() {
        Invariant.check(edition != FROZEN, "a frozen index is frozen already");
        edition++;
        return new KeyIndex(FROZEN, root);
    }

    int liveCount() {
        return root.live();
    }

    @Nullable
    History find(Bytes key) {
        Leaf leaf = leafOf(key);
        int at = leaf.find(key);
        return at == Leaf.NOT_FOUND ? null : leaf.histories[at];
    }

    /** The key as the index keeps it, which it must: for those who keep it too, without a copy of their own. */
    Bytes own(Bytes key) {
        Leaf leaf = leafOf(key);
        int at = leaf.find(key);
        Invariant.check(at != Leaf.NOT_FOUND, "a key is asked for that is not in the index");
        return Bytes.of(leaf.keys[at]);
    }

    private Leaf leafOf(Bytes key) {
        Node node = root;
        while (node instanceof Inner inner) {
            node = inner.children[inner.childOf(key)];
        }
        return (Leaf) node;
    }

    /** How many live keys the range holds, as of the newest change. */
    long count(KeyRange range) {
        if (range.isSingle()) {
            History history = find(range.key());
            return history != null && history.isLive() ? 1 : 0;
        }
        int end = range.isUnbounded() ? root.live() : rank(range.rangeEnd());
        return Math.max(0, end - rank(range.key()));
    }

    /** How many live keys are smaller than {@code key}. */
    private int rank(Bytes key) {
        int rank = 0;
        Node node = root;
        while (node instanceof Inner inner) {
            int child = inner.childOf(key);
            for (int before = 0; before < child; before++) {
                rank += inner.childLive[before];
            }
            node = inner.children[child];
        }
        return rank + ((Leaf) node).liveBefore(key);
    }

    void scan(KeyRange range, Visitor visitor) {
        if (range.isSingle()) {
            Leaf leaf = leafOf(range.key());
            int at = leaf.find(range.key());
            if (at != Leaf.NOT_FOUND) {
                visitor.visit(leaf.keys[at], leaf.histories[at]);
            }
            return;
        }
        scan(root, range.key(), range.isUnbounded() ? null : range.rangeEnd(), visitor);
    }

    /** From {@code start} (null: the first key) up to {@code end} (null: the last). False if the visitor had enough. */
    private static boolean scan(Node node, @Nullable Bytes start, @Nullable Bytes end, Visitor visitor) {
        return switch (node) {
            case Inner inner -> scanChildren(inner, start, end, visitor);
            case Leaf leaf -> scanKeys(leaf, start, end, visitor);
        };
    }

    private static boolean scanChildren(Inner inner, @Nullable Bytes start, @Nullable Bytes end, Visitor visitor) {
        int first = start == null ? 0 : inner.childOf(start);
        for (int child = first; child < inner.size; child++) {
            if (!scan(inner.children[child], child == first ? start : null, end, visitor)) {
                return false;
            }
        }
        return true;
    }

    private static boolean scanKeys(Leaf leaf, @Nullable Bytes start, @Nullable Bytes end, Visitor visitor) {
        for (int at = start == null ? 0 : leaf.lowerBound(start); at < leaf.size; at++) {
            if (end != null && compare(leaf.keys[at], end) >= 0) {
                return false;
            }
            if (!visitor.visit(leaf.keys[at], leaf.histories[at])) {
                return false;
            }
        }
        return true;
    }

    /** Adds a key that is not there yet. */
    void add(Bytes key, History history) {
        root = own(root);
        if (root.isFull()) {
            Inner above = new Inner(edition);
            above.adopt(root);
            above.split(0, key);
            root = above;
        }
        add(root, key, history);
    }

    private void add(Node node, Bytes key, History history) {
        switch (node) {
            case Leaf leaf -> leaf.insert(key, history);
            case Inner inner -> {
                int at = inner.childOf(key);
                Node child = own(inner, at);
                if (child.isFull()) {
                    inner.split(at, key);
                    at = inner.childOf(key);
                    child = inner.children[at];
                }
                add(child, key, history);
                inner.recount(at);
            }
        }
    }

    /** Replaces the history of a key that is there. */
    void replace(Bytes key, History history) {
        root = own(root);
        replace(root, key, history);
    }

    private void replace(Node node, Bytes key, History history) {
        switch (node) {
            case Leaf leaf -> leaf.replace(key, history);
            case Inner inner -> {
                int at = inner.childOf(key);
                replace(own(inner, at), key, history);
                inner.recount(at);
            }
        }
    }

    private Node own(Inner parent, int at) {
        Node child = own(parent.children[at]);
        parent.children[at] = child;
        return child;
    }

    private Node own(Node node) {
        Invariant.check(edition != FROZEN, "change of a frozen index");
        return node.edition() == edition ? node : node.copy(edition);
    }

    private static int compare(byte[] key, Bytes other) {
        return Arrays.compareUnsigned(key, 0, key.length, other.array(), other.offset(),
                other.offset() + other.length());
    }

    private sealed interface Node {
        long edition();

        int live();

        boolean isFull();

        Node copy(long newEdition);
    }

    /**
     * Keys and their histories. Beside each key stands its hash: a single key is looked for among these, which lie side
     * by side, because a binary search would touch half a dozen keys that lie anywhere in memory. A hash decides nothing
     * but where to look.
     */
    private static final class Leaf implements Node {
        private static final int NOT_FOUND = -1;

        private final long edition;
        private final byte[][] keys;
        private final int[] hashes;
        private final History[] histories;
        private int size;
        private int live;

        private Leaf(long edition) {
            this(edition, new byte[WIDTH][], new int[WIDTH], new History[WIDTH]);
        }

        private Leaf(long edition, byte[][] keys, int[] hashes, History[] histories) {
            this.edition = edition;
            this.keys = keys;
            this.hashes = hashes;
            this.histories = histories;
        }

        @Override
        public long edition() {
            return edition;
        }

        @Override
        public int live() {
            return live;
        }

        @Override
        public boolean isFull() {
            return size == WIDTH;
        }

        @Override
        public Leaf copy(long newEdition) {
            Leaf copy = new Leaf(newEdition, keys.clone(), hashes.clone(), histories.clone());
            copy.size = size;
            copy.live = live;
            return copy;
        }

        private int find(Bytes key) {
            int hash = key.hashCode();
            for (int at = 0; at < size; at++) {
                if (hashes[at] == hash && compare(keys[at], key) == 0) {
                    return at;
                }
            }
            return NOT_FOUND;
        }

        /** Where the key is, or -1 - (where it would be). */
        private int search(Bytes key) {
            int low = 0;
            int high = size - 1;
            while (low <= high) {
                int middle = (low + high) >>> 1;
                int order = compare(keys[middle], key);
                if (order == 0) {
                    return middle;
                }
                if (order < 0) {
                    low = middle + 1;
                } else {
                    high = middle - 1;
                }
            }
            return -1 - low;
        }

        private int lowerBound(Bytes key) {
            int at = search(key);
            return at < 0 ? -1 - at : at;
        }

        private int liveBefore(Bytes key) {
            int end = lowerBound(key);
            if (live == size) {
                return end;
            }
            int count = 0;
            for (int at = 0; at < end; at++) {
                count += histories[at].isLive() ? 1 : 0;
            }
            return count;
        }

        private void insert(Bytes key, History history) {
            int found = search(key);
            Invariant.check(found < 0, "a key is added that is in the index already");
            int at = -1 - found;
            System.arraycopy(keys, at, keys, at + 1, size - at);
            System.arraycopy(hashes, at, hashes, at + 1, size - at);
            System.arraycopy(histories, at, histories, at + 1, size - at);
            keys[at] = key.toByteArray();
            hashes[at] = key.hashCode();
            histories[at] = history;
            size++;
            live += history.isLive() ? 1 : 0;
        }

        private void replace(Bytes key, History history) {
            int at = find(key);
            Invariant.check(at != NOT_FOUND, "a key is changed that is not in the index");
            live += (history.isLive() ? 1 : 0) - (histories[at].isLive() ? 1 : 0);
            histories[at] = history;
        }

        /** Moves what is right of the middle, or only the last key if {@code next} is behind it, to a new leaf. */
        private Leaf splitFor(Bytes next) {
            int keep = compare(keys[size - 1], next) < 0 ? size - 1 : size / 2;
            Leaf right = new Leaf(edition);
            right.size = size - keep;
            System.arraycopy(keys, keep, right.keys, 0, right.size);
            System.arraycopy(hashes, keep, right.hashes, 0, right.size);
            System.arraycopy(histories, keep, right.histories, 0, right.size);
            Arrays.fill(keys, keep, size, null);
            Arrays.fill(histories, keep, size, null);
            for (int at = 0; at < right.size; at++) {
                right.live += right.histories[at].isLive() ? 1 : 0;
            }
            size = keep;
            live -= right.live;
            return right;
        }
    }

    private static final class Inner implements Node {
        private final long edition;
        /** The smallest key that child i may hold; that of child 0 is never looked at. */
        private final byte[][] lowest;
        private final Node[] children;
        private final int[] childLive;
        private int size;
        private int live;

        private Inner(long edition) {
            this(edition, new byte[WIDTH][], new Node[WIDTH], new int[WIDTH]);
        }

        private Inner(long edition, byte[][] lowest, Node[] children, int[] childLive) {
            this.edition = edition;
            this.lowest = lowest;
            this.children = children;
            this.childLive = childLive;
        }

        @Override
        public long edition() {
            return edition;
        }

        @Override
        public int live() {
            return live;
        }

        @Override
        public boolean isFull() {
            return size == WIDTH;
        }

        @Override
        public Inner copy(long newEdition) {
            Inner copy = new Inner(newEdition, lowest.clone(), children.clone(), childLive.clone());
            copy.size = size;
            copy.live = live;
            return copy;
        }

        /** The child that holds the key if any does: the last one that does not start behind it. */
        private int childOf(Bytes key) {
            int low = 1;
            int high = size;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (compare(lowest[middle], key) <= 0) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low - 1;
        }

        private void recount(int at) {
            int now = children[at].live();
            live += now - childLive[at];
            childLive[at] = now;
        }

        private void adopt(Node only) {
            children[0] = only;
            size = 1;
            recount(0);
        }

        /** Splits a full child of the same edition so that {@code next} can be added to one of the halves. */
        private void split(int at, Bytes next) {
            switch (children[at]) {
                case Leaf leaf -> {
                    Leaf right = leaf.splitFor(next);
                    insertAfter(at, right.keys[0], right);
                }
                case Inner inner -> {
                    int keep = compare(inner.lowest[inner.size - 1], next) < 0 ? inner.size - 1 : inner.size / 2;
                    byte[] border = inner.lowest[keep];
                    insertAfter(at, border, inner.splitAt(keep));
                }
            }
        }

        private Inner splitAt(int keep) {
            Inner right = new Inner(edition);
            right.size = size - keep;
            System.arraycopy(lowest, keep, right.lowest, 0, right.size);
            System.arraycopy(children, keep, right.children, 0, right.size);
            System.arraycopy(childLive, keep, right.childLive, 0, right.size);
            Arrays.fill(lowest, keep, size, null);
            Arrays.fill(children, keep, size, null);
            Arrays.fill(childLive, keep, size, 0);
            for (int at = 0; at < right.size; at++) {
                right.live += right.childLive[at];
            }
            size = keep;
            live -= right.live;
            return right;
        }

        private void insertAfter(int at, byte[] border, Node right) {
            int place = at + 1;
            System.arraycopy(lowest, place, lowest, place + 1, size - place);
            System.arraycopy(children, place, children, place + 1, size - place);
            System.arraycopy(childLive, place, childLive, place + 1, size - place);
            lowest[place] = border;
            children[place] = right;
            childLive[place] = 0;
            size++;
            recount(at);
            recount(place);
        }
    }
}
