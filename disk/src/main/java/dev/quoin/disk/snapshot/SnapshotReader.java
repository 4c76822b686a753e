package dev.quoin.disk.snapshot;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * Reads etcd's database file as an enemy may have made it: our own, a member's {@code snap/db}, a peer's snapshot, or what
 * {@code etcdctl snapshot save} wrote, whose hash is verified. Files of any page size, with unused pages, a list of free
 * pages, and more bytes behind their end.
 *
 * <p>What is wrong is {@link Damaged} with the byte, and nothing else is thrown for it; other exceptions are {@link
 * DiskFailure}, and what a sink throws. But bbolt has checksums on its metas alone. Without the hash, a key or a value that
 * changed and is still in order goes unnoticed, and so does a bucket whose root became another page of the same tree: what a
 * value means must be checked by whoever knows.
 *
 * <p>Time is proportional to the file's length. Memory is bounded by {@link SnapshotLimits}, and a bit for each page. One
 * thread at a time, and one walk at a time.
 */
public final class SnapshotReader implements AutoCloseable {
    private final DiskFile file;
    private final SnapshotLimits limits;
    private final boolean hasHash;
    private final Meta meta;
    /** The pages of the tree that names the buckets. */
    private final BitSet rootPages = new BitSet();
    private final List<BucketRows> buckets = new ArrayList<>();
    private int inlineBytes;

    private SnapshotReader(DiskFile file, SnapshotLimits limits, boolean isVerified) {
        this.file = file;
        this.limits = limits;
        hasHash = SnapshotHash.isBehind(file);
        if (hasHash && isVerified) {
            verifyHash();
        }
        meta = readMeta(SnapshotHash.databaseBytes(file));
        new TreeWalk(file, meta, limits, rootPages, this::addBucket).from(meta.root(), 0);
    }

    /**
     * Opens a database that nobody is writing to, and reads what buckets there are.
     *
     * @throws Damaged if it is not one, or its hash is not that of its bytes
     */
    public static SnapshotReader open(Disk disk, Path path, SnapshotLimits limits) {
        return open(disk, path, limits, true);
    }

    /** The same, whatever hash lies behind it: for somebody who has looked at that, or does not want to. */
    public static SnapshotReader openUnverified(Disk disk, Path path, SnapshotLimits limits) {
        return open(disk, path, limits, false);
    }

    private static SnapshotReader open(Disk disk, Path path, SnapshotLimits limits, boolean isVerified) {
        DiskFile file = disk.openToRead(path);
        boolean isOpen = false;
        try {
            SnapshotReader reader = new SnapshotReader(file, limits, isVerified);
            isOpen = true;
            return reader;
        } finally {
            if (!isOpen) {
                file.close();
            }
        }
    }

    /** The buckets in the order of their names. Their rows can be walked until this is closed, and are checked on the way. */
    public List<BucketRows> buckets() {
        return List.copyOf(buckets);
    }

    /** The rows of a bucket, or null if there is none of that name. */
    public @Nullable Rows rows(Bytes name) {
        for (BucketRows bucket : buckets) {
            if (bucket.name().equals(name)) {
                return bucket.rows();
            }
        }
        return null;
    }

    /** Takes rows in the order of their keys, each with the place that {@link #rowAt} finds it by. */
    @FunctionalInterface
    public interface PlacedSink {
        void row(Bytes key, Bytes value, long place);
    }

    /** A row that was read anew. */
    public record Row(Bytes key, Bytes value) {}

    /** Walks a bucket for somebody who will want some of its rows again; false if there is none of that name. */
    public boolean forEachPlaced(Bytes name, PlacedSink sink) {
        if (!(rows(name) instanceof Tree tree)) {
            return false;
        }
        tree.forEachPlaced(sink);
        return true;
    }

    /**
     * The row at a place that a walk has told. Between two walks, by the same thread; nothing of it is checked again.
     *
     * @throws Damaged if no row can be there any more
     */
    public Row rowAt(long place) {
        ByteBuffer head = ByteBuffer.allocate(Format.ELEMENT);
        fill(place, head);
        long keyPlace = place + Format.uintAt(head.array(), 4);
        long keyLength = Format.uintAt(head.array(), 8);
        long valueLength = Format.uintAt(head.array(), 12);
        if (keyLength + valueLength > limits.pathBytesMax()) {
            throw damaged(place, "a row takes more than " + limits.pathBytesMax() + " bytes");
        }
        ByteBuffer row = ByteBuffer.allocate((int) (keyLength + valueLength));
        fill(keyPlace, row);
        Bytes whole = Bytes.of(row.array());
        return new Row(whole.slice(0, (int) keyLength), whole.slice((int) keyLength, (int) valueLength));
    }

    /** How long the database is in bytes, without what lies behind it. */
    public long length() {
        return meta.pageCount() * meta.pageSize();
    }

    /** The number of the transaction that wrote it last. */
    public long transaction() {
        return meta.transaction();
    }

    /** Whether a hash lies behind the database; verified, unless it was opened otherwise. */
    public boolean hasHash() {
        return hasHash;
    }

    @Override
    public void close() {
        file.close();
    }

    // --- what holds for the whole file ------------------------------------------------------------------------------

    private void verifyHash() {
        SnapshotHash hash = SnapshotHash.read(file);
        if (!hash.isRight()) {
            throw damaged(SnapshotHash.databaseBytes(file), "the SHA-256 there is not that of the bytes before it");
        }
    }

    private Meta readMeta(long size) {
        Meta newest = newestMeta(size);
        if (newest == null) {
            throw damaged(0, "neither of the two metas is whole: it is no database of etcd's, or not from its start");
        }
        long pageCount = newest.pageCount();
        if (pageCount <= Format.FIRST_PAGE || pageCount > Integer.MAX_VALUE) {
            throw damaged(0, "it cannot have " + Long.toUnsignedString(pageCount) + " pages");
        }
        if (pageCount * newest.pageSize() > size) {
            throw damaged(size, "it ends here, but says that it has " + pageCount + " pages of " + newest.pageSize()
                    + " bytes");
        }
        return newest;
    }

    /** As bbolt finds it: the second meta's place is known from the first, or from itself. */
    private @Nullable Meta newestMeta(long size) {
        Meta first = metaAt(0, size);
        if (first != null) {
            Meta second = metaAt(first.pageSize(), size);
            boolean isNewer = second != null && second.pageSize() == first.pageSize()
                    && Long.compareUnsigned(second.transaction(), first.transaction()) > 0;
            return isNewer ? second : first;
        }
        for (int pageSize = Meta.PAGE_SIZE_MIN; pageSize <= Meta.PAGE_SIZE_MAX; pageSize *= 2) {
            Meta second = metaAt(pageSize, size);
            if (second != null && second.pageSize() == pageSize) {
                return second;
            }
        }
        return null;
    }

    private @Nullable Meta metaAt(long offset, long size) {
        if (offset + Format.PAGE_HEAD + Meta.BYTES > size) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.allocate(Meta.BYTES);
        fill(offset + Format.PAGE_HEAD, bytes);
        return Meta.decode(bytes.array(), 0);
    }

    private void fill(long offset, ByteBuffer target) {
        if (file.readFully(offset, target) < target.limit()) {
            throw damaged(offset, "the file became shorter while it was read");
        }
    }

    // --- buckets ----------------------------------------------------------------------------------------------------

    private void addBucket(Node leaf) {
        if (!leaf.isBucket()) {
            throw damaged(leaf.elementOffset(), "there is a row where only buckets are");
        }
        if (buckets.size() == limits.bucketsMax()) {
            throw damaged(leaf.elementOffset(), "there are more than " + limits.bucketsMax() + " buckets");
        }
        Bytes name = leaf.key().compact();
        buckets.add(new BucketRows(name, rows(leaf.value(), leaf.valueOffset())));
    }

    private Tree rows(Bytes value, long offset) {
        if (value.length() < Format.BUCKET_HEAD) {
            throw damaged(offset, "a bucket is cut short");
        }
        Bytes head = value.slice(0, Format.BUCKET_HEAD);
        long root = Format.longAt(head.array(), head.offset());
        if (root == 0) {
            return inlineRows(value.compact(), offset);
        }
        if (value.length() > Format.BUCKET_HEAD) {
            throw damaged(offset, "a bucket with pages of its own has more than their number");
        }
        return new Tree(visitor -> new TreeWalk(file, meta, limits, (BitSet) rootPages.clone(), visitor)
                .from(root, offset));
    }

    private Tree inlineRows(Bytes value, long offset) {
        inlineBytes += value.length();
        if (value.length() < Format.BUCKET_HEAD + Format.PAGE_HEAD || inlineBytes > limits.inlineBytesMax()) {
            throw damaged(offset, "a bucket without pages has " + value.length() + " bytes");
        }
        return new Tree(visitor -> {
            Node leaf = new Node(file.path(), offset, value.array(), Format.BUCKET_HEAD, value.length(), null, null);
            if (!leaf.isLeaf()) {
                throw damaged(offset, "a bucket without pages has a branch");
            }
            while (leaf.next()) {
                visitor.element(leaf);
            }
        });
    }

    /** The rows of a bucket, which are the elements of its leaves. */
    private final class Tree implements Rows {
        private final Consumer<TreeWalk.Visitor> walk;

        Tree(Consumer<TreeWalk.Visitor> walk) {
            this.walk = walk;
        }

        @Override
        public void forEach(Sink sink) {
            forEachPlaced((key, value, place) -> sink.row(key, value));
        }

        void forEachPlaced(PlacedSink sink) {
            walk.accept(leaf -> {
                if (leaf.isBucket()) {
                    throw damaged(leaf.elementOffset(), "there is a bucket inside a bucket");
                }
                sink.row(leaf.key(), leaf.value(), leaf.elementOffset());
            });
        }
    }

    private Damaged damaged(long offset, String what) {
        return new Damaged(file.path(), offset, what);
    }
}
