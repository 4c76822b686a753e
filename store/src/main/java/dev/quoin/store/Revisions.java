package dev.quoin.store;

import java.nio.ByteBuffer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/** A revision as etcd's database writes it in {@link Bucket#META}: main, an underscore, sub, all big-endian. */
final class Revisions {
    static final long NONE = -1;

    private static final int LENGTH = 17;

    private Revisions() {}

    static Bytes encode(long main) {
        return Bytes.of(ByteBuffer.allocate(LENGTH).putLong(main).put((byte) '_').putLong(0).array());
    }

    /** {@link #NONE} if there is none. */
    static long main(@Nullable Bytes encoded) {
        if (encoded == null) {
            return NONE;
        }
        Invariant.check(encoded.length() == LENGTH, "a revision of %d bytes", encoded.length());
        return ByteBuffer.wrap(encoded.array(), encoded.offset(), encoded.length()).getLong();
    }
}
