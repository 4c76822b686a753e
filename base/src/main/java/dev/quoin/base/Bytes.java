package dev.quoin.base;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

import org.jspecify.annotations.Nullable;

/**
 * A range of a byte array that nobody changes any more: a value, ordered byte by byte as unsigned numbers, as etcd orders
 * keys. It does not copy: whoever makes one promises to leave the array alone. A small range of a large array keeps the
 * whole array alive, so what lives long is copied first ({@link #compact}).
 */
public final class Bytes implements Comparable<Bytes> {
    public static final Bytes EMPTY = new Bytes(new byte[0], 0, 0);

    private final byte[] array;
    private final int offset;
    private final int length;

    private Bytes(byte[] array, int offset, int length) {
        this.array = array;
        this.offset = offset;
        this.length = length;
    }

    /** The whole of {@code array}, which must not change afterwards. */
    public static Bytes of(byte[] array) {
        return array.length == 0 ? EMPTY : new Bytes(array, 0, array.length);
    }

    /** {@code length} bytes of {@code array} from {@code offset}; they must not change afterwards. */
    public static Bytes of(byte[] array, int offset, int length) {
        Invariant.check(offset >= 0 && length >= 0 && offset <= array.length - length,
                "range %d + %d outside its array", offset, length);
        return length == 0 ? EMPTY : new Bytes(array, offset, length);
    }

    public static Bytes utf8(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    public int length() {
        return length;
    }

    public boolean isEmpty() {
        return length == 0;
    }

    public byte at(int index) {
        Invariant.check(index >= 0 && index < length, "index %d outside %d bytes", index, length);
        return array[offset + index];
    }

    /** The array behind this range, for reading only; the range starts at {@link #offset}. */
    public byte[] array() {
        return array;
    }

    public int offset() {
        return offset;
    }

    /** A part of this range, sharing its array; beyond the range is a broken invariant. */
    public Bytes slice(int from, int sliceLength) {
        Invariant.check(from >= 0 && sliceLength >= 0 && from <= length - sliceLength,
                "slice %d + %d outside its range", from, sliceLength);
        return of(array, offset + from, sliceLength);
    }

    public byte[] toByteArray() {
        return Arrays.copyOfRange(array, offset, offset + length);
    }

    /** This range if it is all of its array, else a copy that is. */
    public Bytes compact() {
        return length == array.length ? this : of(toByteArray());
    }

    /** Copies all of it into {@code target} from {@code at} on, where there must be room. */
    public void copyTo(byte[] target, int at) {
        System.arraycopy(array, offset, target, at, length);
    }

    @Override
    public int compareTo(Bytes other) {
        return Arrays.compareUnsigned(array, offset, offset + length, other.array, other.offset,
                other.offset + other.length);
    }

    @Override
    public boolean equals(@Nullable Object object) {
        return object instanceof Bytes other && Arrays.equals(array, offset, offset + length, other.array,
                other.offset, other.offset + other.length);
    }

    @Override
    public int hashCode() {
        int hash = 1;
        for (int i = offset; i < offset + length; i++) {
            hash = 31 * hash + array[i];
        }
        return hash;
    }

    /** As text; what is not UTF-8 becomes U+FFFD. */
    public String toUtf8() {
        return new String(array, offset, length, StandardCharsets.UTF_8);
    }

    /** For people: printable ASCII as it is, anything else as hex. */
    @Override
    public String toString() {
        for (int i = offset; i < offset + length; i++) {
            if (array[i] < 0x20 || array[i] > 0x7e) {
                return "0x" + HexFormat.of().formatHex(array, offset, offset + length);
            }
        }
        return '"' + toUtf8() + '"';
    }
}
