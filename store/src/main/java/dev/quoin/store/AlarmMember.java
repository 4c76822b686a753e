package dev.quoin.store;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * An alarm that was raised for a member.
 *
 * @param type a number of {@code AlarmType}: any, since etcd keeps those it does not know as well
 */
public record AlarmMember(long memberId, int type) {
    /** No alarm; in a question: all of them. */
    public static final int NONE = 0;
    public static final int NO_SPACE = 1;
    public static final int CORRUPT = 2;

    private static final int MEMBER_ID = 1;
    private static final int ALARM = 2;

    /** The wire form of {@code etcdserverpb.AlarmMember}. */
    public Bytes encode() {
        ProtoWriter writer = new ProtoWriter(24);
        writer.varintFieldIfSet(MEMBER_ID, memberId);
        writer.varintFieldIfSet(ALARM, type);
        return Bytes.of(writer.toByteArray());
    }

    static AlarmMember decode(Bytes encoded) {
        long memberId = 0;
        long type = 0;
        ProtoReader reader = new ProtoReader(encoded);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case MEMBER_ID -> memberId = reader.varint(tag);
                case ALARM -> type = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        return new AlarmMember(memberId, (int) type);
    }
}
