package dev.quoin.base;

import java.util.ArrayDeque;

/**
 * Reads the protobuf wire format from a range of bytes that is an enemy until it has been read: every length is checked
 * against what is there, nothing is allocated from a length, and whatever does not fit is a {@link Malformed}. Byte
 * fields are slices of the input. Not safe for several threads.
 *
 * <p>Usage: {@code for (int tag = reader.tag(); tag != 0; tag = reader.tag()) switch (ProtoReader.field(tag)) …}, with
 * {@link #skip} for what is not known.
 */
public final class ProtoReader {
    public static final int FIXED_64 = 1;
    public static final int FIXED_32 = 5;
    private static final int GROUP = 3;
    private static final int GROUP_END = 4;
    /** As deep as Go goes. */
    private static final int GROUPS_NESTED_MAX = 10_000;

    private final byte[] array;
    private int position;
    private final int end;

    /** The bytes are not the message they should be. The text says what and where, and is safe to show to a client. */
    public static final class Malformed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public Malformed(String message) {
            super(message);
        }
    }

    public ProtoReader(Bytes bytes) {
        array = bytes.array();
        position = bytes.offset();
        end = bytes.offset() + bytes.length();
    }

    public ProtoReader(byte[] array, int offset, int length) {
        this(Bytes.of(array, offset, length));
    }

    public boolean atEnd() {
        return position == end;
    }

    /** The next tag, or 0 at the end. */
    public int tag() {
        if (position == end) {
            return 0;
        }
        long tag = varint();
        if (tag >>> 32 != 0 || tag >>> 3 == 0) {
            throw new Malformed("illegal tag " + Long.toUnsignedString(tag));
        }
        return (int) tag;
    }

    public static int field(int tag) {
        return tag >>> 3;
    }

    public static int wireType(int tag) {
        return tag & 7;
    }

    public long varint() {
        if (position < end && array[position] >= 0) {
            return array[position++];
        }
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (position == end) {
                throw new Malformed("unexpected end inside a number");
            }
            byte b = array[position++];
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                // Of a tenth byte one bit is left. Go refuses more, and etcd dies of an entry that it cannot read.
                if (shift == 63 && b > 1) {
                    throw new Malformed("number longer than 64 bits");
                }
                return value;
            }
        }
        throw new Malformed("number longer than 10 bytes");
    }

    /** The value of a number field; the tag must say that it is one. */
    public long varint(int tag) {
        expect(tag, ProtoWriter.VARINT);
        return varint();
    }

    /** The value of a bytes, string or message field, as a slice of the input. */
    public Bytes bytes(int tag) {
        expect(tag, ProtoWriter.LENGTH_DELIMITED);
        long length = varint();
        if (length < 0 || length > end - position) {
            throw new Malformed("field " + field(tag) + " claims " + Long.toUnsignedString(length) + " bytes, "
                    + (end - position) + " are left");
        }
        Bytes bytes = Bytes.of(array, position, (int) length);
        position += (int) length;
        return bytes;
    }

    /** The value of a field of four or eight bytes, whatever they mean, as the lower bits of a number. */
    public long fixed(int tag) {
        int length = switch (wireType(tag)) {
            case FIXED_64 -> Long.BYTES;
            case FIXED_32 -> Integer.BYTES;
            default -> throw new Malformed("field " + field(tag) + " has wire type " + wireType(tag)
                    + ", not one of fixed length");
        };
        int start = position;
        advance(length);
        long value = 0;
        for (int at = position - 1; at >= start; at--) {
            value = value << 8 | (array[at] & 0xff);
        }
        return value;
    }

    /** Passes over a field that the reader does not know: a group, which none of our messages has, with all in it. */
    public void skip(int tag) {
        switch (wireType(tag)) {
            case 0 -> varint();
            case FIXED_64 -> advance(Long.BYTES);
            case 2 -> bytes(tag);
            case GROUP -> skipGroup(field(tag));
            case FIXED_32 -> advance(Integer.BYTES);
            default -> throw new Malformed("field " + field(tag) + " has wire type " + wireType(tag));
        }
    }

    private void skipGroup(int group) {
        ArrayDeque<Integer> open = new ArrayDeque<>();
        open.push(group);
        while (!open.isEmpty()) {
            int tag = tag();
            if (tag == 0) {
                throw new Malformed("unexpected end inside group " + open.peek());
            }
            switch (wireType(tag)) {
                case GROUP -> open.push(field(tag));
                case GROUP_END -> {
                    if (open.pop() != field(tag)) {
                        throw new Malformed("group " + field(tag) + " ends inside another");
                    }
                }
                default -> skip(tag);
            }
            if (open.size() > GROUPS_NESTED_MAX) {
                throw new Malformed("groups nested deeper than " + GROUPS_NESTED_MAX);
            }
        }
    }

    private void advance(int count) {
        if (count > end - position) {
            throw new Malformed("unexpected end inside a field");
        }
        position += count;
    }

    private static void expect(int tag, int wireType) {
        if (wireType(tag) != wireType) {
            throw new Malformed("field " + field(tag) + " has wire type " + wireType(tag) + ", not " + wireType);
        }
    }
}
