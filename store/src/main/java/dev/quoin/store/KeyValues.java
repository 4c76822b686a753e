package dev.quoin.store;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * The wire form of {@code mvccpb.KeyValue}, byte for byte as Go writes it: fields in ascending order, zeros left out.
 * Records are kept and answered in this form, so it is encoded once, when the put is applied, and hardly ever decoded.
 */
public final class KeyValues {
    private static final int KEY = 1;
    private static final int CREATE_REVISION = 2;
    private static final int MOD_REVISION = 3;
    private static final int VERSION = 4;
    private static final int VALUE = 5;
    private static final int LEASE = 6;

    /** What {@link ProtoWriter} wants free before it writes a number without growing. */
    private static final int LONGEST_VARINT = 10;

    private KeyValues() {}

    /** A decoded KeyValue; key and value are slices of the encoded form. */
    public record KeyValue(Bytes key, long createRevision, long modRevision, long version, Bytes value, long lease) {}

    public static Bytes encode(Bytes key, long createRevision, long modRevision, long version, Bytes value,
            long lease) {
        int size = encodedLength(key.length(), createRevision, modRevision, version, value.length(), lease);
        ProtoWriter writer = new ProtoWriter(size + LONGEST_VARINT);
        writer.bytesFieldIfSet(KEY, key);
        writer.varintFieldIfSet(CREATE_REVISION, createRevision);
        writer.varintFieldIfSet(MOD_REVISION, modRevision);
        writer.varintFieldIfSet(VERSION, version);
        writer.bytesFieldIfSet(VALUE, value);
        writer.varintFieldIfSet(LEASE, lease);
        return Bytes.of(writer.buffer(), 0, writer.size());
    }

    /** What etcd stores for a deletion: the key, and nothing else. */
    static Bytes ofTombstone(Bytes key) {
        return encode(key, 0, 0, 0, Bytes.EMPTY, 0);
    }

    /** How long {@link #ofTombstone} is. */
    static int tombstoneLength(int keyLength) {
        return sizeOfBytes(keyLength);
    }

    public static KeyValue decode(Bytes encoded) {
        Bytes key = Bytes.EMPTY;
        long createRevision = 0;
        long modRevision = 0;
        long version = 0;
        Bytes value = Bytes.EMPTY;
        long lease = 0;
        ProtoReader reader = new ProtoReader(encoded);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case KEY -> key = reader.bytes(tag);
                case CREATE_REVISION -> createRevision = reader.varint(tag);
                case MOD_REVISION -> modRevision = reader.varint(tag);
                case VERSION -> version = reader.varint(tag);
                case VALUE -> value = reader.bytes(tag);
                case LEASE -> lease = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        return new KeyValue(key, createRevision, modRevision, version, value, lease);
    }

    /** The same KeyValue without its value. */
    static Bytes withoutValue(Bytes encoded) {
        KeyValue kv = decode(encoded);
        return encode(kv.key(), kv.createRevision(), kv.modRevision(), kv.version(), Bytes.EMPTY, kv.lease());
    }

    /** How many bytes {@link #encode} makes. */
    static int encodedLength(int keyLength, long createRevision, long modRevision, long version, int valueLength,
            long lease) {
        return sizeOfBytes(keyLength) + size(createRevision) + size(modRevision) + size(version)
                + sizeOfBytes(valueLength) + size(lease);
    }

    private static int sizeOfBytes(int length) {
        return length == 0 ? 0 : 1 + ProtoWriter.varintSize(length) + length;
    }

    private static int size(long number) {
        return number == 0 ? 0 : 1 + ProtoWriter.varintSize(number);
    }
}
