package dev.quoin.server.peer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.api.raftpb.EntryType;
import dev.quoin.api.raftpb.MessageType;
import dev.quoin.api.raftpb.Snapshot;
import dev.quoin.api.raftpb.SnapshotMetadata;
import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.Input;
import dev.quoin.raft.Message;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.server.peer.PeerMessages.Received;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Messages of members as bytes, against etcd's bytes, the generated classes and garbage. */
class PeerMessagesTest {
    private static final long SELF = 0xfedcba9876543210L;
    private static final long OTHER = 0x0123456789abcdefL;

    /** What etcd's code wrote (peerbytes.go), by name. */
    static Map<String, Bytes> etcdBytes() throws IOException {
        Map<String, Bytes> bytes = new HashMap<>();
        try (InputStream in = Objects
                .requireNonNull(PeerMessagesTest.class.getResourceAsStream("/peer/peerbytes.txt"))) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList()) {
                String[] nameAndHex = line.split(" ", 2);
                bytes.put(nameAndHex[0], Bytes.of(HexFormat.of().parseHex(nameAndHex[1])));
            }
        }
        return bytes;
    }

    static Entry entry(long term, long index, String data) {
        return new Entry(term, index, EntryKind.NORMAL, Bytes.utf8(data));
    }

    private static Message told(Bytes bytes) {
        assertThat(PeerMessages.read(bytes)).isInstanceOf(Received.Told.class);
        return ((Received.Told) PeerMessages.read(bytes)).message();
    }

    /** The messages of peerbytes.go, as we have them. */
    private static Map<String, Message> known() {
        Bytes context = Bytes.of(new byte[]{1, 0, 0, 0, 0, 0, 0, 0});
        ConfState members = new ConfState(List.of(SELF, OTHER), List.of(3L));
        return Map.of(
                "app", new Message.Append(SELF, OTHER, 7, 41, 6, List.of(entry(7, 42, "one"), entry(7, 43, "")), 40),
                "appresp", new Message.AppendAccepted(SELF, OTHER, 7, 43),
                "appreject", new Message.AppendRejected(SELF, OTHER, 7, 43, 12, 3),
                "heartbeat", new Message.Heartbeat(SELF, OTHER, 7, 0, context),
                "vote", new Message.VoteRequest(SELF, OTHER, 7, false, 43, 6, true),
                "prevoteresp", new Message.VoteAnswer(SELF, OTHER, 7, true, false),
                "snap", new Message.InstallSnapshot(SELF, OTHER, 7, new SnapshotMeta(99, 6, members)),
                "prop", new Message.Propose(SELF, OTHER,
                        List.of(new Input.Proposal(EntryKind.NORMAL, Bytes.utf8("x")),
                                new Input.Proposal(EntryKind.CONF_CHANGE, Bytes.utf8("y")))),
                "readindexresp", new Message.ReadIndexAnswer(SELF, OTHER, 7, 44, Bytes.utf8("12345678")));
    }

    @Test
    void etcdsBytesAreRead() throws Exception {
        Map<String, Bytes> bytes = etcdBytes();
        assertThat(known()).hasSize(9).allSatisfy((name,
                message) -> assertThat(told(Objects.requireNonNull(bytes.get(name)))).as(name).isEqualTo(message));
    }

    /** Byte for byte, where nothing in it is zero: Go writes fields in the order of their numbers, and so do we. */
    @Test
    void ourBytesAreEtcds() throws Exception {
        Map<String, Bytes> bytes = etcdBytes();
        for (String name : List.of("appresp", "appreject", "vote", "prevoteresp", "prop", "readindexresp")) {
            assertThat(PeerMessages.bytes(Objects.requireNonNull(known().get(name)))).as(name)
                    .isEqualTo(bytes.get(name));
        }
    }

    // ---- against the generated classes

    private static Bytes randomBytes(Random random) {
        byte[] bytes = new byte[random.nextInt(20)];
        random.nextBytes(bytes);
        return Bytes.of(bytes);
    }

    private static long number(Random random) {
        return random.nextInt(4) == 0 ? 0 : random.nextLong() >>> random.nextInt(64);
    }

    private static List<Long> ids(Random random) {
        return random.longs(random.nextInt(4)).boxed().toList();
    }

    private static List<Entry> entries(Random random) {
        List<Entry> entries = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            entries.add(new Entry(number(random), number(random), EntryKind.of(random.nextInt(3)),
                    randomBytes(random)));
        }
        return entries;
    }

    static Message randomMessage(Random random) {
        long from = number(random) | 1;
        long to = number(random);
        long term = number(random);
        return switch (random.nextInt(13)) {
            case 0 -> new Message.Append(from, to, term, number(random), number(random), entries(random),
                    number(random));
            case 1 -> new Message.AppendAccepted(from, to, term, number(random));
            case 2 -> new Message.AppendRejected(from, to, term, number(random), number(random), number(random));
            case 3 -> new Message.Heartbeat(from, to, term, number(random), randomBytes(random));
            case 4 -> new Message.HeartbeatAnswer(from, to, term, randomBytes(random));
            case 5 -> new Message.VoteRequest(from, to, term, random.nextBoolean(), number(random), number(random),
                    random.nextBoolean());
            case 6 -> new Message.VoteAnswer(from, to, term, random.nextBoolean(), random.nextBoolean());
            case 7 -> new Message.InstallSnapshot(from, to, term, new SnapshotMeta(number(random), number(random),
                    new ConfState(ids(random), ids(random), ids(random), ids(random), random.nextBoolean())));
            case 8 -> new Message.Propose(from, to, entries(random).stream()
                    .map(entry -> new Input.Proposal(entry.kind(), entry.data())).toList());
            case 9 -> new Message.ReadIndex(from, to, randomBytes(random));
            case 10 -> new Message.ReadIndexAnswer(from, to, term, number(random), randomBytes(random));
            case 11 -> new Message.TransferLeader(from, to, term);
            default -> new Message.TimeoutNow(from, to, term);
        };
    }

    private static dev.quoin.api.raftpb.Message generated(Bytes bytes) throws InvalidProtocolBufferException {
        return dev.quoin.api.raftpb.Message
                .parseFrom(ByteString.copyFrom(bytes.array(), bytes.offset(), bytes.length()));
    }

    /** With every scalar written, as members of up to 3.5 do, and the empty snapshot that they put everywhere. */
    @SuppressWarnings("SelfSet") // What is absent becomes a zero that is there.
    private static Bytes asWrittenOfOld(Bytes bytes) throws InvalidProtocolBufferException {
        dev.quoin.api.raftpb.Message.Builder all = generated(bytes).toBuilder();
        all.setTo(all.getTo()).setFrom(all.getFrom()).setTerm(all.getTerm()).setLogTerm(all.getLogTerm())
                .setIndex(all.getIndex()).setCommit(all.getCommit()).setReject(all.getReject())
                .setRejectHint(all.getRejectHint());
        all.getEntriesBuilderList().forEach(entry -> entry.setType(entry.getType()).setTerm(entry.getTerm())
                .setIndex(entry.getIndex()).setData(entry.getData()));
        if (!all.hasSnapshot()) {
            all.setSnapshot(Snapshot.newBuilder().setMetadata(SnapshotMetadata.newBuilder().setIndex(0).setTerm(0)
                    .setConfState(dev.quoin.api.raftpb.ConfState.newBuilder().setAutoLeave(false))));
        }
        return Bytes.of(all.build().toByteArray());
    }

    @Test
    void whatIsWrittenIsReadByUsAndByTheGeneratedClassesAndBack() throws Exception {
        for (int seed = 0; seed < 3_000; seed++) {
            Message message = randomMessage(new Random(seed));
            Bytes bytes = PeerMessages.bytes(message);
            assertThat(told(bytes)).as("seed %d", seed).isEqualTo(message);
            dev.quoin.api.raftpb.Message parsed = generated(bytes);
            assertThat(parsed.getUnknownFields().asMap()).as("seed %d", seed).isEmpty();
            assertThat(parsed.hasType()).as("seed %d", seed).isTrue();
            assertThat(parsed.getFrom()).as("seed %d", seed).isEqualTo(message.from());
            assertThat(parsed.getTerm()).as("seed %d", seed).isEqualTo(message.term());
            assertThat(told(Bytes.of(parsed.toByteArray()))).as("seed %d", seed).isEqualTo(message);
            assertThat(told(asWrittenOfOld(bytes))).as("seed %d", seed).isEqualTo(message);
        }
    }

    @Test
    void theGeneratedClassesSeeTheFieldsThatTheTypeUses() throws Exception {
        dev.quoin.api.raftpb.Message app = generated(
                PeerMessages.bytes(Objects.requireNonNull(known().get("app"))));
        assertThat(app.getType()).isEqualTo(MessageType.MsgApp);
        assertThat(app.getIndex()).isEqualTo(41);
        assertThat(app.getLogTerm()).isEqualTo(6);
        assertThat(app.getCommit()).isEqualTo(40);
        assertThat(app.getEntries(0).getType()).isEqualTo(EntryType.EntryNormal);
        assertThat(app.getEntries(0).getData().toStringUtf8()).isEqualTo("one");
        Message.InstallSnapshot snap = (Message.InstallSnapshot) Objects.requireNonNull(known().get("snap"));
        Snapshot snapshot = generated(PeerMessages.bytes(snap, Bytes.utf8("{}"))).getSnapshot();
        assertThat(snapshot.getData().toStringUtf8()).isEqualTo("{}");
        assertThat(snapshot.getMetadata().getConfState().getVotersList()).containsExactly(SELF, OTHER);
        assertThat(snapshot.getMetadata().getIndex()).isEqualTo(99);
    }

    /** Of nobody, too: a member whose snapshot record lacks conf_state stops. */
    @Test
    void aSnapshotAlwaysHasConfState() throws Exception {
        Message.InstallSnapshot snap = new Message.InstallSnapshot(1, 2, 3, new SnapshotMeta(4, 3, ConfState.EMPTY));
        assertThat(generated(PeerMessages.bytes(snap)).getSnapshot().getMetadata().hasConfState()).isTrue();
    }

    // ---- what must not reach the core

    private static Bytes ofType(int type) {
        return Bytes.of(new byte[]{8, (byte) type, 16, 2, 24, 1});
    }

    @Test
    void localAndUnknownTypesAreDropped() {
        for (int type : new int[]{0, 1, 10, 11, 12, 19, 20, 21, 22, 23, 24, 99}) {
            assertThat(PeerMessages.read(ofType(type))).isEqualTo(new Received.Dropped(type));
        }
        assertThat(PeerMessages.read(Bytes.EMPTY)).isEqualTo(new Received.Dropped(0));
    }

    @Test
    void aHeartbeatFromNobodyIsOfTheLink() {
        assertThat(PeerMessages.read(Bytes.of(new byte[]{8, 8}))).isEqualTo(new Received.LinkHeartbeat());
        assertThat(PeerMessages.read(Bytes.of(new byte[]{8, 8, 16, 0, 24, 0, 32, 0})))
                .isEqualTo(new Received.LinkHeartbeat());
    }

    private static void refused(dev.quoin.api.raftpb.Message.Builder message, String why) {
        assertThatThrownBy(() -> PeerMessages.read(Bytes.of(message.setFrom(1).setTo(2).build().toByteArray())))
                .isInstanceOf(Malformed.class).hasMessageContaining(why);
    }

    @Test
    void whatAMessageMustCarryIsDemanded() {
        refused(dev.quoin.api.raftpb.Message.newBuilder().setType(MessageType.MsgSnap), "metadata");
        refused(dev.quoin.api.raftpb.Message.newBuilder().setType(MessageType.MsgSnap).setSnapshot(
                Snapshot.newBuilder().setMetadata(SnapshotMetadata.newBuilder().setIndex(3).setTerm(1))), "conf_state");
        refused(dev.quoin.api.raftpb.Message.newBuilder().setType(MessageType.MsgReadIndex), "0 entries");
        Bytes unknownEntry = Bytes.of(new byte[]{8, 3, 24, 1, 58, 2, 8, 3});
        assertThatThrownBy(() -> PeerMessages.read(unknownEntry)).isInstanceOf(Malformed.class)
                .hasMessageContaining("unknown type 3");
    }

    @Test
    void theDataOfAnEntryIsASlice() {
        Bytes bytes = PeerMessages.bytes(Objects.requireNonNull(known().get("app")));
        assertThat(((Message.Append) told(bytes)).entries().getFirst().data().array()).isSameAs(bytes.array());
    }

    // ---- garbage

    /** What came of it: that it is malformed is the only thing, beside a value, that may. */
    private static @Nullable Received answer(byte[] bytes, String what) {
        try {
            return PeerMessages.read(Bytes.of(bytes));
        } catch (Malformed e) {
            return null;
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + ": " + HexFormat.of().formatHex(bytes), e);
        }
    }

    /** Damaged, but still a message for both readers: both see the same. */
    private static void sameAsGenerated(Message message, byte[] bytes, String what) {
        dev.quoin.api.raftpb.Message parsed;
        try {
            parsed = generated(Bytes.of(bytes));
        } catch (InvalidProtocolBufferException e) {
            return; // It looks into messages that the type does not use.
        }
        // The generated classes write anew what they have understood, and keep what they have not.
        assertThat(told(Bytes.of(parsed.toByteArray()))).as(what).isEqualTo(message);
    }

    @Test
    void everyTruncationAndEveryFlippedBitIsAnsweredOrMalformed() {
        int taken = 0;
        int refused = 0;
        for (int seed = 0; seed < 300; seed++) {
            byte[] bytes = PeerMessages.bytes(randomMessage(new Random(seed))).toByteArray();
            for (int length = 0; length < bytes.length; length++) {
                answer(java.util.Arrays.copyOf(bytes, length), "seed " + seed + " cut at " + length);
            }
            for (int bit = 0; bit < bytes.length * 8; bit++) {
                bytes[bit / 8] ^= (byte) (1 << (bit % 8));
                String what = "seed " + seed + " bit " + bit;
                @Nullable
                Received answer = answer(bytes, what);
                if (answer instanceof Received.Told told) {
                    taken++;
                    sameAsGenerated(told.message(), bytes, what);
                } else {
                    refused++;
                }
                bytes[bit / 8] ^= (byte) (1 << (bit % 8));
            }
        }
        assertThat(taken).isPositive();
        assertThat(refused).isPositive();
    }
}
