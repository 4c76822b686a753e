package dev.quoin.store;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/** Reads numbers and ranges of bytes off one range, front to back, in the forms that the store itself wrote. */
final class ByteCursor {
    private static final int VARINT_BITS_MAX = 63;

    private final byte[] array;
    private final int end;
    private int at;

    ByteCursor(Bytes bytes) {
        array = bytes.array();
        at = bytes.offset();
        end = at + bytes.length();
    }

    boolean atEnd() {
        return at == end;
    }

    long varint() {
        long value = 0;
        for (int shift = 0; shift <= VARINT_BITS_MAX; shift += 7) {
            Invariant.check(at < end, "a stored number ends too early");
            byte next = array[at++];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw Invariant.violation("a stored number does not end");
    }

    /** A number of either sign whose small values take few bytes. */
    long signed() {
        long folded = varint();
        return folded >>> 1 ^ -(folded & 1);
    }

    /** The next {@code length} bytes, sharing the array. */
    Bytes bytes(long length) {
        Invariant.check(length >= 0 && length <= end - at, "%d stored bytes are missing", length);
        Bytes bytes = Bytes.of(array, at, (int) length);
        at += (int) length;
        return bytes;
    }

    void copyTo(byte[] target, int from, int length) {
        Invariant.check(length >= 0 && length <= end - at, "%d stored bytes are missing", length);
        System.arraycopy(array, at, target, from, length);
        at += length;
    }

    Bytes rest() {
        return bytes(end - at);
    }
}
