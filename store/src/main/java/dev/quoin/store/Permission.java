package dev.quoin.store;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * What a role allows on a range of keys, as {@code authpb.Permission}.
 *
 * @param type the number of {@code Permission.Type}; one that is not among them allows nothing, and is kept as it is
 * @param range the keys; its end is read as a request's is, so a single byte 0 means without end
 */
public record Permission(int type, KeyRange range) {
    public static final int READ = 0;
    public static final int WRITE = 1;
    public static final int READWRITE = 2;

    /** What {@code root} is said to hold, whatever its role has stored. */
    static final Permission EVERYTHING = new Permission(READWRITE, KeyRange.from(Bytes.EMPTY));

    private static final int TYPE = 1;
    private static final int KEY = 2;
    private static final int RANGE_END = 3;

    boolean reads() {
        return type == READ || type == READWRITE;
    }

    boolean writes() {
        return type == WRITE || type == READWRITE;
    }

    /** Whether a role may hold it: it begins at a key, and ends behind it or never. */
    boolean isValid() {
        return !range.key().isEmpty()
                && (range.isSingle() || range.isUnbounded() || range.key().compareTo(range.rangeEnd()) < 0);
    }

    /** The same, which keeps nothing else alive. */
    Permission compact() {
        return new Permission(type, new KeyRange(range.key().compact(), range.rangeEnd().compact()));
    }

    Bytes encode() {
        ProtoWriter writer = new ProtoWriter(range.key().length() + range.rangeEnd().length() + 32);
        writer.varintFieldIfSet(TYPE, type);
        writer.bytesFieldIfSet(KEY, range.key());
        writer.bytesFieldIfSet(RANGE_END, range.rangeEnd());
        return Bytes.of(writer.toByteArray());
    }

    static Permission decode(Bytes encoded) {
        int type = READ;
        Bytes key = Bytes.EMPTY;
        Bytes rangeEnd = Bytes.EMPTY;
        ProtoReader reader = new ProtoReader(encoded);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case TYPE -> type = (int) reader.varint(tag);
                case KEY -> key = reader.bytes(tag);
                case RANGE_END -> rangeEnd = reader.bytes(tag);
                default -> reader.skip(tag);
            }
        }
        return new Permission(type, new KeyRange(key, rangeEnd)).compact();
    }
}
