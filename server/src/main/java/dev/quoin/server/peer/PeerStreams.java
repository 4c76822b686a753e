package dev.quoin.server.peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;
import dev.quoin.raft.Entry;
import dev.quoin.raft.Message;
import dev.quoin.server.peer.PeerMessages.Received;

/**
 * The two encodings of etcd's peer streams (rafthttp). {@link MessageWriter} and {@link MessageReader}: each message behind
 * its length. {@link AppendWriter} and {@link AppendReader}, called msgAppV2: appends that follow one another are sent
 * without what the receiver knows already, so both ends keep the place in the log where the last one ended.
 *
 * <p>All numbers are eight bytes, big-endian, unsigned. One writer and one reader belong to one connection. A reader is fed
 * whatever pieces arrive; what is whole in a piece stays a slice of it. A length is believed only as its bytes arrive.
 * After a {@link Malformed} a reader is of no further use: the connection must go.
 */
final class PeerStreams {
    /** As much as a member of etcd takes for one message. */
    static final int MESSAGE_BYTES_MAX = 512 << 20;

    /** The first byte of what comes on an append stream. */
    private static final byte LINK_HEARTBEAT = 0;
    private static final byte ENTRIES = 1;
    private static final byte APPEND = 2;

    private static final int NUMBER_BYTES = 8;

    private PeerStreams() {}

    private static void number(ProtoWriter out, long value) {
        byte[] bytes = new byte[NUMBER_BYTES];
        for (int i = 0; i < NUMBER_BYTES; i++) {
            bytes[i] = (byte) (value >>> (56 - 8 * i));
        }
        out.raw(bytes, 0, NUMBER_BYTES);
    }

    private static long number(Bytes bytes) {
        long value = 0;
        for (int i = 0; i < NUMBER_BYTES; i++) {
            value = (value << 8) | (bytes.at(i) & 0xff);
        }
        return value;
    }

    private static void message(ProtoWriter out, Message message) {
        Bytes bytes = PeerMessages.bytes(message);
        number(out, bytes.length());
        out.raw(bytes.array(), bytes.offset(), bytes.length());
    }

    /** Encodes what goes onto one connection. */
    sealed interface Writer {
        void write(ProtoWriter out, Message message);

        /** To be written, and flushed, well before five seconds of silence are over: the other end gives up then. */
        void heartbeat(ProtoWriter out);
    }

    /** Writes any message but a snapshot's, which has a request of its own. */
    static final class MessageWriter implements Writer {
        @Override
        public void write(ProtoWriter out, Message message) {
            message(out, message);
        }

        /** The message of a state, with what an etcd of up to 3.6 wants in it. */
        void write(ProtoWriter out, Message.InstallSnapshot message, Bytes oldStore) {
            Bytes bytes = PeerMessages.bytes(message, oldStore);
            number(out, bytes.length());
            out.raw(bytes.array(), bytes.offset(), bytes.length());
        }

        @Override
        public void heartbeat(ProtoWriter out) {
            ProtoWriter message = new ProtoWriter(2);
            PeerMessages.writeLinkHeartbeat(message);
            number(out, message.size());
            out.raw(message.buffer(), 0, message.size());
        }
    }

    /** Writes appends alone. What it has written decides how the next one is written: none may be lost in between. */
    static final class AppendWriter implements Writer {
        private long term;
        private long index;

        @Override
        public void write(ProtoWriter out, Message message) {
            if (!(message instanceof Message.Append append)) {
                throw Invariant.violation("a stream of appends is to carry %s", message);
            }
            boolean follows = append.prevIndex() == index && append.prevTerm() == term && append.term() == term;
            if (follows) {
                entries(out, append);
                index += append.entries().size();
            } else {
                out.raw(new byte[]{APPEND}, 0, 1);
                message(out, append);
                term = append.term();
                index = end(append);
            }
        }

        private static void entries(ProtoWriter out, Message.Append append) {
            out.raw(new byte[]{ENTRIES}, 0, 1);
            number(out, append.entries().size());
            for (Entry entry : append.entries()) {
                number(out, PeerMessages.entryBytes(entry));
                PeerMessages.writeEntryAlone(out, entry);
            }
            number(out, append.commit());
        }

        @Override
        public void heartbeat(ProtoWriter out) {
            out.raw(new byte[]{LINK_HEARTBEAT}, 0, 1);
        }
    }

    /** Where the log ends behind an append. */
    private static long end(Message.Append append) {
        return append.entries().isEmpty() ? append.prevIndex() : append.entries().getLast().index();
    }

    /**
     * Cuts a stream into parts: the reader says how many bytes the next one has, and gets it once it is whole. Usage:
     * {@code feed} a piece, then {@code next} until it is null.
     */
    abstract static class Reader {
        final int messageBytesMax;
        private Bytes piece = Bytes.EMPTY;
        private byte[] gathered = new byte[0]; // the beginning of a part whose end has not come
        private int gatheredBytes;
        private int partBytes;

        /**
         * @param firstPartBytes  what the first part has
         * @param messageBytesMax what a message may have, on an append stream with all that frames its entries
         */
        Reader(int firstPartBytes, int messageBytesMax) {
            Invariant.check(messageBytesMax > 0 && messageBytesMax <= MESSAGE_BYTES_MAX,
                    "messages of up to %d bytes", messageBytesMax);
            this.messageBytesMax = messageBytesMax;
            partBytes = firstPartBytes;
        }

        /** What arrived, which nobody changes any more. All that came before must have been taken. */
        final void feed(Bytes arrived) {
            Invariant.check(piece.isEmpty(), "%d bytes have not been taken", piece.length());
            piece = arrived;
        }

        /**
         * The next thing that is whole, or null.
         *
         * @throws Malformed this is not such a stream, or a message is too long
         */
        final @Nullable Received next() {
            for (Bytes part = takePart(); part != null; part = takePart()) {
                Received received = part(part);
                if (received != null) {
                    return received;
                }
            }
            return null;
        }

        /** What was fed and is not read, and is none of this reader's any more: the state behind a snapshot's message. */
        final Bytes rest() {
            Bytes rest = piece;
            piece = Bytes.EMPTY;
            return rest;
        }

        /** The next part has so many bytes. */
        final void expect(int bytes) {
            partBytes = bytes;
        }

        /** A length as it came, if it is no more than {@code max}. */
        static int length(Bytes part, int max) {
            long length = number(part);
            if (length < 0 || length > max) {
                throw new Malformed(
                        "a length of " + Long.toUnsignedString(length) + " where at most " + max + " is taken");
            }
            return (int) length;
        }

        private @Nullable Bytes takePart() {
            if (gatheredBytes == 0 && piece.length() >= partBytes) {
                return take(partBytes);
            }
            gather(take(Math.min(piece.length(), partBytes - gatheredBytes)));
            if (gatheredBytes < partBytes) {
                return null;
            }
            Bytes part = Bytes.of(gathered, 0, gatheredBytes);
            gathered = new byte[0];
            gatheredBytes = 0;
            return part;
        }

        private Bytes take(int bytes) {
            Bytes taken = piece.slice(0, bytes);
            piece = piece.slice(bytes, piece.length() - bytes);
            return taken;
        }

        private void gather(Bytes more) {
            int wanted = gatheredBytes + more.length();
            if (wanted > gathered.length) {
                long roomy = Math.max(2L * gathered.length, wanted);
                gathered = Arrays.copyOf(gathered, (int) Math.min(roomy, partBytes));
            }
            more.copyTo(gathered, gatheredBytes);
            gatheredBytes = wanted;
        }

        /** Whether the stream may end here: no message is half there. */
        boolean isBetweenMessages() {
            return gatheredBytes == 0 && piece.isEmpty();
        }

        /** Takes the part that was expected, says what is expected next, and returns what is whole by it, or null. */
        abstract @Nullable Received part(Bytes part);
    }

    /** Reads what a {@link MessageWriter} writes. */
    static final class MessageReader extends Reader {
        private boolean inMessage;

        MessageReader(int messageBytesMax) {
            super(NUMBER_BYTES, messageBytesMax);
        }

        @Override
        @Nullable
        Received part(Bytes part) {
            if (!inMessage) {
                inMessage = true;
                expect(length(part, messageBytesMax));
                return null;
            }
            inMessage = false;
            expect(NUMBER_BYTES);
            return PeerMessages.read(part);
        }

        @Override
        boolean isBetweenMessages() {
            return !inMessage && super.isBetweenMessages();
        }
    }

    /** Reads what an {@link AppendWriter} writes. */
    static final class AppendReader extends Reader {
        private enum Part {
            KIND, MESSAGE_LENGTH, MESSAGE, ENTRY_COUNT, ENTRY_LENGTH, ENTRY, COMMIT
        }

        private final long from;
        private final long to;
        private long term;
        private long index;
        private Part expected = Part.KIND;
        private List<Entry> entries = new ArrayList<>();
        private int entriesMissing;
        private int bytesLeft; // of those that one append may have

        /**
         * @param from whose appends these are, for the stream does not repeat it
         * @param to   who reads
         */
        AppendReader(long from, long to, int messageBytesMax) {
            super(1, messageBytesMax);
            this.from = from;
            this.to = to;
        }

        @Override
        @Nullable
        Received part(Bytes part) {
            return switch (expected) {
                case KIND -> kind(part.at(0));
                case MESSAGE_LENGTH -> expect(Part.MESSAGE, length(part, messageBytesMax));
                case MESSAGE -> message(part);
                case ENTRY_COUNT -> count(part);
                case ENTRY_LENGTH -> {
                    int length = length(part, bytesLeft);
                    bytesLeft -= length;
                    yield expect(Part.ENTRY, length);
                }
                case ENTRY -> {
                    entries.add(PeerMessages.entry(part));
                    entriesMissing--;
                    yield nextEntry();
                }
                case COMMIT -> append(number(part));
            };
        }

        private @Nullable Received expect(Part next, int bytes) {
            expected = next;
            expect(bytes);
            return null;
        }

        private @Nullable Received kind(byte kind) {
            return switch (kind) {
                case LINK_HEARTBEAT -> new Received.LinkHeartbeat();
                case ENTRIES -> expect(Part.ENTRY_COUNT, NUMBER_BYTES);
                case APPEND -> expect(Part.MESSAGE_LENGTH, NUMBER_BYTES);
                default -> throw new Malformed("type " + (kind & 0xff) + " on a stream of appends");
            };
        }

        private Received message(Bytes part) {
            Received received = PeerMessages.read(part);
            if (!(received instanceof Received.Told told && told.message() instanceof Message.Append append)) {
                throw new Malformed("a stream of appends carries something else");
            }
            term = append.term();
            index = end(append);
            expect(Part.KIND, 1);
            return received;
        }

        private @Nullable Received count(Bytes part) {
            // Each has at least its length.
            entriesMissing = length(part, messageBytesMax / NUMBER_BYTES);
            bytesLeft = messageBytesMax - entriesMissing * NUMBER_BYTES;
            entries = new ArrayList<>();
            return nextEntry();
        }

        private @Nullable Received nextEntry() {
            return expect(entriesMissing > 0 ? Part.ENTRY_LENGTH : Part.COMMIT, NUMBER_BYTES);
        }

        private Received append(long commit) {
            Message.Append append = new Message.Append(from, to, term, index, term, List.copyOf(entries), commit);
            index += entries.size();
            entries = new ArrayList<>();
            expect(Part.KIND, 1);
            return new Received.Told(append);
        }

        @Override
        boolean isBetweenMessages() {
            return expected == Part.KIND && super.isBetweenMessages();
        }
    }
}
