package dev.quoin.disk.snapshot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

import dev.quoin.base.Bytes;

/**
 * The bytes of bbolt's file (go.etcd.io/bbolt, internal/common), numbers little-endian.
 *
 * <pre>
 * page      8 id | 2 flags | 2 count of elements | 4 further pages that belong to it | elements | keys and values
 * branch    element: 4 place of key, from here | 4 length of key | 8 page of child
 * leaf      element: 4 flags, 1 for a bucket | 4 place of key, from here | 4 length of key | 4 length of value
 * bucket    the value of a leaf's element: 8 page of root | 8 sequence; if that page is 0, a leaf without padding follows
 * </pre>
 *
 * <p>Keys and values follow each other without gaps, in order, a value behind its key. A page whose elements do not fit
 * goes on in the pages behind it. The file's first two pages are a {@link Meta} each.
 */
final class Format {
    static final int PAGE_HEAD = 16;
    static final int ELEMENT = 16;
    static final int BUCKET_HEAD = 16;
    static final int BRANCH = 0x01;
    static final int LEAF = 0x02;
    static final int META = 0x04;
    static final int BUCKET_FLAG = 0x01;
    /** Behind the two metas. */
    static final long FIRST_PAGE = 2;
    static final int KEY_BYTES_MAX = 32768;
    static final int COUNT_MAX = 0xfffe;

    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class,
            ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class,
            ByteOrder.LITTLE_ENDIAN);

    private Format() {}

    static int shortAt(byte[] bytes, int at) {
        return (short) SHORT.get(bytes, at) & 0xffff;
    }

    /** As an unsigned number. */
    static long uintAt(byte[] bytes, int at) {
        return (int) INT.get(bytes, at) & 0xffff_ffffL;
    }

    static long longAt(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at);
    }

    static void putInt(byte[] bytes, int at, int value) {
        INT.set(bytes, at, value);
    }

    static void putLong(byte[] bytes, int at, long value) {
        LONG.set(bytes, at, value);
    }

    static void putPageHead(byte[] bytes, long id, int flags, int count, int overflow) {
        LONG.set(bytes, 0, id);
        SHORT.set(bytes, 8, (short) flags);
        SHORT.set(bytes, 10, (short) count);
        INT.set(bytes, 12, overflow);
    }

    /** The value of a bucket that has pages of its own. */
    static Bytes bucket(long root) {
        byte[] bytes = new byte[BUCKET_HEAD];
        putLong(bytes, 0, root);
        return Bytes.of(bytes);
    }
}
