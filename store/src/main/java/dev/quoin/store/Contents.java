package dev.quoin.store;

import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * All that a store holds at one moment, as etcd's database has it: every revision of every key that is still there, in
 * their order, and the entries of every {@link Bucket}. {@link Store#contents} makes one. It never changes, and may be read
 * on any thread, one walk at a time; but its records are read when they are asked for, and must not be given up before.
 */
public final class Contents {
    /** Takes revisions, ascending. What it throws ends the walk. */
    @FunctionalInterface
    public interface RevisionSink {
        /** {@code keyValue} is an encoded KeyValue; that of a deletion has a key only. */
        void revision(long main, int sub, boolean isTombstone, Bytes keyValue);
    }

    /** Takes revisions, ascending, and how many bytes their KeyValues have. */
    @FunctionalInterface
    public interface LengthSink {
        void revision(long main, int sub, boolean isTombstone, int length);
    }

    private final long revision;
    private final KeyIndex index;
    private final Records records;
    /** One for each bucket, in the order of their numbers. */
    private final List<NavigableMap<Bytes, Bytes>> buckets;
    /** Once it was needed: the index knows revisions in the order of keys. */
    private @Nullable RevisionList revisions;

    Contents(long revision, KeyIndex frozen, Records records, List<NavigableMap<Bytes, Bytes>> buckets) {
        this.revision = revision;
        this.index = frozen;
        this.records = records;
        this.buckets = buckets;
    }

    /** The newest of the store at that moment. */
    public long revision() {
        return revision;
    }

    /** All of a bucket in the order of its keys. */
    public NavigableMap<Bytes, Bytes> bucket(Bucket bucket) {
        return Collections.unmodifiableNavigableMap(buckets.get(bucket.number() - 1));
    }

    /** Reads every record. */
    public void forEachRevision(RevisionSink sink) {
        RevisionList all = revisions();
        for (int at = 0; at < all.size(); at++) {
            Bytes payload = records.read(all.position(at));
            sink.revision(all.main(at), all.sub(at), all.isTombstone(at),
                    all.isTombstone(at) ? KeyValues.ofTombstone(payload) : payload);
        }
    }

    /** The same revisions for somebody who does not want them yet: asks the records only for their lengths. */
    public void forEachLength(LengthSink sink) {
        RevisionList all = revisions();
        for (int at = 0; at < all.size(); at++) {
            int length = records.length(all.position(at));
            sink.revision(all.main(at), all.sub(at), all.isTombstone(at),
                    all.isTombstone(at) ? KeyValues.tombstoneLength(length) : length);
        }
    }

    private RevisionList revisions() {
        RevisionList known = revisions;
        if (known != null) {
            return known;
        }
        RevisionList found = new RevisionList();
        index.scan(KeyRange.from(Bytes.EMPTY), (key, history) -> {
            for (int at = 0; at < history.count(); at++) {
                found.add(history.main(at), history.sub(at), history.isTombstone(at), history.position(at));
            }
            return true;
        });
        found.sort();
        revisions = found;
        return found;
    }
}
