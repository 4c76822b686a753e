package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoWriter;
import dev.quoin.net.LongMessage;
import dev.quoin.net.StatusException;

/**
 * A message that consists of short pieces, written here, and of listings, whose KeyValues go from where they are stored
 * into the answer without being gathered. Written front to back; a message inside starts with its length, so its content
 * is made first, as an answer of its own, and then put in by {@link #message}.
 */
final class SplicedAnswer implements LongMessage {
    /** What the answer is made of. */
    private sealed interface Piece {
        record Written(Bytes bytes) implements Piece {}

        record Elements(int field, Listing listing) implements Piece {}
    }

    /** A field number up to this has a tag of one byte, which {@link Listing#elementBytes} counts on. */
    private static final int SHORT_FIELD_MAX = 15;
    private static final int WRITER_BYTES = 64;

    private final List<Piece> pieces = new ArrayList<>();
    private final ProtoWriter writer = new ProtoWriter(WRITER_BYTES);
    private long finished; // bytes in pieces; those in the writer come on top

    SplicedAnswer bytes(int field, Bytes bytes) {
        writer.bytesField(field, bytes);
        return this;
    }

    SplicedAnswer numberIfSet(int field, long number) {
        writer.varintFieldIfSet(field, number);
        return this;
    }

    /** A message field with {@code content}, which must not change afterwards. */
    SplicedAnswer message(int field, SplicedAnswer content) {
        writer.tag(field, ProtoWriter.LENGTH_DELIMITED);
        writer.varint(content.length());
        cut();
        content.cut();
        pieces.addAll(content.pieces);
        finished += content.finished;
        return this;
    }

    /** A repeated field with the KeyValues of {@code listing}. */
    SplicedAnswer elements(int field, Listing listing) {
        Invariant.check(field <= SHORT_FIELD_MAX, "field %d has a long tag", field);
        if (listing.size() > 0) {
            cut();
            pieces.add(new Piece.Elements(field, listing));
            finished += listing.elementBytes();
        }
        return this;
    }

    private void cut() {
        if (writer.size() > 0) {
            finished += writer.size();
            pieces.add(new Piece.Written(Bytes.of(writer.toByteArray())));
            writer.reset();
        }
    }

    @Override
    public long length() {
        return finished + writer.size();
    }

    @Override
    public void writeTo(Sink sink) throws StatusException {
        cut();
        for (Piece piece : pieces) {
            switch (piece) {
                case Piece.Written(Bytes bytes) -> {
                    if (!sink.write(bytes.array(), bytes.offset(), bytes.length())) {
                        return;
                    }
                }
                case Piece.Elements(int field, Listing listing) -> writeElements(field, listing, sink);
            }
        }
    }

    private static void writeElements(int field, Listing listing, Sink sink) throws StatusException {
        ProtoWriter head = new ProtoWriter(16);
        listing.forEach(kv -> {
            head.reset();
            head.tag(field, ProtoWriter.LENGTH_DELIMITED);
            head.varint(kv.length());
            return sink.write(head.buffer(), 0, head.size()) && sink.write(kv.array(), kv.offset(), kv.length());
        });
    }
}
