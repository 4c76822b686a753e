package dev.quoin.member;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.DatabaseHash;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.Rows;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.Bucket;
import dev.quoin.store.Contents;
import dev.quoin.store.Store;

/**
 * The state as of the end of a batch, in the rows that etcd 3.7 would have in its database. Made by the apply loop, which
 * costs little; all the work is done by whoever sends it.
 */
final class StateSnapshot implements SnapshotState {
    /** The bucket of the keys' history; the others are {@link Bucket}s. */
    static final Bytes KEY_BUCKET = Bytes.utf8("key");
    static final Bytes CONSISTENT_INDEX = Bytes.utf8("consistent_index");
    static final Bytes TERM = Bytes.utf8("term");
    private static final Bytes CONF_STATE = Bytes.utf8("confState");
    private static final Bytes STORAGE_VERSION = Bytes.utf8("storageVersion");

    private final SnapshotMeta meta;
    private final Contents contents;
    /** The buckets whose rows are not those of the store. */
    private final SortedMap<Bucket, SortedMap<Bytes, Bytes>> ownRows;
    private final Runnable onClose;
    private final AtomicBoolean isClosed = new AtomicBoolean();
    private @Nullable SnapshotWriter measured;

    private StateSnapshot(SnapshotMeta meta, Contents contents, SortedMap<Bucket, SortedMap<Bytes, Bytes>> ownRows,
            Runnable onClose) {
        this.meta = meta;
        this.contents = contents;
        this.ownRows = ownRows;
        this.onClose = onClose;
    }

    /**
     * For the apply loop, between two batches.
     *
     * @param membership as the store has it; but the cluster's version may be an older one, for an etcd that knows no newer one
     * @param onClose run once, by whoever closes it: the records need not be kept any longer
     */
    static StateSnapshot of(Store store, long appliedIndex, long appliedTerm, Membership membership,
            Runnable onClose) {
        SnapshotMeta meta = new SnapshotMeta(appliedIndex, appliedTerm, membership.confState());
        Contents contents = store.contents();
        SortedMap<Bytes, Bytes> rows = new TreeMap<>(contents.bucket(Bucket.META));
        rows.put(CONSISTENT_INDEX, bigEndian(appliedIndex));
        rows.put(TERM, bigEndian(appliedTerm));
        rows.put(CONF_STATE, ConfStates.json(meta.configuration()));
        if (hasStorageVersion(membership.clusterVersion())) {
            rows.put(STORAGE_VERSION, Bytes.utf8(membership.clusterVersion()));
        }
        SortedMap<Bucket, SortedMap<Bytes, Bytes>> ownRows = new TreeMap<>();
        ownRows.put(Bucket.META, rows);
        if (!membership.clusterVersion().isEmpty()) {
            SortedMap<Bytes, Bytes> cluster = new TreeMap<>(contents.bucket(Bucket.CLUSTER));
            cluster.put(Membership.CLUSTER_VERSION, Bytes.utf8(membership.clusterVersion()));
            ownRows.put(Bucket.CLUSTER, cluster);
        }
        return new StateSnapshot(meta, contents, ownRows, onClose);
    }

    private @Nullable Bytes metaRow(Bytes key) {
        SortedMap<Bytes, Bytes> rows = ownRows.get(Bucket.META);
        return rows == null ? null : rows.get(key);
    }

    private static Bytes bigEndian(long number) {
        return Bytes.of(ByteBuffer.allocate(Long.BYTES).putLong(number).array());
    }

    /** What a database is made for says the cluster's version, from 3.6 on; no etcd opens one that is for a newer one. */
    private static boolean hasStorageVersion(String clusterVersion) {
        SemVersion version = SemVersion.parse(clusterVersion);
        return version != null && version.compareTo(SemVersion.FIRST_WITH_STORAGE_VERSION) >= 0;
    }

    @Override
    public SnapshotMeta meta() {
        return meta;
    }

    @Override
    public String storageVersion() {
        Bytes version = metaRow(STORAGE_VERSION);
        return version == null ? "" : version.toUtf8();
    }

    @Override
    public Bytes oldStore() {
        return OldStore.json(Membership.of(contents));
    }

    @Override
    public long lengthBytes() {
        return measured().length();
    }

    @Override
    public void writeTo(Output output) {
        measured().writeTo(output::write);
    }

    @Override
    public long revision() {
        return contents.revision();
    }

    @Override
    public int hash() {
        checkOpen();
        return DatabaseHash.of(buckets());
    }

    private void checkOpen() {
        Invariant.check(!isClosed.get(), "the state at %d is read after it was closed", meta.index());
    }

    private SnapshotWriter measured() {
        checkOpen();
        SnapshotWriter known = measured;
        if (known == null) {
            known = SnapshotWriter.measure(buckets());
            measured = known;
        }
        return known;
    }

    /** All that an etcd has, in the order of their names. */
    private List<BucketRows> buckets() {
        SortedMap<Bytes, Rows> buckets = new TreeMap<>();
        buckets.put(KEY_BUCKET, new Revisions(contents));
        for (Bucket bucket : Bucket.values()) {
            Map<Bytes, Bytes> own = ownRows.get(bucket);
            Map<Bytes, Bytes> rows = own == null ? contents.bucket(bucket) : own;
            buckets.put(Bytes.of(bucket.bucketName().getBytes(StandardCharsets.US_ASCII)),
                    sink -> rows.forEach(sink::row));
        }
        List<BucketRows> inOrder = new ArrayList<>();
        buckets.forEach((name, rows) -> inOrder.add(new BucketRows(name, rows)));
        return inOrder;
    }

    private record Revisions(Contents contents) implements Rows {
        @Override
        public void forEach(Sink sink) {
            contents.forEachRevision((main, sub, isTombstone, keyValue) -> sink
                    .row(new RevisionKey(main, sub, isTombstone).encode(), keyValue));
        }

        @Override
        public void forEachLength(LengthSink sink) {
            contents.forEachLength((main, sub, isTombstone, length) -> sink
                    .row(new RevisionKey(main, sub, isTombstone).encode(), length));
        }
    }

    @Override
    public void close() {
        if (isClosed.compareAndSet(false, true)) {
            onClose.run();
        }
    }
}
