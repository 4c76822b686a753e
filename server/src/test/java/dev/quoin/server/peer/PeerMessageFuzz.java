package dev.quoin.server.peer;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;

/** What a member sends: the first byte says on which stream, or that it is posted; the second how it is cut into pieces. */
public final class PeerMessageFuzz {
    private static final int MESSAGE_BYTES_MAX = 1 << 20;
    private static final int KINDS = 3;

    private PeerMessageFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length < 2) {
            return;
        }
        Bytes sent = Bytes.of(input, 2, input.length - 2);
        try {
            switch ((input[0] & 0xff) % KINDS) {
                case 0 -> PeerMessages.read(sent);
                case 1 -> read(new PeerStreams.MessageReader(MESSAGE_BYTES_MAX), sent, 1 + (input[1] & 0xff));
                default -> read(new PeerStreams.AppendReader(1, 2, MESSAGE_BYTES_MAX), sent, 1 + (input[1] & 0xff));
            }
        } catch (Malformed refused) {
            return; // and the connection with it
        }
    }

    private static void read(PeerStreams.Reader reader, Bytes sent, int pieceBytes) {
        for (int at = 0; at < sent.length(); at += pieceBytes) {
            reader.feed(sent.slice(at, Math.min(pieceBytes, sent.length() - at)));
            boolean isMore;
            do {
                isMore = reader.next() != null;
            } while (isMore);
        }
    }
}
