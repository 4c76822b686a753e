package dev.quoin.base;

import java.util.Arrays;

/**
 * Writes the protobuf wire format into a growing array. For the few messages on hot paths that are written by hand; all
 * others use generated classes. Not safe for several threads; reusable after {@link #reset}. Grows to what an array can
 * hold: what is written is bounded by whoever writes.
 *
 * <p>The methods write what they are told: whether a zero is left out is the caller's decision, since proto2 and proto3
 * differ in it.
 */
public final class ProtoWriter {
    public static final int VARINT = 0;
    public static final int LENGTH_DELIMITED = 2;

    private byte[] buffer;
    private int size;

    public ProtoWriter(int capacity) {
        buffer = new byte[Math.max(16, capacity)];
    }

    public int size() {
        return size;
    }

    /** The bytes so far start at 0 of this array, which stays this writer's: copy or use before writing on. */
    public byte[] buffer() {
        return buffer;
    }

    public byte[] toByteArray() {
        return Arrays.copyOf(buffer, size);
    }

    public void reset() {
        size = 0;
    }

    public void tag(int field, int wireType) {
        varint((long) field << 3 | wireType);
    }

    public void varint(long value) {
        reserve(10);
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            buffer[size++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        buffer[size++] = (byte) rest;
    }

    /** Field and value, zero included. */
    public void varintField(int field, long value) {
        tag(field, VARINT);
        varint(value);
    }

    /** Field and value unless it is zero: proto3's rule for scalars. */
    public void varintFieldIfSet(int field, long value) {
        if (value != 0) {
            varintField(field, value);
        }
    }

    /** Field, length and bytes, empty included. */
    public void bytesField(int field, byte[] bytes, int offset, int length) {
        tag(field, LENGTH_DELIMITED);
        varint(length);
        raw(bytes, offset, length);
    }

    public void bytesField(int field, Bytes bytes) {
        bytesField(field, bytes.array(), bytes.offset(), bytes.length());
    }

    /** Field, length and bytes unless there are none: proto3's rule. */
    public void bytesFieldIfSet(int field, Bytes bytes) {
        if (!bytes.isEmpty()) {
            bytesField(field, bytes);
        }
    }

    public void raw(byte[] bytes, int offset, int length) {
        reserve(length);
        System.arraycopy(bytes, offset, buffer, size, length);
        size += length;
    }

    /** How many bytes {@link #varint} writes for {@code value}. */
    public static int varintSize(long value) {
        return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
    }

    private void reserve(int more) {
        if (buffer.length - size < more) {
            int wanted = Math.addExact(size, more);
            buffer = Arrays.copyOf(buffer, Math.max(wanted, (int) Math.min(2L * buffer.length, Integer.MAX_VALUE - 8)));
        }
    }
}
