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
import dev.quoin.store.AuthCommand;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.Compare;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Lease;
import dev.quoin.store.Op;
import dev.quoin.store.Query;

/**
 * Requests as bytes and as values. The four that clients send all day are read and written by hand: their keys and values
 * stay slices of what arrived, and the request goes into the log entry as it came. All others use generated classes.
 *
 * <p>Reading follows protobuf's rules for a lenient reader, as Go does it: unknown fields are passed over, and so are known
 * ones of another wire type; of a repeated scalar the last counts, and of a oneof the last member. Whatever does not fit
 * is a {@link Malformed}. It must fit nothing that Go refuses, since the bytes go into the log as they came and every
 * member reads them. For the same reason a step that is given twice in a row is refused, which Go would merge.
 */
public final class Requests {
    /** Which request an entry carries: the field of InternalRaftRequest that holds it. */
    public enum Kind {
        PUT(4),
        DELETE_RANGE(5),
        TXN(6),
        COMPACTION(7),
        LEASE_GRANT(8),
        LEASE_REVOKE(9),
        ALARM(10),
        LEASE_CHECKPOINT(11),
        AUTH_ENABLE(1000),
        AUTH_DISABLE(1011),
        AUTHENTICATE(1012),
        AUTH_STATUS(1013),
        AUTH_USER_ADD(1100),
        AUTH_USER_DELETE(1101),
        AUTH_USER_GET(1102),
        AUTH_USER_CHANGE_PASSWORD(1103),
        AUTH_USER_GRANT_ROLE(1104),
        AUTH_USER_REVOKE_ROLE(1105),
        AUTH_USER_LIST(1106),
        AUTH_ROLE_LIST(1107),
        AUTH_ROLE_ADD(1200),
        AUTH_ROLE_DELETE(1201),
        AUTH_ROLE_GET(1202),
        AUTH_ROLE_GRANT_PERMISSION(1203),
        AUTH_ROLE_REVOKE_PERMISSION(1204);

        private final int field;

        Kind(int field) {
            this.field = field;
        }
    }

    /** What an entry asks for, and in whose name. */
    sealed interface Logged {
        /** Who may wait for the answer knows it by this. */
        long id();

        /** Something that is done to the store. */
        record ToStore(long id, Caller caller, Command command) implements Logged {}

        /** Something about the cluster itself. */
        record ToCluster(long id, InternalRaftRequest request) implements Logged {}
    }

    /** The header of a request. */
    private record Header(long id, Caller caller) {
        private static final Header NONE = new Header(0, Caller.NONE);
    }

    /** What a tag is made of: {@code field << 3 | wire type}. */
    private static final int NUMBER = ProtoWriter.VARINT;
    private static final int BYTES = ProtoWriter.LENGTH_DELIMITED;
    private static final int FIELD_ID = 1;
    private static final int FIELD_USERNAME = 2;
    private static final int FIELD_AUTH_REVISION = 3;
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

    /** An entry for a request in somebody's name. */
    static Bytes entry(long id, Kind kind, Bytes request, Caller caller) {
        if (kind.field < FIELD_HEADER && caller.equals(Caller.NONE)) {
            return entry(id, kind, request);
        }
        ProtoWriter header = new ProtoWriter(64);
        header.varintField(FIELD_ID, id);
        header.bytesFieldIfSet(FIELD_USERNAME, Bytes.utf8(caller.name()));
        header.varintFieldIfSet(FIELD_AUTH_REVISION, caller.authRevision());
        ProtoWriter writer = new ProtoWriter(request.length() + 96);
        // In the order of the fields, as Go's encoder writes them.
        if (kind.field < FIELD_HEADER) {
            writer.bytesField(kind.field, request);
        }
        writer.bytesField(FIELD_HEADER, Bytes.of(header.toByteArray()));
        if (kind.field > FIELD_HEADER) {
            writer.bytesField(kind.field, request);
        }
        return Bytes.of(writer.buffer(), 0, writer.size());
    }

    /** Whether an entry carries such a request, told by its first field, which every member writes first. Costs next to nothing. */
    static boolean isOf(Bytes entry, Kind kind) {
        return !entry.isEmpty() && entry.at(0) == (kind.field << 3 | BYTES);
    }

    /** A LeaseRevokeRequest. */
    static Bytes leaseRevoke(long id) {
        ProtoWriter request = new ProtoWriter(16);
        request.varintFieldIfSet(1, id);
        return Bytes.of(request.toByteArray());
    }

    /** A LeaseCheckpointRequest: what each of these has left. */
    static Bytes leaseCheckpoint(List<Lease> leases) {
        ProtoWriter request = new ProtoWriter(24 * leases.size());
        for (Lease lease : leases) {
            ProtoWriter one = new ProtoWriter(24);
            one.varintFieldIfSet(1, lease.id());
            one.varintFieldIfSet(2, lease.remainingTtl());
            request.bytesField(1, Bytes.of(one.toByteArray()));
        }
        return Bytes.of(request.toByteArray());
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
        Header header = Header.NONE;
        Command command = null;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case 4 << 3 | BYTES -> command = put(reader.bytes(tag));
                case 5 << 3 | BYTES -> command = deleteRange(reader.bytes(tag));
                case 6 << 3 | BYTES -> command = txn(reader.bytes(tag));
                case 7 << 3 | BYTES -> command = compaction(reader.bytes(tag));
                case FIELD_HEADER << 3 | BYTES -> header = header(reader.bytes(tag));
                default -> {
                    return rare(data);
                }
            }
        }
        return command == null ? rare(data) : new Logged.ToStore(header.id, header.caller, command);
    }

    /** Why no member can apply an entry with these data; null if any can. For a log that others have written. */
    static @Nullable String obstacle(Bytes data) {
        try {
            return read(data) instanceof Logged.ToCluster(long _, InternalRaftRequest request)
                    && !RareRequests.isAboutTheCluster(request)
                            ? "a request that no etcd 3.7 knows"
                            : null;
        } catch (Malformed | InvalidProtocolBufferException | Invariant.Violation e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static Logged rare(Bytes data) throws InvalidProtocolBufferException {
        if (OldRequests.isOld(data)) {
            InternalRaftRequest translated = OldRequests.translate(data);
            return translated == null
                    ? new Logged.ToStore(0, Caller.NONE, new Command.Nothing())
                    : new Logged.ToCluster(translated.getHeader().getID(), translated);
        }
        InternalRaftRequest request = InternalRaftRequest
                .parseFrom(ByteString.copyFrom(data.array(), data.offset(), data.length()));
        Invariant.check(request.getID() != 0 || request.hasHeader(), "a request without id or header");
        long id = request.getID() != 0 ? request.getID() : request.getHeader().getID();
        Command command = RareRequests.command(request);
        if (command == null) {
            return new Logged.ToCluster(id, request);
        }
        Caller caller = new Caller(request.getHeader().getUsername(), request.getHeader().getAuthRevision());
        return new Logged.ToStore(id, caller, command);
    }

    private static Header header(Bytes header) {
        ProtoReader reader = new ProtoReader(header);
        long id = 0;
        Bytes username = Bytes.EMPTY;
        long authRevision = 0;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case FIELD_ID << 3 | NUMBER -> id = reader.varint(tag);
                case FIELD_USERNAME << 3 | BYTES -> username = reader.bytes(tag);
                case FIELD_AUTH_REVISION << 3 | NUMBER -> authRevision = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        boolean isNobody = username.isEmpty() && authRevision == 0;
        return new Header(id, isNobody ? Caller.NONE : new Caller(username.toUtf8(), authRevision));
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
            switch (tag) {
                case 1 << 3 | BYTES -> key = reader.bytes(tag);
                case 2 << 3 | BYTES -> value = reader.bytes(tag);
                case 3 << 3 | NUMBER -> lease = reader.varint(tag);
                case 4 << 3 | NUMBER -> prevKv = reader.varint(tag) != 0;
                case 5 << 3 | NUMBER -> ignoreValue = reader.varint(tag) != 0;
                case 6 << 3 | NUMBER -> ignoreLease = reader.varint(tag) != 0;
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
            switch (tag) {
                case 1 << 3 | BYTES -> key = reader.bytes(tag);
                case 2 << 3 | BYTES -> rangeEnd = reader.bytes(tag);
                case 3 << 3 | NUMBER -> limit = reader.varint(tag);
                case 4 << 3 | NUMBER -> revision = reader.varint(tag);
                case 5 << 3 | NUMBER -> order = reader.varint(tag);
                case 6 << 3 | NUMBER -> target = reader.varint(tag);
                case 7 << 3 | NUMBER -> serializable = reader.varint(tag) != 0;
                case 8 << 3 | NUMBER -> keysOnly = reader.varint(tag) != 0;
                case 9 << 3 | NUMBER -> countOnly = reader.varint(tag) != 0;
                case 10 << 3 | NUMBER -> minMod = reader.varint(tag);
                case 11 << 3 | NUMBER -> maxMod = reader.varint(tag);
                case 12 << 3 | NUMBER -> minCreate = reader.varint(tag);
                case 13 << 3 | NUMBER -> maxCreate = reader.varint(tag);
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
            switch (tag) {
                case 1 << 3 | BYTES -> key = reader.bytes(tag);
                case 2 << 3 | BYTES -> rangeEnd = reader.bytes(tag);
                case 3 << 3 | NUMBER -> prevKv = reader.varint(tag) != 0;
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
            switch (tag) {
                case 1 << 3 | BYTES -> compares.add(compare(reader.bytes(tag)));
                case 2 << 3 | BYTES -> success.add(op(reader.bytes(tag), depth));
                case 3 << 3 | BYTES -> failure.add(op(reader.bytes(tag), depth));
                default -> reader.skip(tag);
            }
        }
        return new Command.Txn(compares, success, failure);
    }

    private static Op op(Bytes message, int depth) {
        Op op = new Op.Unset();
        int chosen = 0;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (tag == chosen) {
                throw new Malformed("field " + ProtoReader.field(tag) + " is there twice");
            }
            switch (tag) {
                case 1 << 3 | BYTES -> op = new Op.Range(range(reader.bytes(tag)));
                case 2 << 3 | BYTES -> op = new Op.Put(put(reader.bytes(tag)));
                case 3 << 3 | BYTES -> op = new Op.Delete(deleteRange(reader.bytes(tag)));
                case 4 << 3 | BYTES -> op = new Op.Txn(txn(reader.bytes(tag), depth + 1));
                default -> {
                    reader.skip(tag);
                    continue;
                }
            }
            chosen = tag;
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
            switch (tag) {
                case 1 << 3 | NUMBER -> result = reader.varint(tag);
                case 2 << 3 | NUMBER -> target = reader.varint(tag);
                case 3 << 3 | BYTES -> key = reader.bytes(tag);
                case 4 << 3 | NUMBER, 5 << 3 | NUMBER, 6 << 3 | NUMBER, 8 << 3 | NUMBER -> {
                    operand = numberOperand(ProtoReader.field(tag));
                    number = reader.varint(tag);
                }
                case 7 << 3 | BYTES -> {
                    operand = Compare.Target.VALUE;
                    value = reader.bytes(tag);
                }
                case 64 << 3 | BYTES -> rangeEnd = reader.bytes(tag);
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

    /**
     * Reads a CompactionRequest.
     *
     * @throws Malformed if it is not one
     */
    public static Command.Compact compaction(Bytes message) {
        long revision = 0;
        boolean physical = false;
        ProtoReader reader = new ProtoReader(message);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case 1 << 3 | NUMBER -> revision = reader.varint(tag);
                case 2 << 3 | NUMBER -> physical = reader.varint(tag) != 0;
                default -> reader.skip(tag);
            }
        }
        return new Command.Compact(revision, physical);
    }

    /** What etcd calls the request that such a command is (apply/uber_applier.go). */
    static String name(Command command) {
        return switch (command) {
            case Command.Put put -> "Put";
            case Command.DeleteRange delete -> "DeleteRange";
            case Command.Txn txn -> "Txn";
            case Command.Compact compact -> "Compaction";
            case Command.LeaseGrant grant -> "LeaseGrant";
            case Command.LeaseRevoke revoke -> "LeaseRevoke";
            case Command.LeaseCheckpoint checkpoint -> "LeaseCheckpoint";
            case Command.Alarm alarm -> "Alarm";
            case Command.Auth(AuthCommand.Authenticate authenticate) -> "Authenticate";
            case Command.Auth(AuthCommand other) -> "Auth" + other.getClass().getSimpleName();
            case Command.Nothing nothing -> "unknown";
        };
    }

    /** The same of a request about the cluster. */
    static String name(InternalRaftRequest request) {
        if (request.hasClusterVersionSet()) {
            return "ClusterVersionSet";
        }
        if (request.hasClusterMemberAttrSet()) {
            return "ClusterMemberAttrSet";
        }
        return request.hasDowngradeInfoSet() ? "DowngradeInfoSet" : "DowngradeVersionTest";
    }
}
