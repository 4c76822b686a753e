package dev.quoin.disk.wal;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;

/**
 * Reads the data of records. etcd's checksums cover the data but not the type, so a flipped bit can offer an entry as a
 * state; what catches it is that the fields do not fit. That is why unknown and repeated fields are refused everywhere, and
 * why in records of our own making ({@code strict}) none may be missing: we write them all, even when they are zero.
 */
final class Records {
    private static final long ENTRY_TYPE_MAX = 2;

    private Records() {}

    static WalEntry entry(Bytes bytes, boolean strict) {
        long type = 0;
        long term = 0;
        long index = 0;
        Bytes data = Bytes.EMPTY;
        int seen = 0;
        ProtoReader reader = new ProtoReader(bytes);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            seen = mark(seen, tag, 4);
            switch (ProtoReader.field(tag)) {
                case 1 -> type = reader.varint(tag);
                case 2 -> term = reader.varint(tag);
                case 3 -> index = reader.varint(tag);
                default -> data = reader.bytes(tag);
            }
        }
        requireAll(seen, 4, strict);
        if (type < 0 || type > ENTRY_TYPE_MAX) {
            throw new Malformed("an entry of unknown type " + type);
        }
        if (index == 0) {
            throw new Malformed("an entry without an index");
        }
        requireReached(index);
        return new WalEntry((int) type, term, index, data);
    }

    static WalState state(Bytes bytes, boolean strict) {
        long term = 0;
        long vote = 0;
        long commit = 0;
        int seen = 0;
        ProtoReader reader = new ProtoReader(bytes);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            seen = mark(seen, tag, 3);
            switch (ProtoReader.field(tag)) {
                case 1 -> term = reader.varint(tag);
                case 2 -> vote = reader.varint(tag);
                default -> commit = reader.varint(tag);
            }
        }
        requireAll(seen, 3, strict);
        requireReached(commit);
        return new WalState(term, vote, commit);
    }

    static WalSnapshot snapshot(Bytes bytes, boolean strict) {
        long index = 0;
        long term = 0;
        Bytes confState = Bytes.EMPTY;
        int seen = 0;
        ProtoReader reader = new ProtoReader(bytes);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            seen = mark(seen, tag, 3);
            switch (ProtoReader.field(tag)) {
                case 1 -> index = reader.varint(tag);
                case 2 -> term = reader.varint(tag);
                default -> confState = reader.bytes(tag);
            }
        }
        // etcd 3.4 knows no configuration in a mark.
        requireAll(seen, index == 0 ? 2 : 3, strict);
        requireReached(index);
        return new WalSnapshot(index, term, confState.compact());
    }

    /** Half of all numbers: compared with others, one from the other half would lie before them. */
    private static void requireReached(long index) {
        if (index < 0) {
            throw new Malformed("index " + Long.toUnsignedString(index) + ", which no log reaches");
        }
    }

    /** Notes that a field was seen; it must be one of 1 to {@code fields}, and the first of its kind. */
    private static int mark(int seen, int tag, int fields) {
        int field = ProtoReader.field(tag);
        if (field > fields) {
            throw new Malformed("unknown field " + field);
        }
        if ((seen & (1 << field)) != 0) {
            throw new Malformed("field " + field + " twice");
        }
        return seen | (1 << field);
    }

    private static void requireAll(int seen, int fields, boolean strict) {
        if (strict && seen != (1 << (fields + 1)) - 2) {
            throw new Malformed("its fields are not those of its type");
        }
    }
}
