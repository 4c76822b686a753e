package dev.quoin.sim;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;

/** A key with its value, as clients see it. */
record Kv(String key, long created, long modified, long version, String value) {
    /** Reads an mvccpb.KeyValue. */
    static Kv read(Bytes encoded) {
        ProtoReader reader = new ProtoReader(encoded);
        String key = "";
        long created = 0;
        long modified = 0;
        long version = 0;
        String value = "";
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> key = reader.bytes(tag).toUtf8();
                case 2 -> created = reader.varint(tag);
                case 3 -> modified = reader.varint(tag);
                case 4 -> version = reader.varint(tag);
                case 5 -> value = reader.bytes(tag).toUtf8();
                default -> reader.skip(tag);
            }
        }
        return new Kv(key, created, modified, version, value);
    }
}
