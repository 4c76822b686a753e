package dev.quoin.server.peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;
import dev.quoin.raft.Entry;
import dev.quoin.raft.Message;
import dev.quoin.server.peer.PeerMessages.Received;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The two encodings of peer streams, against what etcd's handlers sent, in pieces of all sizes, and with garbage. */
class PeerStreamsTest {
    private static final long SELF = 0xfedcba9876543210L;
    private static final long OTHER = 0x0123456789abcdefL;
    private static final int MAX = 1 << 20;

    private static Message.Append append(long term, long prev, long prevTerm, long commit, String... data) {
        List<Entry> entries = new ArrayList<>();
        for (String text : data) {
            entries.add(PeerMessagesTest.entry(term, prev + 1 + entries.size(), text));
        }
        return new Message.Append(SELF, OTHER, term, prev, prevTerm, List.copyOf(entries), commit);
    }

    /** One that starts, two that follow, one of a new term. */
    private static List<Message> appends() {
        return List.of(append(7, 41, 6, 40, "a", "b"), append(7, 43, 7, 42, "c"), append(7, 44, 7, 44),
                append(8, 44, 7, 44, "d"));
    }

    private static List<Received> readAll(PeerStreams.Reader reader, Bytes bytes, Random pieces) {
        List<Received> all = new ArrayList<>();
        int from = 0;
        while (from < bytes.length()) {
            int length = Math.min(bytes.length() - from, 1 + pieces.nextInt(12));
            reader.feed(Bytes.of(Arrays.copyOfRange(bytes.toByteArray(), from, from + length)));
            for (@Nullable
            Received next = reader.next(); next != null; next = reader.next()) {
                all.add(next);
            }
            from += length;
        }
        return all;
    }

    private static List<Message> messages(List<Received> received) {
        return received.stream().filter(Received.Told.class::isInstance).map(told -> ((Received.Told) told).message())
                .toList();
    }

    @Test
    void whatEtcdsHandlersSendIsRead() throws Exception {
        Bytes appends = Objects.requireNonNull(PeerMessagesTest.etcdBytes().get("stream-msgapp"));
        Bytes others = Objects.requireNonNull(PeerMessagesTest.etcdBytes().get("stream-message"));
        for (int seed = 0; seed < 20; seed++) {
            PeerStreams.Reader reader = new PeerStreams.AppendReader(SELF, OTHER, MAX);
            assertThat(messages(readAll(reader, appends, new Random(seed)))).isEqualTo(appends());
            assertThat(reader.isBetweenMessages()).isTrue();
            List<Message> told = messages(
                    readAll(new PeerStreams.MessageReader(MAX), others, new Random(seed)));
            assertThat(told).hasSize(2);
            assertThat(told.get(1)).isEqualTo(new Message.VoteRequest(SELF, OTHER, 7, false, 43, 6, true));
        }
    }

    /** Go's encoder would have written the same. */
    @Test
    void whatWeSendIsWhatEtcdsHandlersSend() throws Exception {
        PeerStreams.AppendWriter writer = new PeerStreams.AppendWriter();
        ProtoWriter out = new ProtoWriter(0);
        appends().forEach(append -> writer.write(out, (Message.Append) append));
        Bytes theirs = Objects.requireNonNull(PeerMessagesTest.etcdBytes().get("stream-msgapp"));
        // A handler begins with a heartbeat of the link.
        int heartbeats = theirs.at(0) == 0 ? 1 : 0;
        assertThat(Bytes.of(out.toByteArray())).isEqualTo(theirs.slice(heartbeats, theirs.length() - heartbeats));
    }

    @Test
    void appendsThatFollowAreSentWithoutWhatIsKnown() {
        PeerStreams.AppendWriter writer = new PeerStreams.AppendWriter();
        ProtoWriter out = new ProtoWriter(0);
        List<Integer> kinds = new ArrayList<>();
        for (Message append : appends()) {
            int at = out.size();
            writer.write(out, (Message.Append) append);
            kinds.add((int) out.buffer()[at]);
        }
        writer.heartbeat(out);
        assertThat(kinds).containsExactly(2, 1, 1, 2);
        for (int seed = 0; seed < 50; seed++) {
            List<Received> received = readAll(new PeerStreams.AppendReader(SELF, OTHER, MAX),
                    Bytes.of(out.toByteArray()), new Random(seed));
            assertThat(messages(received)).as("seed %d", seed).isEqualTo(appends());
            assertThat(received.getLast()).isEqualTo(new Received.LinkHeartbeat());
        }
    }

    @Test
    void messagesComeBackInPiecesOfAllSizes() {
        for (int seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            PeerStreams.MessageWriter writer = new PeerStreams.MessageWriter();
            ProtoWriter out = new ProtoWriter(0);
            List<Message> sent = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                sent.add(PeerMessagesTest.randomMessage(random));
                writer.write(out, sent.getLast());
                writer.heartbeat(out);
            }
            PeerStreams.Reader reader = new PeerStreams.MessageReader(MAX);
            List<Received> received = readAll(reader, Bytes.of(out.toByteArray()), random);
            assertThat(messages(received)).as("seed %d", seed).isEqualTo(sent);
            assertThat(received).hasSize(40);
            assertThat(reader.isBetweenMessages()).isTrue();
        }
    }

    @Test
    void whatIsWholeInAPieceIsASliceOfIt() {
        ProtoWriter out = new ProtoWriter(0);
        new PeerStreams.AppendWriter().write(out, append(7, 41, 6, 40, "data"));
        Bytes piece = Bytes.of(out.toByteArray());
        PeerStreams.Reader reader = new PeerStreams.AppendReader(SELF, OTHER, MAX);
        reader.feed(piece);
        Received.Told told = (Received.Told) Objects.requireNonNull(reader.next());
        assertThat(((Message.Append) told.message()).entries().getFirst().data().array()).isSameAs(piece.array());
    }

    @Test
    void whatFollowsTheFirstMessageIsLeftToTheCaller() {
        ProtoWriter out = new ProtoWriter(0);
        new PeerStreams.MessageWriter().write(out, new Message.TimeoutNow(1, 2, 3));
        out.raw(new byte[]{9, 9, 9}, 0, 3);
        PeerStreams.Reader reader = new PeerStreams.MessageReader(MAX);
        reader.feed(Bytes.of(out.toByteArray()));
        assertThat(reader.next()).isEqualTo(new Received.Told(new Message.TimeoutNow(1, 2, 3)));
        assertThat(reader.rest()).isEqualTo(Bytes.of(new byte[]{9, 9, 9}));
    }

    private static void refused(PeerStreams.Reader reader, String hex, String why) {
        reader.feed(Bytes.of(HexFormat.of().parseHex(hex)));
        assertThatThrownBy(reader::next).isInstanceOf(Malformed.class).hasMessageContaining(why);
    }

    @Test
    void lengthsAreBounded() {
        refused(new PeerStreams.MessageReader(100), "0000000000000065", "length of 101");
        refused(new PeerStreams.MessageReader(100), "ffffffffffffffff", "length of 18446744073709551615");
        refused(new PeerStreams.AppendReader(1, 2, 100), "02" + "0000000000000065", "length of 101");
        refused(new PeerStreams.AppendReader(1, 2, 100), "01" + "000000000000000d", "length of 13");
        // Two entries: 16 bytes for their lengths, so 84 for both.
        refused(new PeerStreams.AppendReader(1, 2, 100), "01" + "0000000000000002" + "0000000000000055", "at most 84");
        assertThatThrownBy(() -> new PeerStreams.MessageReader(PeerStreams.MESSAGE_BYTES_MAX + 1))
                .isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void onlyAppendsMayBeOnAStreamOfAppends() {
        refused(new PeerStreams.AppendReader(1, 2, 100), "03", "type 3");
        refused(new PeerStreams.AppendReader(1, 2, 100), "02" + "0000000000000006" + "080e10021801", "something else");
        refused(new PeerStreams.AppendReader(1, 2, 100), "02" + "0000000000000000", "something else");
    }

    private static void survives(PeerStreams.Reader reader, byte[] bytes, String what) {
        try {
            readAll(reader, Bytes.of(bytes), new Random(1));
        } catch (Malformed e) {
            // The connection goes.
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + ": " + HexFormat.of().formatHex(bytes), e);
        }
    }

    @Test
    void everyFlippedBitAndTruncationIsAnsweredOrMalformed() {
        PeerStreams.AppendWriter writer = new PeerStreams.AppendWriter();
        ProtoWriter out = new ProtoWriter(0);
        appends().forEach(append -> writer.write(out, (Message.Append) append));
        byte[] bytes = out.toByteArray();
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            bytes[bit / 8] ^= (byte) (1 << (bit % 8));
            survives(new PeerStreams.AppendReader(SELF, OTHER, MAX), bytes, "bit " + bit);
            survives(new PeerStreams.MessageReader(MAX), bytes, "bit " + bit);
            bytes[bit / 8] ^= (byte) (1 << (bit % 8));
        }
        int boundaries = 0;
        for (int length = 0; length <= bytes.length; length++) {
            PeerStreams.Reader reader = new PeerStreams.AppendReader(SELF, OTHER, MAX);
            readAll(reader, Bytes.of(Arrays.copyOf(bytes, length)), new Random(1));
            boundaries += reader.isBetweenMessages() ? 1 : 0;
        }
        assertThat(boundaries).isEqualTo(appends().size() + 1);
    }
}
