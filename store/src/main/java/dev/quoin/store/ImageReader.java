package dev.quoin.store;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/** Takes up the blocks of an {@link Image}, in their order, and makes of them what it was made of. */
final class ImageReader {
    static final int CONTINUED = 1;
    static final int LEASED = 2;

    private final Buckets buckets;
    private final KeyIndex.Builder keys = new KeyIndex.Builder();
    private long revision = Revisions.NONE;
    private long entryCount;
    private long keyCount;
    private boolean ended;
    private @Nullable History last;

    ImageReader(Buckets buckets) {
        this.buckets = buckets;
    }

    long revision() {
        return revision;
    }

    /** The image must have come to its end. */
    KeyIndex index() {
        Invariant.check(ended, "the image of revision %d has no end", revision);
        return keys.build();
    }

    void block(int kind, Bytes payload) {
        Invariant.check(!ended, "a block of kind %d behind the end of an image", kind);
        ByteCursor cursor = new ByteCursor(payload);
        if (kind == Image.Kind.STATE.number()) {
            revision = cursor.varint();
        } else if (kind == Image.Kind.BUCKETS.number()) {
            buckets(cursor);
        } else if (kind == Image.Kind.KEYS.number()) {
            keys(cursor);
        } else if (kind == Image.Kind.END.number()) {
            long entries = cursor.varint();
            Invariant.check(entries == entryCount, "an image of %d entries has %d", entries, entryCount);
            long count = cursor.varint();
            Invariant.check(count == keyCount, "an image of %d keys has %d", count, keyCount);
            ended = true;
        } else {
            throw Invariant.violation("a block of an image has the unknown kind %d", kind);
        }
    }

    private void buckets(ByteCursor cursor) {
        while (!cursor.atEnd()) {
            Bucket bucket = Buckets.bucket(cursor.varint());
            Bytes key = cursor.bytes(cursor.varint());
            buckets.set(bucket, key, cursor.bytes(cursor.varint()));
            entryCount++;
        }
    }

    private void keys(ByteCursor cursor) {
        byte[] key = {};
        long main = 0;
        long position = 0;
        while (!cursor.atEnd()) {
            key = key(cursor, key);
            long shape = cursor.varint();
            long lease = (shape & LEASED) == 0 ? 0 : cursor.varint();
            boolean continued = (shape & CONTINUED) != 0;
            History history = continued ? last : null;
            Invariant.check(!continued || history != null, "an image goes on with a history that it has not begun");
            for (long left = shape >>> 2; left > 0; left--) {
                main += cursor.signed();
                long packed = cursor.varint();
                position += cursor.signed();
                history = add(cursor, history, main, packed, position, left == 1 ? lease : 0);
            }
            keep(key, history, continued);
        }
    }

    private static byte[] key(ByteCursor cursor, byte[] before) {
        long shared = cursor.varint();
        long more = cursor.varint();
        Invariant.check(shared >= 0 && shared <= before.length && more >= 0, "a key shares %d bytes with one of %d",
                shared, before.length);
        byte[] key = new byte[Math.toIntExact(shared + more)];
        System.arraycopy(before, 0, key, 0, (int) shared);
        cursor.copyTo(key, (int) shared, (int) more);
        return key;
    }

    private static History add(ByteCursor cursor, @Nullable History history, long main, long packed, long position,
            long lease) {
        int sub = (int) (packed >>> 1);
        boolean tombstone = (packed & 1) != 0;
        if (history != null) {
            return tombstone ? history.delete(main, sub, position) : history.put(main, sub, position, lease);
        }
        if (tombstone) {
            return History.restoredTombstone(main, sub, position);
        }
        long create = main - cursor.varint();
        return History.restored(create, cursor.varint(), main, sub, position, lease);
    }

    private void keep(byte[] key, @Nullable History history, boolean continued) {
        if (history == null) {
            throw Invariant.violation("a key of an image has no history");
        }
        last = history;
        if (continued) {
            keys.replaceLast(history);
        } else {
            keys.add(key, history);
            keyCount++;
        }
    }
}
