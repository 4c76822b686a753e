package dev.quoin.disk.ledger;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;

/**
 * The bytes of a segment, numbers little-endian, everything aligned to 8.
 *
 * <pre>
 * head      8 "QUOINLDG" | 4 format version | 4 segment number | 12 zero | 4 CRC-32C of the 28 bytes before
 * record    4 checksum | 4 size | 8 main | 4 sub | 4 kind | payload | zeros up to a multiple of 8
 * commit    a record of kind 0: main is the applied index, the payload 8 term | 8 synced bound | configuration
 * seal      a record of kind -1 without payload, behind the last batch of a segment that has a successor
 * </pre>
 *
 * <p>{@code size} counts head and payload of the record, so it is never 0, and a 0 there ends the segment. The checksum is
 * the CRC-32C of all that follows it, padding included, mixed with the position: a record that the disk put in the
 * wrong place, or that an earlier life of the file left behind, does not verify.
 */
final class Format {
    static final int VERSION = 1;
    static final int HEAD = 32;
    static final int RECORD_HEAD = 24;
    static final int COMMIT = 0;
    static final int SEAL = -1;
    /** Term and bound before the configuration. */
    static final int COMMIT_HEAD = 16;
    static final int CONFIGURATION_MAX = 1 << 20;
    /** A large file that nobody waits for is synced this often, so that those who wait for the log's syncs never meet more. */
    static final long UNSYNCED_BYTES_MAX = 2L << 20;

    private static final long MAGIC = 0x47444c4e494f5551L; // "QUOINLDG"
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class,
            ByteOrder.LITTLE_ENDIAN);

    private Format() {}

    static long position(int segment, long offset) {
        return (long) segment << 32 | offset;
    }

    static int segment(long position) {
        return (int) (position >>> 32);
    }

    static long offset(long position) {
        return position & 0xffff_ffffL;
    }

    /** What a record of {@code size} takes in the file. */
    static long padded(long size) {
        return (size + 7) & -8;
    }

    static int intAt(byte[] bytes, int at) {
        return (int) INT.get(bytes, at);
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

    static void writeHead(byte[] bytes, int at, int segment) {
        Arrays.fill(bytes, at, at + HEAD, (byte) 0);
        LONG.set(bytes, at, MAGIC);
        INT.set(bytes, at + 8, VERSION);
        INT.set(bytes, at + 12, segment);
        INT.set(bytes, at + HEAD - 4, Crc32c.of(bytes, at, HEAD - 4));
    }

    /** The version in a head, or 0 if it is not the head of this segment. */
    static int versionOf(byte[] bytes, int at, int segment) {
        boolean whole = longAt(bytes, at) == MAGIC && intAt(bytes, at + 12) == segment
                && intAt(bytes, at + HEAD - 4) == Crc32c.of(bytes, at, HEAD - 4);
        return whole ? intAt(bytes, at + 8) : 0;
    }

    /** Writes everything but the payload, which is there already, {@code length} bytes of it. */
    static void finishRecord(byte[] bytes, int at, long position, long main, int sub, int kind, int length) {
        int size = RECORD_HEAD + length;
        int padded = (int) padded(size);
        INT.set(bytes, at + 4, size);
        LONG.set(bytes, at + 8, main);
        INT.set(bytes, at + 16, sub);
        INT.set(bytes, at + 20, kind);
        Arrays.fill(bytes, at + size, at + padded, (byte) 0);
        INT.set(bytes, at, checksum(bytes, at, padded, position));
    }

    static int sizeAt(byte[] bytes, int at) {
        return intAt(bytes, at + 4);
    }

    static long mainAt(byte[] bytes, int at) {
        return longAt(bytes, at + 8);
    }

    static int subAt(byte[] bytes, int at) {
        return intAt(bytes, at + 16);
    }

    static int kindAt(byte[] bytes, int at) {
        return intAt(bytes, at + 20);
    }

    static Bytes payloadAt(byte[] bytes, int at) {
        return Bytes.of(bytes, at + RECORD_HEAD, sizeAt(bytes, at) - RECORD_HEAD);
    }

    /** Whether {@code size} can be the size of a record of which {@code available} bytes are there. */
    static boolean fits(int size, long available) {
        return size >= RECORD_HEAD && padded(size) <= available;
    }

    /** Whether the record that is there as a whole is the one written at {@code position}. */
    static boolean verifies(byte[] bytes, int at, long position) {
        return intAt(bytes, at) == checksum(bytes, at, (int) padded(sizeAt(bytes, at)), position);
    }

    private static int checksum(byte[] bytes, int at, int padded, long position) {
        return checksum(Crc32c.of(bytes, at + 4, padded - 4), position);
    }

    /**
     * What stands at the beginning of a record.
     *
     * @param crc of everything behind it, padding and all
     */
    static int checksum(int crc, long position) {
        // Any mixture will do in which neighbouring positions differ in many bits; this one is SplitMix64's.
        long mixed = position * 0x9e3779b97f4a7c15L;
        mixed = (mixed ^ mixed >>> 32) * 0xbf58476d1ce4e5b9L;
        return crc ^ (int) (mixed >>> 32);
    }
}
