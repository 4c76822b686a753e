package dev.quoin.base;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC-32C (Castagnoli; RFC 3720 §12.1) that can be continued: {@code update(crc(a), b) == crc(ab)}.
 *
 * <p>The problem: etcd's log chains its checksums over records and files, but the JDK's {@link CRC32C}, the one the
 * processor computes, always starts from nothing. The idea: the register after four bytes depends on those bytes one to
 * one, so for any register value there are four bytes that lead to it. Feeding them first is a seed. They are found by
 * running the table backwards.
 */
public final class Crc32c {
    private static final int POLYNOMIAL = 0x82F63B78;
    /** Forward table: what one byte does to the register. */
    private static final int[] TABLE = new int[256];
    /** For each top byte of an entry of {@link #TABLE}, the index of that entry; the top bytes are all different. */
    private static final int[] INDEX_BY_TOP_BYTE = new int[256];

    static {
        for (int i = 0; i < 256; i++) {
            int register = i;
            for (int bit = 0; bit < 8; bit++) {
                register = (register & 1) != 0 ? (register >>> 1) ^ POLYNOMIAL : register >>> 1;
            }
            TABLE[i] = register;
            INDEX_BY_TOP_BYTE[register >>> 24] = i;
        }
    }

    private Crc32c() {}

    public static int of(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /**
     * The checksum of what {@code previous} is the checksum of, followed by these bytes. {@code previous} is 0 at the
     * start of a chain.
     */
    public static int update(int previous, byte[] bytes, int offset, int length) {
        if (previous == 0) {
            return of(bytes, offset, length);
        }
        CRC32C crc = new CRC32C();
        seed(crc, previous);
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /** As {@link #update(int, byte[], int, int)}, over what remains in {@code bytes}, which is consumed. */
    public static int update(int previous, ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        seed(crc, previous);
        crc.update(bytes);
        return (int) crc.getValue();
    }

    /** Brings a fresh {@code crc} to the value {@code previous} by four bytes made for it. */
    private static void seed(CRC32C crc, int previous) {
        int seed = seedBytes(previous);
        crc.update(seed & 0xff);
        crc.update(seed >>> 8 & 0xff);
        crc.update(seed >>> 16 & 0xff);
        crc.update(seed >>> 24);
    }

    /** The four bytes (little-endian) after which the checksum is {@code value}. */
    static int seedBytes(int value) {
        int register = ~value;
        for (int i = 0; i < 4; i++) {
            int index = INDEX_BY_TOP_BYTE[register >>> 24];
            register = (register ^ TABLE[index]) << 8 | index;
        }
        // The register started with all ones, which the four bytes were mixed with.
        return ~register;
    }
}
