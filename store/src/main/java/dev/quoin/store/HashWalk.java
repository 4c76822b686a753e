package dev.quoin.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * Computes a {@link KeyHash}, bit by bit as etcd does, in steps and on any thread: it looks at a view that does not
 * change.
 *
 * <p>etcd walks through its database in the order of revisions and takes in, up to a revision, every entry that the last
 * compaction has left, except that of those up to the compaction it takes only the ones that are still the newest of
 * their key ("kept"); if no key has such an entry at all, it takes them all. A deletion exactly at the compaction is left
 * out, for older versions did not keep it.
 *
 * <p>Here the index knows the entries, in the order of keys; so they are collected first and sorted. The index may still
 * hold what the compaction has given up and nobody has taken out yet: that is passed over, so that the answer is the one
 * that etcd gives when its compaction is done.
 */
public final class HashWalk implements Hashing {
    private static final byte[] BUCKET_NAME = "key".getBytes(StandardCharsets.US_ASCII);
    /** Main, an underscore, sub; and a t for a deletion. */
    private static final int REVISION_BYTES = 17;

    private final KeyIndex index;
    private final Records records;
    private final long revision;
    private final long compactRevision;
    /** In a compaction a deletion exactly at it counts as kept, otherwise not. */
    private final boolean compacting;

    private final CRC32C crc = new CRC32C();
    private final byte[] revisionBytes = new byte[REVISION_BYTES + 1];
    private RevisionList entries = new RevisionList();
    /** Those up to the compaction that are not kept. */
    private RevisionList superseded = new RevisionList();
    private boolean keepsAny;
    /** Where collecting goes on; null when everything is collected and sorted. */
    private @Nullable Bytes next = Bytes.EMPTY;
    private int done;

    private HashWalk(View view, long revision, long compactRevision, boolean compacting) {
        this.index = view.index();
        this.records = view.records();
        this.revision = revision;
        this.compactRevision = compactRevision;
        this.compacting = compacting;
        crc.update(BUCKET_NAME);
    }

    /** Of all that is there at {@code revision}, which must be there and not be compacted. */
    static HashWalk at(View view, long revision) {
        return new HashWalk(view, revision, view.compactedRevision(), false);
    }

    /** Of a compaction that is about to be done, to be kept by {@link Store#keepHash}. */
    public static HashWalk of(View view, Compaction compaction) {
        return new HashWalk(view, compaction.revision(), compaction.previous(), true);
    }

    /**
     * Goes on: looks at {@code budget} revisions in the index or reads as many records, and answers when it is through.
     * One step in between sorts all that was collected.
     */
    public @Nullable KeyHash step(int budget) {
        Invariant.check(budget > 0, "a step of %d records", budget);
        Bytes from = next;
        if (from != null) {
            collect(from, budget);
            return null;
        }
        int end = (int) Math.min(entries.size(), (long) done + budget);
        while (done < end) {
            take(done++);
        }
        return done == entries.size() ? new KeyHash((int) crc.getValue(), compactRevision, revision) : null;
    }

    /** All at once. */
    public KeyHash run() {
        while (true) {
            KeyHash hash = step(Integer.MAX_VALUE);
            if (hash != null) {
                return hash;
            }
        }
    }

    private void collect(Bytes from, int budget) {
        Collector collector = new Collector(budget);
        index.scan(KeyRange.from(from), collector);
        next = collector.stoppedAt;
        if (next == null) {
            if (!keepsAny) {
                entries.addAll(superseded);
            }
            superseded = new RevisionList();
            entries.sort();
        }
    }

    private final class Collector implements KeyIndex.Visitor {
        private long left;
        private @Nullable Bytes stoppedAt;

        private Collector(int budget) {
            left = budget;
        }

        @Override
        public boolean visit(byte[] key, History history) {
            if (left <= 0) {
                stoppedAt = Bytes.of(key);
                return false;
            }
            left -= history.count();
            int kept = history.keptBy(revision);
            if (kept != History.ABSENT && history.isTombstone(kept) && !compacting) {
                kept = History.ABSENT;
            }
            keepsAny |= kept != History.ABSENT;
            int last = history.lastUpTo(revision);
            for (int at = history.firstKept(compactRevision); at <= last; at++) {
                add(history, at, at == kept);
            }
            return true;
        }

        private void add(History history, int at, boolean isKept) {
            long main = history.main(at);
            boolean tombstone = history.isTombstone(at);
            if (main == compactRevision && tombstone) {
                return;
            }
            RevisionList to = main <= compactRevision && !isKept ? superseded : entries;
            to.add(main, history.sub(at), tombstone, history.position(at));
        }
    }

    private void take(int at) {
        boolean tombstone = entries.isTombstone(at);
        ByteBuffer.wrap(revisionBytes).putLong(entries.main(at)).put((byte) '_').putLong(entries.sub(at))
                .put((byte) 't');
        crc.update(revisionBytes, 0, tombstone ? REVISION_BYTES + 1 : REVISION_BYTES);
        Bytes payload = records.read(entries.position(at));
        Bytes value = tombstone ? KeyValues.ofTombstone(payload) : payload;
        crc.update(value.array(), value.offset(), value.length());
    }
}
