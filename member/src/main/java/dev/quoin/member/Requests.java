package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;
import dev.quoin.store.Command;
import dev.quoin.store.Compare;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Op;
import dev.quoin.store.Query;

/**
 * Requests as bytes and as values. The four that clients send all day are read and written by hand: their keys and values
 * stay slices of what arrived, and the request goes into the log entry as it came. All others use generated classes.
 *
 * <p>Reading follows protobuf's rules for a lenient reader, as Go does it: unknown fields are passed over, of a repeated
 * scalar the last counts, and of a oneof the last member. Whatever does not fit is a {@link Malformed}.
 */
public final class Requests {
    /** Which request an entry carries: the field of InternalRaftRequest that holds it. */
    public enum Kind {
        PUT(4),
        DELETE_RANGE(5),
        TXN(6),
        COMPACTION(7),
        ALARM(10);

        private final int field;

        Kind(int field) {
            this.field = field;
        }
    }

    /** What an entry asks for. */
    sealed interface Logged {
        long id();

        record Keys(long id, Command command) implements Logged {}

        record Rare(long id, InternalRaftRequest request) implements Logged {}
    }

    private static final int FIELD_ID = 1;
    private static final int FIELD_HEADER = 100;
    /** How deep transactions may be nested in anything that is read; the limit on operations is lower. */
    private static final int NESTING_MAX = 1_000;

    private Requests() {}

    // ---- entries

    /** An entry for {@code request}, the bytes of the kind's message. */
    static Bytes entry(long id, Kind kind, Bytes request) {
        ProtoWriter writer = new ProtoWriter(request.length() + 32);
        writer.bytesField(kind.field, request);
        writer.tag(FIELD_HEADER, ProtoWriter.LENGTH_DELIMITED);
        writer.varint(1L + ProtoWriter.varintSize(id));
        writer.varintField(FIELD_ID, id);
        return Bytes.of(writer.buffer(), 0, writer.size());
    }

    static Bytes entry(MessageLite request) {
        return Bytes.of(request.toByteArray());
    }

    /** What a committed entry asks for. That it does not parse means that the log is not what it should be. */
    static Logged logged(Bytes data) {
        try {
            return read(data);
        } catch (Malformed | InvalidProtocolBufferException e) {
            throw Invariant.violation("a committed entry does not parse: %s", e.getMessage());
        }
    }

    private static Logged read(Bytes data) throws InvalidProtocolBufferException {
        ProtoReader reader = new ProtoReader(data);
        long id = 0;
        Command command = null;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 4 -> command = put(reader.bytes(tag));
                case 5 -> command = deleteRange(reader.bytes(tag));
                case 6 -> command = txn(reader.bytes(tag));
                case 7 -> command = compaction(reader.bytes(tag));
                case FIELD_HEADER -> id = headerId(reader.bytes(tag));
                default -> {
                    return rare(data);
                }
            }
        }
        return command == null ? rare(data) : new Logged.Keys(id, command);
    }

    private static Logged rare(Bytes data) throws InvalidProtocolBufferException {
        InternalRaftRequest request = InternalRaftRequest
                .parseFrom(ByteString.copyFrom(data.array(), data.offset(), data.length()));
        return new Logged.Rare(request.getID() != 0 ? request.getID() : request.getHeader().getID(), request);
    }

    private static long headerId(Bytes header) {
        ProtoReader reader = new ProtoReader(header);
        long id = 0;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (ProtoReader.field(tag) == FIELD_ID) {
                id = reader.varint(tag);
            } else {
                reader.skip(tag);
            }
        }
        return id;
    }

    // ---- what clients send

    /**
     * Reads a PutRequest; key and value are slices of {@code message}.
     *
     * @throws Malformed if it is not one
     */
    public static Command.Put put(Bytes message) {
        Bytes key = Bytes.EMPTY;
        Bytes value = Bytes.EMPTY;
        long lease = 0;
        boolean prevKv = false;
        boolean ignoreValue = false;
        boolean ignoreLease = false;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> key = reader.bytes(tag);
                case 2 -> value = reader.bytes(tag);
                case 3 -> lease = reader.varint(tag);
                case 4 -> prevKv = reader.varint(tag) != 0;
                case 5 -> ignoreValue = reader.varint(tag) != 0;
                case 6 -> ignoreLease = reader.varint(tag) != 0;
                default -> reader.skip(tag);
            }
        }
        return new Command.Put(key, value, lease, prevKv, ignoreValue, ignoreLease);
    }

    /**
     * Reads a RangeRequest.
     *
     * @throws Malformed if it is not one
     */
    public static Query range(Bytes message) {
        Bytes key = Bytes.EMPTY;
        Bytes rangeEnd = Bytes.EMPTY;
        long limit = 0;
        long revision = 0;
        long order = 0;
        long target = 0;
        boolean serializable = false;
        boolean keysOnly = false;
        boolean countOnly = false;
        long minMod = 0;
        long maxMod = 0;
        long minCreate = 0;
        long maxCreate = 0;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> key = reader.bytes(tag);
                case 2 -> rangeEnd = reader.bytes(tag);
                case 3 -> limit = reader.varint(tag);
                case 4 -> revision = reader.varint(tag);
                case 5 -> order = reader.varint(tag);
                case 6 -> target = reader.varint(tag);
                case 7 -> serializable = reader.varint(tag) != 0;
                case 8 -> keysOnly = reader.varint(tag) != 0;
                case 9 -> countOnly = reader.varint(tag) != 0;
                case 10 -> minMod = reader.varint(tag);
                case 11 -> maxMod = reader.varint(tag);
                case 12 -> minCreate = reader.varint(tag);
                case 13 -> maxCreate = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        boolean unfiltered = (minMod | maxMod | minCreate | maxCreate) == 0;
        return new Query(new KeyRange(key, rangeEnd), limit, revision, Query.Order.of((int) order),
                Query.Target.of((int) target), serializable, keysOnly, countOnly,
                unfiltered ? Query.Filter.NONE : new Query.Filter(minMod, maxMod, minCreate, maxCreate));
    }

    /**
     * Reads a DeleteRangeRequest.
     *
     * @throws Malformed if it is not one
     */
    public static Command.DeleteRange deleteRange(Bytes message) {
        Bytes key = Bytes.EMPTY;
        Bytes rangeEnd = Bytes.EMPTY;
        boolean prevKv = false;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> key = reader.bytes(tag);
                case 2 -> rangeEnd = reader.bytes(tag);
                case 3 -> prevKv = reader.varint(tag) != 0;
                default -> reader.skip(tag);
            }
        }
        return new Command.DeleteRange(new KeyRange(key, rangeEnd), prevKv);
    }

    /**
     * Reads a TxnRequest with everything in it.
     *
     * @throws Malformed if it is not one, or nested deeper than 1,000 levels
     */
    public static Command.Txn txn(Bytes message) {
        return txn(message, 0);
    }

    private static Command.Txn txn(Bytes message, int depth) {
        if (depth > NESTING_MAX) {
            throw new Malformed("transactions nested deeper than " + NESTING_MAX);
        }
        List<Compare> compares = new ArrayList<>();
        List<Op> success = new ArrayList<>();
        List<Op> failure = new ArrayList<>();
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> compares.add(compare(reader.bytes(tag)));
                case 2 -> success.add(op(reader.bytes(tag), depth));
                case 3 -> failure.add(op(reader.bytes(tag), depth));
                default -> reader.skip(tag);
            }
        }
        return new Command.Txn(compares, success, failure);
    }

    private static Op op(Bytes message, int depth) {
        Op op = new Op.Unset();
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> op = new Op.Range(range(reader.bytes(tag)));
                case 2 -> op = new Op.Put(put(reader.bytes(tag)));
                case 3 -> op = new Op.Delete(deleteRange(reader.bytes(tag)));
                case 4 -> op = new Op.Txn(txn(reader.bytes(tag), depth + 1));
                default -> reader.skip(tag);
            }
        }
        return op;
    }

    private static Compare compare(Bytes message) {
        long result = 0;
        long target = 0;
        Bytes key = Bytes.EMPTY;
        Bytes rangeEnd = Bytes.EMPTY;
        // The operand is a oneof: the last one sent counts, and only if it is of the target's kind.
        Compare.@Nullable Target operand = null;
        long number = 0;
        Bytes value = Bytes.EMPTY;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            int field = ProtoReader.field(tag);
            switch (field) {
                case 1 -> result = reader.varint(tag);
                case 2 -> target = reader.varint(tag);
                case 3 -> key = reader.bytes(tag);
                case 4, 5, 6, 8 -> {
                    operand = numberOperand(field);
                    number = reader.varint(tag);
                }
                case 7 -> {
                    operand = Compare.Target.VALUE;
                    value = reader.bytes(tag);
                }
                case 64 -> rangeEnd = reader.bytes(tag);
                default -> reader.skip(tag);
            }
        }
        Compare.Target wanted = Compare.Target.of((int) target);
        KeyRange range = new KeyRange(key, rangeEnd);
        if (wanted == Compare.Target.VALUE) {
            return Compare.value(range, Compare.Result.of((int) result), operand == wanted ? value : Bytes.EMPTY);
        }
        return Compare.number(range, wanted, Compare.Result.of((int) result), operand == wanted ? number : 0);
    }

    private static Compare.Target numberOperand(int field) {
        return switch (field) {
            case 4 -> Compare.Target.VERSION;
            case 5 -> Compare.Target.CREATE;
            case 6 -> Compare.Target.MOD;
            default -> Compare.Target.LEASE;
        };
    }

    private static Command.Compact compaction(Bytes message) {
        long revision = 0;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (ProtoReader.field(tag) == 1) {
                revision = reader.varint(tag);
            } else {
                reader.skip(tag);
            }
        }
        return new Command.Compact(revision);
    }
}
