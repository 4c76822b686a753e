package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;

/**
 * A change of who takes part, as the log holds it: raftpb.ConfChange, which changes one member, or raftpb.ConfChangeV2,
 * which may change several by way of a joint configuration. Without changes it leaves one.
 */
public record ConfChange(Transition transition, List<Change> changes, Bytes context) {
    /** One member's part. Node 0 stands for a change that was refused, and changes nothing. */
    public record Change(Kind kind, long node) {}

    /** Numbers: raftpb.ConfChangeType. */
    public enum Kind {
        ADD_VOTER(0),
        REMOVE(1),
        /** Its address changes: nothing to do here. */
        UPDATE(2),
        ADD_LEARNER(3);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        private static Kind of(long number) {
            for (Kind kind : values()) {
                if (kind.number == number) {
                    return kind;
                }
            }
            throw new ProtoReader.Malformed("no change of members has number " + Long.toUnsignedString(number));
        }
    }

    /** Numbers: raftpb.ConfChangeTransition. */
    public enum Transition {
        /** Directly if one member changes, else by way of a joint configuration that is left by itself. */
        AUTO(0),
        JOINT_IMPLICIT(1),
        /** The joint configuration is left when somebody proposes that. */
        JOINT_EXPLICIT(2);

        private final int number;

        Transition(int number) {
            this.number = number;
        }

        private static Transition of(long number) {
            for (Transition transition : values()) {
                if (transition.number == number) {
                    return transition;
                }
            }
            throw new ProtoReader.Malformed("no transition has number " + Long.toUnsignedString(number));
        }
    }

    public ConfChange {
        changes = List.copyOf(changes);
    }

    public static ConfChange single(Kind kind, long node) {
        return new ConfChange(Transition.AUTO, List.of(new Change(kind, node)), Bytes.EMPTY);
    }

    boolean leavesJoint() {
        return transition == Transition.AUTO && changes.isEmpty();
    }

    boolean entersJoint() {
        return transition != Transition.AUTO || changes.size() > 1;
    }

    /** Throws {@link ProtoReader.Malformed}. */
    public static ConfChange decode(EntryKind kind, Bytes data) {
        return switch (kind) {
            case CONF_CHANGE -> decodeSingle(data);
            case CONF_CHANGE_V2 -> decodeV2(data);
            case NORMAL -> throw new ProtoReader.Malformed("a normal entry is no change of members");
        };
    }

    private static ConfChange decodeSingle(Bytes data) {
        ProtoReader reader = new ProtoReader(data);
        Kind kind = Kind.ADD_VOTER;
        long node = 0;
        Bytes context = Bytes.EMPTY;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 2 -> kind = Kind.of(reader.varint(tag));
                case 3 -> node = reader.varint(tag);
                case 4 -> context = reader.bytes(tag);
                default -> reader.skip(tag);
            }
        }
        return new ConfChange(Transition.AUTO, List.of(new Change(kind, node)), context);
    }

    private static ConfChange decodeV2(Bytes data) {
        ProtoReader reader = new ProtoReader(data);
        Transition transition = Transition.AUTO;
        List<Change> changes = new ArrayList<>();
        Bytes context = Bytes.EMPTY;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> transition = Transition.of(reader.varint(tag));
                case 2 -> changes.add(decodeChange(reader.bytes(tag)));
                case 3 -> context = reader.bytes(tag);
                default -> reader.skip(tag);
            }
        }
        return new ConfChange(transition, changes, context);
    }

    private static Change decodeChange(Bytes data) {
        ProtoReader reader = new ProtoReader(data);
        Kind kind = Kind.ADD_VOTER;
        long node = 0;
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (ProtoReader.field(tag)) {
                case 1 -> kind = Kind.of(reader.varint(tag));
                case 2 -> node = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        return new Change(kind, node);
    }

    /** As raftpb.ConfChangeV2. */
    public Bytes encodeV2() {
        ProtoWriter writer = new ProtoWriter(64);
        writer.varintField(1, transition.number);
        for (Change change : changes) {
            ProtoWriter one = new ProtoWriter(16);
            one.varintField(1, change.kind().number);
            one.varintField(2, change.node());
            writer.bytesField(2, one.buffer(), 0, one.size());
        }
        writer.bytesFieldIfSet(3, context);
        return Bytes.of(writer.toByteArray());
    }

    /** As raftpb.ConfChange, which has room for one change. */
    public Bytes encodeSingle() {
        Change change = changes.getFirst();
        ProtoWriter writer = new ProtoWriter(64);
        writer.varintField(2, change.kind().number);
        writer.varintField(3, change.node());
        writer.bytesFieldIfSet(4, context);
        return Bytes.of(writer.toByteArray());
    }
}
