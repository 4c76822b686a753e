package dev.quoin.server.peer;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.Input;
import dev.quoin.raft.Message;
import dev.quoin.raft.SnapshotMeta;

/**
 * What members say to one another, as the bytes of raftpb.Message and back.
 *
 * <p>Members of up to 3.6 write every scalar, since 3.7 only what was set: so absent is zero for every reader, and what is
 * zero is left out here, but for the type. Members of up to 3.5 put an empty snapshot into every message, which says
 * nothing. The data of entries are slices of what was read.
 *
 * <p>Reading is lenient where Go is: unknown fields are passed over, and known ones of another wire type; of a scalar that
 * is there twice the last counts. A message inside a message that is there twice is refused, where Go would merge: no
 * member writes it.
 */
final class PeerMessages {
    /** What a member has sent. */
    sealed interface Received {
        /** A message for the core, which still has to check it. */
        record Told(Message message) implements Received {}

        /** A heartbeat of the connection, from nobody to nobody: it lives. */
        record LinkHeartbeat() implements Received {}

        /**
         * A message that must not reach the core: of a type that we cannot name, or that a node speaks only to itself.
         *
         * @param type its number in raftpb.MessageType
         */
        record Dropped(int type) implements Received {}
    }

    /** raftpb.MessageType, those that are sent. */
    private static final int PROP = 2;
    private static final int APP = 3;
    private static final int APP_RESP = 4;
    private static final int VOTE = 5;
    private static final int VOTE_RESP = 6;
    private static final int SNAP = 7;
    private static final int HEARTBEAT = 8;
    private static final int HEARTBEAT_RESP = 9;
    private static final int TRANSFER_LEADER = 13;
    private static final int TIMEOUT_NOW = 14;
    private static final int READ_INDEX = 15;
    private static final int READ_INDEX_RESP = 16;
    private static final int PRE_VOTE = 17;
    private static final int PRE_VOTE_RESP = 18;

    private static final int NUMBER = ProtoWriter.VARINT;
    private static final int BYTES = ProtoWriter.LENGTH_DELIMITED;
    private static final int FIELD_TYPE = 1;
    private static final int FIELD_TO = 2;
    private static final int FIELD_FROM = 3;
    private static final int FIELD_TERM = 4;
    private static final int FIELD_LOG_TERM = 5;
    private static final int FIELD_INDEX = 6;
    private static final int FIELD_ENTRIES = 7;
    private static final int FIELD_COMMIT = 8;
    private static final int FIELD_SNAPSHOT = 9;
    private static final int FIELD_REJECT = 10;
    private static final int FIELD_REJECT_HINT = 11;
    private static final int FIELD_CONTEXT = 12;

    /** More than the scalars of a message take, and more than those of an entry. */
    private static final int SCALARS_BYTES_MAX = 96;
    /** What a vote says when the leader asked for the election. */
    private static final Bytes TRANSFER = Bytes.utf8("CampaignTransfer");

    private PeerMessages() {}

    // ---- reading

    /**
     * Reads a raftpb.Message; the data of its entries are slices of {@code bytes}.
     *
     * @throws Malformed if it is not one, or lacks what its type must carry
     */
    static Received read(Bytes bytes) {
        return new Fields(bytes).received();
    }

    /** The fields of a message, whatever its type. */
    private static final class Fields {
        private int type;
        private long to;
        private long from;
        private long term;
        private long logTerm;
        private long index;
        private final List<Entry> entries = new ArrayList<>();
        private long commit;
        private @Nullable Bytes snapshot;
        private boolean reject;
        private long rejectHint;
        private Bytes context = Bytes.EMPTY;

        Fields(Bytes bytes) {
            ProtoReader reader = new ProtoReader(bytes);
            for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                switch (tag) {
                    case FIELD_TYPE << 3 | NUMBER -> type = (int) reader.varint(tag);
                    case FIELD_TO << 3 | NUMBER -> to = reader.varint(tag);
                    case FIELD_FROM << 3 | NUMBER -> from = reader.varint(tag);
                    case FIELD_TERM << 3 | NUMBER -> term = reader.varint(tag);
                    case FIELD_LOG_TERM << 3 | NUMBER -> logTerm = reader.varint(tag);
                    case FIELD_INDEX << 3 | NUMBER -> index = reader.varint(tag);
                    case FIELD_ENTRIES << 3 | BYTES -> entries.add(entry(reader.bytes(tag)));
                    case FIELD_COMMIT << 3 | NUMBER -> commit = reader.varint(tag);
                    case FIELD_SNAPSHOT << 3 | BYTES -> snapshot = once(tag, snapshot, reader.bytes(tag));
                    case FIELD_REJECT << 3 | NUMBER -> reject = reader.varint(tag) != 0;
                    case FIELD_REJECT_HINT << 3 | NUMBER -> rejectHint = reader.varint(tag);
                    case FIELD_CONTEXT << 3 | BYTES -> context = reader.bytes(tag);
                    default -> reader.skip(tag);
                }
            }
        }

        Received received() {
            if (type == HEARTBEAT && from == 0 && to == 0) {
                return new Received.LinkHeartbeat();
            }
            Message message = message();
            return message == null ? new Received.Dropped(type) : new Received.Told(message);
        }

        private @Nullable Message message() {
            return switch (type) {
                case PROP -> new Message.Propose(from, to, proposals());
                case APP -> new Message.Append(from, to, term, index, logTerm, List.copyOf(entries), commit);
                case APP_RESP -> reject
                        ? new Message.AppendRejected(from, to, term, index, rejectHint, logTerm)
                        : new Message.AppendAccepted(from, to, term, index);
                case VOTE, PRE_VOTE -> new Message.VoteRequest(from, to, term, type == PRE_VOTE, index, logTerm,
                        context.equals(TRANSFER));
                case VOTE_RESP, PRE_VOTE_RESP -> new Message.VoteAnswer(from, to, term, type == PRE_VOTE_RESP, !reject);
                case SNAP -> new Message.InstallSnapshot(from, to, term, snapshot(snapshot));
                case HEARTBEAT -> new Message.Heartbeat(from, to, term, commit, context);
                case HEARTBEAT_RESP -> new Message.HeartbeatAnswer(from, to, term, context);
                case TRANSFER_LEADER -> new Message.TransferLeader(from, to, term);
                case TIMEOUT_NOW -> new Message.TimeoutNow(from, to, term);
                case READ_INDEX -> new Message.ReadIndex(from, to, readContext());
                case READ_INDEX_RESP -> new Message.ReadIndexAnswer(from, to, term, index, readContext());
                default -> null;
            };
        }

        private List<Input.Proposal> proposals() {
            return entries.stream().map(entry -> new Input.Proposal(entry.kind(), entry.data())).toList();
        }

        /** A read is named by the data of the one entry that its messages carry. */
        private Bytes readContext() {
            if (entries.size() != 1) {
                throw new Malformed("a read with " + entries.size() + " entries, not 1");
            }
            return entries.getFirst().data();
        }
    }

    private static Bytes once(int tag, @Nullable Bytes before, Bytes now) {
        if (before != null) {
            throw new Malformed("field " + ProtoReader.field(tag) + " is there twice");
        }
        return now;
    }

    /**
     * Reads a raftpb.Entry; its data are a slice of {@code bytes}.
     *
     * @throws Malformed if it is not one, or of a kind that we cannot name: nobody could apply it
     */
    static Entry entry(Bytes bytes) {
        int kind = 0;
        long term = 0;
        long index = 0;
        Bytes data = Bytes.EMPTY;
        ProtoReader reader = new ProtoReader(bytes);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case 1 << 3 | NUMBER -> kind = (int) reader.varint(tag);
                case 2 << 3 | NUMBER -> term = reader.varint(tag);
                case 3 << 3 | NUMBER -> index = reader.varint(tag);
                case 4 << 3 | BYTES -> data = reader.bytes(tag);
                default -> reader.skip(tag);
            }
        }
        if (kind < 0 || kind > EntryKind.CONF_CHANGE_V2.number()) {
            throw new Malformed("an entry of unknown type " + kind);
        }
        return new Entry(term, index, EntryKind.of(kind), data);
    }

    /** Reads a raftpb.Snapshot, which must say where it stands and who took part; its data are the v2 store's. */
    private static SnapshotMeta snapshot(@Nullable Bytes bytes) {
        Bytes metadata = bytes == null ? null : only(2, bytes);
        if (metadata == null) {
            throw new Malformed("a snapshot without metadata");
        }
        Bytes confState = only(1, metadata);
        if (confState == null) {
            throw new Malformed("a snapshot without conf_state");
        }
        long index = 0;
        long term = 0;
        ProtoReader reader = new ProtoReader(metadata);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case 2 << 3 | NUMBER -> index = reader.varint(tag);
                case 3 << 3 | NUMBER -> term = reader.varint(tag);
                default -> reader.skip(tag);
            }
        }
        return new SnapshotMeta(index, term, confState(confState));
    }

    /** The one message that {@code bytes} holds as this field, or null. */
    private static @Nullable Bytes only(int field, Bytes bytes) {
        Bytes found = null;
        ProtoReader reader = new ProtoReader(bytes);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            if (tag == (field << 3 | BYTES)) {
                found = once(tag, found, reader.bytes(tag));
            } else {
                reader.skip(tag);
            }
        }
        return found;
    }

    private static ConfState confState(Bytes bytes) {
        List<List<Long>> ids = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        boolean autoLeave = false;
        ProtoReader reader = new ProtoReader(bytes);
        for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
            switch (tag) {
                case 1 << 3 | NUMBER, 2 << 3 | NUMBER, 3 << 3 | NUMBER, 4 << 3 | NUMBER ->
                    ids.get(ProtoReader.field(tag) - 1).add(reader.varint(tag));
                // Nobody packs them, and every protobuf reader takes them packed.
                case 1 << 3 | BYTES, 2 << 3 | BYTES, 3 << 3 | BYTES, 4 << 3 | BYTES ->
                    unpack(reader.bytes(tag), ids.get(ProtoReader.field(tag) - 1));
                case 5 << 3 | NUMBER -> autoLeave = reader.varint(tag) != 0;
                default -> reader.skip(tag);
            }
        }
        return new ConfState(ids.get(0), ids.get(1), ids.get(2), ids.get(3), autoLeave);
    }

    private static void unpack(Bytes packed, List<Long> ids) {
        ProtoReader reader = new ProtoReader(packed);
        while (!reader.atEnd()) {
            ids.add(reader.varint());
        }
    }

    // ---- writing

    /** A message by itself: the body of a {@code POST /raft}. */
    static Bytes bytes(Message message) {
        ProtoWriter writer = new ProtoWriter(bytesMost(message));
        write(writer, message);
        return Bytes.of(writer.buffer(), 0, writer.size());
    }

    /**
     * A snapshot's message with {@code data} in it: members of up to 3.6 read the v2 store there, as JSON. The state itself
     * follows the message.
     */
    static Bytes bytes(Message.InstallSnapshot message, Bytes data) {
        ProtoWriter writer = new ProtoWriter(bytesMost(message) + data.length());
        writeSnapshot(writer, message, data);
        return Bytes.of(writer.buffer(), 0, writer.size());
    }

    /** About as many bytes as {@link #write} writes, rarely fewer. */
    static int bytesMost(Message message) {
        long bytes = SCALARS_BYTES_MAX;
        if (message instanceof Message.Append append) {
            for (Entry entry : append.entries()) {
                bytes += entryBytes(entry) + 6L;
            }
        } else if (message instanceof Message.Propose propose) {
            for (Input.Proposal proposal : propose.proposals()) {
                bytes += proposal.data().length() + 16L;
            }
        }
        return (int) Math.min(bytes, Integer.MAX_VALUE - 8);
    }

    static void write(ProtoWriter out, Message message) {
        switch (message) {
            case Message.Propose m -> {
                head(out, PROP, m);
                m.proposals().forEach(proposal -> writeEntry(out, new Entry(0, 0, proposal.kind(), proposal.data())));
            }
            case Message.Append m -> {
                head(out, APP, m);
                out.varintFieldIfSet(FIELD_LOG_TERM, m.prevTerm());
                out.varintFieldIfSet(FIELD_INDEX, m.prevIndex());
                m.entries().forEach(entry -> writeEntry(out, entry));
                out.varintFieldIfSet(FIELD_COMMIT, m.commit());
            }
            case Message.AppendAccepted m -> {
                head(out, APP_RESP, m);
                out.varintFieldIfSet(FIELD_INDEX, m.index());
            }
            case Message.AppendRejected m -> {
                head(out, APP_RESP, m);
                out.varintFieldIfSet(FIELD_LOG_TERM, m.hintTerm());
                out.varintFieldIfSet(FIELD_INDEX, m.index());
                out.varintField(FIELD_REJECT, 1);
                out.varintFieldIfSet(FIELD_REJECT_HINT, m.hintIndex());
            }
            case Message.VoteRequest m -> {
                head(out, m.pre() ? PRE_VOTE : VOTE, m);
                out.varintFieldIfSet(FIELD_LOG_TERM, m.lastTerm());
                out.varintFieldIfSet(FIELD_INDEX, m.lastIndex());
                out.bytesFieldIfSet(FIELD_CONTEXT, m.transfer() ? TRANSFER : Bytes.EMPTY);
            }
            case Message.VoteAnswer m -> {
                head(out, m.pre() ? PRE_VOTE_RESP : VOTE_RESP, m);
                out.varintFieldIfSet(FIELD_REJECT, m.granted() ? 0 : 1);
            }
            case Message.InstallSnapshot m -> writeSnapshot(out, m, Bytes.EMPTY);
            case Message.Heartbeat m -> {
                head(out, HEARTBEAT, m);
                out.varintFieldIfSet(FIELD_COMMIT, m.commit());
                out.bytesFieldIfSet(FIELD_CONTEXT, m.context());
            }
            case Message.HeartbeatAnswer m -> {
                head(out, HEARTBEAT_RESP, m);
                out.bytesFieldIfSet(FIELD_CONTEXT, m.context());
            }
            case Message.TransferLeader m -> head(out, TRANSFER_LEADER, m);
            case Message.TimeoutNow m -> head(out, TIMEOUT_NOW, m);
            case Message.ReadIndex m -> {
                head(out, READ_INDEX, m);
                writeEntry(out, new Entry(0, 0, EntryKind.NORMAL, m.context()));
            }
            case Message.ReadIndexAnswer m -> {
                head(out, READ_INDEX_RESP, m);
                out.varintFieldIfSet(FIELD_INDEX, m.index());
                writeEntry(out, new Entry(0, 0, EntryKind.NORMAL, m.context()));
            }
        }
    }

    /** A heartbeat of the connection. */
    static void writeLinkHeartbeat(ProtoWriter out) {
        out.varintField(FIELD_TYPE, HEARTBEAT);
    }

    private static void head(ProtoWriter out, int type, Message message) {
        out.varintField(FIELD_TYPE, type);
        out.varintFieldIfSet(FIELD_TO, message.to());
        out.varintFieldIfSet(FIELD_FROM, message.from());
        out.varintFieldIfSet(FIELD_TERM, message.term());
    }

    private static void writeEntry(ProtoWriter out, Entry entry) {
        out.tag(FIELD_ENTRIES, BYTES);
        out.varint(entryBytes(entry));
        writeEntryAlone(out, entry);
    }

    /** A raftpb.Entry; {@link #entryBytes} says how many bytes it takes. */
    static void writeEntryAlone(ProtoWriter out, Entry entry) {
        out.varintFieldIfSet(1, entry.kind().number());
        out.varintFieldIfSet(2, entry.term());
        out.varintFieldIfSet(3, entry.index());
        out.bytesFieldIfSet(4, entry.data());
    }

    static int entryBytes(Entry entry) {
        int dataBytes = entry.data().length();
        int bytes = numberBytes(entry.kind().number()) + numberBytes(entry.term()) + numberBytes(entry.index());
        return dataBytes == 0 ? bytes : Math.addExact(bytes + 1 + ProtoWriter.varintSize(dataBytes), dataBytes);
    }

    private static int numberBytes(long value) {
        return value == 0 ? 0 : 1 + ProtoWriter.varintSize(value);
    }

    private static void writeSnapshot(ProtoWriter out, Message.InstallSnapshot message, Bytes data) {
        SnapshotMeta meta = message.snapshot();
        ProtoWriter metadata = new ProtoWriter(SCALARS_BYTES_MAX);
        // Even of nobody: a member stops where there is no conf_state.
        metadata.bytesField(1, confStateBytes(meta.configuration()));
        metadata.varintFieldIfSet(2, meta.index());
        metadata.varintFieldIfSet(3, meta.term());
        ProtoWriter snapshot = new ProtoWriter(SCALARS_BYTES_MAX + data.length());
        snapshot.bytesFieldIfSet(1, data);
        snapshot.bytesField(2, metadata.buffer(), 0, metadata.size());
        head(out, SNAP, message);
        out.bytesField(FIELD_SNAPSHOT, snapshot.buffer(), 0, snapshot.size());
    }

    private static Bytes confStateBytes(ConfState state) {
        ProtoWriter out = new ProtoWriter(SCALARS_BYTES_MAX);
        state.voters().forEach(id -> out.varintField(1, id));
        state.learners().forEach(id -> out.varintField(2, id));
        state.votersOutgoing().forEach(id -> out.varintField(3, id));
        state.learnersNext().forEach(id -> out.varintField(4, id));
        out.varintFieldIfSet(5, state.autoLeave() ? 1 : 0);
        return Bytes.of(out.buffer(), 0, out.size());
    }
}
