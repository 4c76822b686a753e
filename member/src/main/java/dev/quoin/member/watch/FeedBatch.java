package dev.quoin.member.watch;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.store.Change;
import dev.quoin.store.ChangeWalk;
import dev.quoin.store.Records;

/**
 * Changes of consecutive revisions, each encoded once, for all who watch. The encoded events stand one behind the other in
 * one array, so that any run of them is a range of it. Never changes, but for events with the KeyValue before: these are
 * made when the first watcher needs them, and kept as long as the batch is.
 */
final class FeedBatch {
    /** What an event takes beside its bytes, about. */
    private static final int EVENT_OVERHEAD_BYTES = 48;
    private static final int BATCH_OVERHEAD_BYTES = 256;
    /** What {@link ProtoWriter} wants free before it writes a number without growing. */
    private static final int LONGEST_VARINT = 10;

    private final Records records;
    private final long[] mains;
    private final boolean[] deletions;
    private final long[] positions;
    private final long[] previous;
    private final int[] keyAt;
    private final int[] keyLength;
    /** Where event i begins; one more for the end. */
    private final int[] starts;
    private final byte[] encoded;

    /** Empty until the first is made. */
    private @Nullable Bytes[] withPrevious = {};
    /** What it takes on the heap, about; grows with the events that tell what was before. */
    private long bytes;
    private boolean isGivenUp;
    /** What all batches of the feed take, and may take. */
    private final AtomicLong held;
    private final long heldMax;

    FeedBatch(List<Change> changes, Records records, AtomicLong held, long heldMax) {
        this.records = records;
        this.held = held;
        this.heldMax = heldMax;
        int count = changes.size();
        mains = new long[count];
        deletions = new boolean[count];
        positions = new long[count];
        previous = new long[count];
        keyAt = new int[count];
        keyLength = new int[count];
        starts = new int[count + 1];
        long length = 0;
        for (Change change : changes) {
            length += EventCodec.length(change.isDeletion(), change.main(), change.payload().length(),
                    EventCodec.NO_PREVIOUS);
        }
        ProtoWriter writer = new ProtoWriter(Math.toIntExact(length + LONGEST_VARINT));
        for (int at = 0; at < count; at++) {
            Change change = changes.get(at);
            mains[at] = change.main();
            deletions[at] = change.isDeletion();
            positions[at] = change.position();
            previous[at] = change.previous();
            keyLength[at] = change.key().length();
            starts[at] = writer.size();
            EventCodec.write(writer, change.isDeletion(), change.main(), change.payload(), EventCodec.NO_PREVIOUS);
            keyAt[at] = writer.size() - (change.isDeletion()
                    ? EventCodec.behindKey(change.main()) + keyLength[at]
                    : change.payload().length() - 1 - ProtoWriter.varintSize(keyLength[at]));
        }
        starts[count] = writer.size();
        encoded = writer.buffer();
        bytes = BATCH_OVERHEAD_BYTES + encoded.length + (long) EVENT_OVERHEAD_BYTES * count;
        held.addAndGet(bytes);
    }

    long first() {
        return mains[0];
    }

    long last() {
        return mains[mains.length - 1];
    }

    int size() {
        return mains.length;
    }

    /** The first event of this revision or a later one. */
    int indexOf(long revision) {
        int low = 0;
        int high = mains.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (mains[middle] < revision) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    long main(int at) {
        return mains[at];
    }

    boolean isDeletion(int at) {
        return deletions[at];
    }

    Bytes key(int at) {
        return Bytes.of(encoded, keyAt[at], keyLength[at]);
    }

    /** Whether there was a KeyValue before, as far as is known here. */
    boolean hasPrevious(int at) {
        return previous[at] != Change.NONE;
    }

    /** Where it lies in the store. */
    ChangeWalk.Found found(int at) {
        return new ChangeWalk.Found(mains[at], 0, deletions[at], positions[at], previous[at]);
    }

    Records records() {
        return records;
    }

    /** How long the record is: of a put the KeyValue, of a deletion the key. */
    int payloadLength(int at) {
        return deletions[at] ? keyLength[at] : starts[at + 1] - payloadAt(at);
    }

    /** Of a put: the key is the first field of its KeyValue, which ends where the event does. */
    private int payloadAt(int at) {
        return keyAt[at] - 1 - ProtoWriter.varintSize(keyLength[at]);
    }

    /** The events from one to before another, one behind the other. */
    Bytes events(int from, int to) {
        return Bytes.of(encoded, starts[from], starts[to] - starts[from]);
    }

    /**
     * An event that tells what was before, which there was. May read the disk.
     *
     * @throws dev.quoin.disk.Damaged if what was before is lost
     * @throws dev.quoin.disk.ledger.Gone if a compaction has given it up
     */
    Bytes eventWithPrevious(int at) {
        synchronized (this) {
            if (withPrevious.length > 0) {
                Bytes known = withPrevious[at];
                if (known != null) {
                    return known;
                }
            }
        }
        Bytes payload = deletions[at] ? key(at) : Bytes.of(encoded, payloadAt(at), payloadLength(at));
        Bytes event = EventCodec.whole(deletions[at], mains[at], payload, records.read(previous[at]));
        keep(at, event);
        return event;
    }

    private synchronized void keep(int at, Bytes event) {
        if (isGivenUp || held.get() + event.length() > heldMax) {
            return;
        }
        if (withPrevious.length == 0) {
            withPrevious = new Bytes[mains.length];
        }
        if (withPrevious[at] == null) {
            withPrevious[at] = event;
            bytes += event.length();
            held.addAndGet(event.length());
        }
    }

    /** The feed does not hold it any more: who still reads it keeps nothing in it. */
    synchronized void giveUp() {
        isGivenUp = true;
        withPrevious = new Bytes[0];
        held.addAndGet(-bytes);
        bytes = 0;
    }
}
