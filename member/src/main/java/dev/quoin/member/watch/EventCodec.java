package dev.quoin.member.watch;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * The bytes of one event as they stand in a WatchResponse: field 11, an mvccpb.Event. That of a put has the KeyValue as it
 * is stored, that of a deletion a KeyValue with key and mod_revision only; either may have the KeyValue before it.
 */
final class EventCodec {
    private static final int EVENTS = 11;
    private static final int TYPE = 1;
    private static final int KV = 2;
    private static final int PREV_KV = 3;
    private static final int DELETE = 1;
    private static final int KEY = 1;
    private static final int MOD_REVISION = 3;
    /** Type DELETE, with its tag. */
    private static final int TYPE_BYTES = 2;
    /** Stands for an event that tells nothing of what was before. */
    static final int NO_PREVIOUS = -1;

    /** What {@link ProtoWriter} wants free before it writes a number without growing. */
    private static final int LONGEST_VARINT = 10;

    private EventCodec() {}

    private static int field(long length) {
        return Math.toIntExact(1 + ProtoWriter.varintSize(length) + length);
    }

    private static int deletedLength(int keyLength, long main) {
        return field(keyLength) + 1 + ProtoWriter.varintSize(main);
    }

    /**
     * How long the event itself is.
     *
     * @param payloadLength of the record
     * @param previousLength of the KeyValue before it, or {@link #NO_PREVIOUS}
     */
    private static int bodyLength(boolean isDeletion, long main, int payloadLength, int previousLength) {
        int kv = isDeletion ? TYPE_BYTES + field(deletedLength(payloadLength, main)) : field(payloadLength);
        return kv + (previousLength == NO_PREVIOUS ? 0 : field(previousLength));
    }

    /** How many bytes {@link #write} writes. */
    static int length(boolean isDeletion, long main, int payloadLength, int previousLength) {
        return field(bodyLength(isDeletion, main, payloadLength, previousLength));
    }

    /**
     * Appends the event, all but the KeyValue before it, which has to follow if there is one.
     *
     * @param payload of a put the KeyValue, of a deletion the key
     */
    static void write(ProtoWriter to, boolean isDeletion, long main, Bytes payload, int previousLength) {
        if (isDeletion) {
            to.tag(EVENTS, ProtoWriter.LENGTH_DELIMITED);
            to.varint(bodyLength(true, main, payload.length(), previousLength));
            to.varintField(TYPE, DELETE);
            to.tag(KV, ProtoWriter.LENGTH_DELIMITED);
            to.varint(deletedLength(payload.length(), main));
            to.bytesField(KEY, payload);
            to.varintField(MOD_REVISION, main);
        } else {
            writePutHead(to, payload.length(), previousLength);
            to.raw(payload.array(), payload.offset(), payload.length());
        }
        if (previousLength != NO_PREVIOUS) {
            writePreviousHead(to, previousLength);
        }
    }

    /** Appends what stands before the KeyValue in the event of a put. */
    static void writePutHead(ProtoWriter to, int payloadLength, int previousLength) {
        to.tag(EVENTS, ProtoWriter.LENGTH_DELIMITED);
        to.varint(bodyLength(false, 0, payloadLength, previousLength));
        to.tag(KV, ProtoWriter.LENGTH_DELIMITED);
        to.varint(payloadLength);
    }

    /** Appends what stands before the KeyValue that there was before. */
    static void writePreviousHead(ProtoWriter to, int previousLength) {
        to.tag(PREV_KV, ProtoWriter.LENGTH_DELIMITED);
        to.varint(previousLength);
    }

    /** How far before its end the key ends in the event of a deletion that tells nothing of what was before. */
    static int behindKey(long main) {
        return 1 + ProtoWriter.varintSize(main);
    }

    /** The event with the KeyValue before it. */
    static Bytes whole(boolean isDeletion, long main, Bytes payload, Bytes previous) {
        int length = length(isDeletion, main, payload.length(), previous.length());
        ProtoWriter to = new ProtoWriter(length + LONGEST_VARINT);
        write(to, isDeletion, main, payload, previous.length());
        to.raw(previous.array(), previous.offset(), previous.length());
        return Bytes.of(to.buffer(), 0, to.size());
    }

    /** What an mvccpb.Event tells, for those who do not pass it on as it is. */
    static KeyChange read(Bytes event) {
        ProtoReader body = new ProtoReader(event);
        boolean isDeletion = false;
        Bytes kv = Bytes.EMPTY;
        Bytes previous = Bytes.EMPTY;
        for (int tag = body.tag(); tag != 0; tag = body.tag()) {
            switch (ProtoReader.field(tag)) {
                case TYPE -> isDeletion = body.varint(tag) == DELETE;
                case KV -> kv = body.bytes(tag);
                case PREV_KV -> previous = body.bytes(tag);
                default -> throw Invariant.violation("an event with the field %d", ProtoReader.field(tag));
            }
        }
        return KeyChange.of(isDeletion, kv, previous);
    }
}
