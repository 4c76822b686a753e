package dev.quoin.disk.snapshot;

import java.nio.ByteBuffer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * A key of etcd's bucket {@code key}: main revision, an underscore, sub revision, and for a deletion a {@code t}. Numbers
 * are big-endian, so that the order of the bytes is that of the revisions.
 */
public record RevisionKey(long main, long sub, boolean isTombstone) {
    private static final int LENGTH = 17;

    public Bytes encode() {
        ByteBuffer buffer = ByteBuffer.allocate(isTombstone ? LENGTH + 1 : LENGTH);
        buffer.putLong(main).put((byte) '_').putLong(sub);
        if (isTombstone) {
            buffer.put((byte) 't');
        }
        return Bytes.of(buffer.array());
    }

    /** Null if it is not a revision. */
    public static @Nullable RevisionKey decode(Bytes key) {
        boolean isTombstone = key.length() == LENGTH + 1 && key.at(LENGTH) == 't';
        if ((key.length() != LENGTH && !isTombstone) || key.at(8) != '_') {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(key.array(), key.offset(), key.length());
        long main = buffer.getLong();
        long sub = buffer.getLong(buffer.position() + 1);
        return main < 0 || sub < 0 ? null : new RevisionKey(main, sub, isTombstone);
    }
}
