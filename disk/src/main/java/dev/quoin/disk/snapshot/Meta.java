package dev.quoin.disk.snapshot;

import org.jspecify.annotations.Nullable;

/**
 * What one of the first two pages says of the file; the one with the higher transaction counts.
 *
 * <pre>
 * behind the page's head    4 magic | 4 version | 4 page size | 4 zero | 8 root page | 8 zero | 8 page of the list of free pages
 *                           8 page count | 8 transaction | 8 FNV-1a of the 56 bytes before
 * </pre>
 *
 * @param pageSize in bytes, a power of two
 * @param root the page where the tree of buckets begins
 * @param freelist the page with the free pages, or {@link #NO_FREELIST}
 * @param pageCount pages in use or free; what lies behind them is not part of the database
 */
record Meta(int pageSize, long root, long freelist, long pageCount, long transaction) {
    /** Whoever opens the file finds out himself what is free, as etcd's members do. */
    static final long NO_FREELIST = -1;
    static final int PAGE_SIZE_MIN = 1024;
    static final int PAGE_SIZE_MAX = 1024 << 14;
    static final int BYTES = 64;

    private static final long MAGIC = 0xED0CDAEDL;
    private static final long VERSION = 2;
    private static final int CHECKED = 56;

    /** The page with head, as long as it is. */
    byte[] encode(long id) {
        byte[] page = new byte[pageSize];
        Format.putPageHead(page, id, Format.META, 0, 0);
        int at = Format.PAGE_HEAD;
        Format.putInt(page, at, (int) MAGIC);
        Format.putInt(page, at + 4, (int) VERSION);
        Format.putInt(page, at + 8, pageSize);
        Format.putLong(page, at + 16, root);
        Format.putLong(page, at + 32, freelist);
        Format.putLong(page, at + 40, pageCount);
        Format.putLong(page, at + 48, transaction);
        Format.putLong(page, at + CHECKED, checksum(page, at));
        return page;
    }

    /** Null if it is no meta, or not as it was written. Neither is believed more than that: the numbers may be lies. */
    static @Nullable Meta decode(byte[] bytes, int at) {
        boolean isWhole = Format.uintAt(bytes, at) == MAGIC && Format.uintAt(bytes, at + 4) == VERSION
                && Format.longAt(bytes, at + CHECKED) == checksum(bytes, at);
        long pageSize = Format.uintAt(bytes, at + 8);
        if (!isWhole || pageSize < PAGE_SIZE_MIN || pageSize > PAGE_SIZE_MAX || Long.bitCount(pageSize) != 1) {
            return null;
        }
        return new Meta((int) pageSize, Format.longAt(bytes, at + 16), Format.longAt(bytes, at + 32),
                Format.longAt(bytes, at + 40), Format.longAt(bytes, at + 48));
    }

    private static long checksum(byte[] bytes, int at) {
        long hash = 0xcbf29ce484222325L;
        for (int i = at; i < at + CHECKED; i++) {
            hash = (hash ^ (bytes[i] & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }
}
