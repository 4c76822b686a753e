package dev.quoin.member.watch;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;

/**
 * A change of one key, as somebody learns of it who watches.
 *
 * @param revision that made it
 * @param keyValue the encoded KeyValue of a put; of a deletion it has key and mod_revision only
 * @param previous the KeyValue that the key had before this revision; empty if there was none, if it is compacted, or if
 *        nobody asked for it
 */
public record KeyChange(long revision, boolean isDeletion, Bytes key, Bytes keyValue, Bytes previous) {
    static KeyChange of(boolean isDeletion, Bytes keyValue, Bytes previous) {
        ProtoReader reader = new ProtoReader(keyValue);
        Bytes key = Bytes.EMPTY;
        long revision = 0;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> key = reader.bytes(tag);
                case 3 -> revision = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        return new KeyChange(revision, isDeletion, key, keyValue, previous);
    }
}
