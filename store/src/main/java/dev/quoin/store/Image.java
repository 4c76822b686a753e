package dev.quoin.store;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoWriter;

/**
 * All that a store knows at one moment, except what lies in its records: to start from it, and from the records behind
 * it, instead of from all records. {@link Store#capture} makes one; it never changes and can be written out on any thread.
 *
 * <p>It is written as a sequence of blocks, always the same for the same state, and read back block by block in the same
 * order ({@link Store#restoreImage}). A block has about {@link #BLOCK_BYTES}; only a key or an entry of a bucket that is
 * larger makes a larger one.
 */
public final class Image {
    /** What a block is reached with, when it goes out. */
    public static final int BLOCK_BYTES = 64 << 10;

    /** A long history goes out in several parts, so that a block does not grow with it. */
    static final int REVISIONS_PER_PART = 512;
    /** Room for one more part of a history with a key of usual length. */
    private static final int FULL_BYTES = BLOCK_BYTES - REVISIONS_PER_PART * 30;

    /** What a block tells. The numbers stand beside those of {@link Records.Kind}, and are as much part of the format. */
    public enum Kind {
        /** The first one: the revision. */
        STATE(32),
        /** Entries of {@link Buckets}. */
        BUCKETS(33),
        /** Keys and their histories. */
        KEYS(34),
        /** The last one: how many entries and keys there were. */
        END(35);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        public int number() {
            return number;
        }
    }

    /** Where blocks go. */
    @FunctionalInterface
    public interface Sink {
        void block(int kind, Bytes payload);
    }

    private final KeyIndex index;
    private final long revision;
    /** One for each bucket, in the order of their numbers. */
    private final List<NavigableMap<Bytes, Bytes>> buckets;
    private final CompactionWalk.Positions replaced;

    Image(KeyIndex frozen, long revision, List<NavigableMap<Bytes, Bytes>> buckets,
            CompactionWalk.Positions replaced) {
        this.index = frozen;
        this.revision = revision;
        this.buckets = buckets;
        this.replaced = replaced;
    }

    /** The records that it takes the place of and no image before did: what is not about keys. */
    public CompactionWalk.Positions replaced() {
        return replaced;
    }

    /** Every record of a later revision, and every one that was appended since, is behind it. */
    public long revision() {
        return revision;
    }

    /** Begins to write it out. */
    public Writer writer(Sink sink) {
        return new Writer(sink);
    }

    /** Writes it all out. */
    public void writeTo(Sink sink) {
        Writer writer = writer(sink);
        while (!writer.step(Integer.MAX_VALUE)) {
            // Once more for the last block.
        }
    }

    /** An image on its way out, in steps. */
    public final class Writer {
        private final Sink sink;
        private final KeyWriter keys;
        private @Nullable Bytes next = Bytes.EMPTY;
        private long entries = -1;

        private Writer(Sink sink) {
            this.sink = sink;
            keys = new KeyWriter(sink);
        }

        /** Goes on for {@code keysMax} keys; true when that was all. What is in buckets is one step. */
        public boolean step(int keysMax) {
            Invariant.check(keysMax > 0, "a step of %d keys", keysMax);
            Bytes from = next;
            if (entries < 0) {
                begin();
            } else if (from != null) {
                next = keys.goOn(index, from, keysMax);
            } else {
                end();
                return true;
            }
            return false;
        }

        private void begin() {
            ProtoWriter state = new ProtoWriter(16);
            state.varint(revision);
            sink.block(Kind.STATE.number(), Bytes.of(state.toByteArray()));
            entries = writeBuckets(sink);
        }

        private void end() {
            keys.flush();
            ProtoWriter end = new ProtoWriter(32);
            end.varint(entries);
            end.varint(keys.count);
            sink.block(Kind.END.number(), Bytes.of(end.toByteArray()));
        }
    }

    /** For each entry bucket, length and bytes of the key, length and bytes of the value. */
    private long writeBuckets(Sink sink) {
        ProtoWriter writer = new ProtoWriter(BLOCK_BYTES);
        long entries = 0;
        for (int number = 1; number <= buckets.size(); number++) {
            for (Map.Entry<Bytes, Bytes> entry : buckets.get(number - 1).entrySet()) {
                writer.varint(number);
                write(writer, entry.getKey());
                write(writer, entry.getValue());
                entries++;
                if (writer.size() >= FULL_BYTES) {
                    flush(sink, Kind.BUCKETS, writer);
                }
            }
        }
        flush(sink, Kind.BUCKETS, writer);
        return entries;
    }

    private static void write(ProtoWriter writer, Bytes bytes) {
        writer.varint(bytes.length());
        writer.raw(bytes.array(), bytes.offset(), bytes.length());
    }

    private static void flush(Sink sink, Kind kind, ProtoWriter writer) {
        if (writer.size() > 0) {
            sink.block(kind.number(), Bytes.of(writer.toByteArray()));
            writer.reset();
        }
    }

    /**
     * Writes keys with their histories. An entry is: how many bytes the key shares with the one before it in the block,
     * how many follow, and those; its shape, in which are the number of revisions, whether the key is attached to a lease,
     * and whether the entry goes on with the history before it; the lease; and for each revision its main (as a difference),
     * its sub with a bit for a deletion, and its position (as a difference). The first revision of a history, if a put, is
     * followed by what it says of the time before: create revision (as a difference) and version. Where generations start
     * follows from the deletions.
     */
    private static final class KeyWriter implements KeyIndex.Visitor {
        private final Sink sink;
        private final ProtoWriter writer = new ProtoWriter(BLOCK_BYTES);
        /** Of the block that is being written: null at its start. */
        private byte @Nullable [] lastKey;
        private long lastMain;
        private long lastPosition;
        private long count;
        private long stopsAtCount;
        private @Nullable Bytes stoppedAt;

        private KeyWriter(Sink sink) {
            this.sink = sink;
        }

        /** Writes some keys; where to go on, or null if there are no more. */
        private @Nullable Bytes goOn(KeyIndex index, Bytes from, int keysMax) {
            stopsAtCount = count + keysMax;
            stoppedAt = null;
            index.scan(KeyRange.from(from), this);
            return stoppedAt;
        }

        @Override
        public boolean visit(byte[] key, History history) {
            if (count == stopsAtCount) {
                stoppedAt = Bytes.of(key);
                return false;
            }
            count++;
            for (int from = 0; from < history.count(); from += REVISIONS_PER_PART) {
                part(key, history, from, Math.min(history.count(), from + REVISIONS_PER_PART));
                if (writer.size() >= FULL_BYTES) {
                    flush();
                }
            }
            return true;
        }

        private void part(byte[] key, History history, int from, int to) {
            int shared = lastKey == null ? 0 : sharedLength(lastKey, key);
            writer.varint(shared);
            writer.varint(key.length - shared);
            writer.raw(key, shared, key.length - shared);
            lastKey = key;
            long lease = to == history.count() ? history.lease() : 0;
            writer.varint((long) (to - from) << 2 | (lease == 0 ? 0 : ImageReader.LEASED)
                    | (from == 0 ? 0 : ImageReader.CONTINUED));
            if (lease != 0) {
                writer.varint(lease);
            }
            for (int at = from; at < to; at++) {
                revision(history, at);
            }
        }

        private void revision(History history, int at) {
            long main = history.main(at);
            boolean tombstone = history.isTombstone(at);
            signed(main - lastMain);
            writer.varint((long) history.sub(at) << 1 | (tombstone ? 1 : 0));
            signed(history.position(at) - lastPosition);
            lastMain = main;
            lastPosition = history.position(at);
            if (at == 0 && !tombstone) {
                writer.varint(main - history.create(at));
                writer.varint(history.version(at));
            }
        }

        private void signed(long value) {
            writer.varint(value << 1 ^ value >> 63);
        }

        private static int sharedLength(byte[] a, byte[] b) {
            int length = Arrays.mismatch(a, b);
            return length < 0 ? a.length : length;
        }

        private void flush() {
            Image.flush(sink, Kind.KEYS, writer);
            lastKey = null;
            lastMain = 0;
            lastPosition = 0;
        }
    }
}
