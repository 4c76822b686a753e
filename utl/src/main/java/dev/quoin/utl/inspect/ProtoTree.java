package dev.quoin.utl.inspect;

import java.util.HexFormat;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.GoQuote;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.base.ProtoWriter;

/**
 * A protobuf message of which nobody knows what it is: its fields by their numbers, in their order, as far as bytes can be read
 * without a schema.
 *
 * <p>A number is shown as an unsigned one, four and eight bytes in hexadecimal. Other bytes may be text, a message or neither:
 * they are taken for text if they are UTF-8 and hold nothing but what can be printed, for a message if they read as one to the
 * last byte, and else are shown in hexadecimal. So now and then a short message is shown as the text that it happens to be.
 */
final class ProtoTree {
    /** Deeper than any object of Kubernetes'. */
    private static final int DEPTH_MAX = 32;
    /** Bytes that are neither text nor a message are shown up to here. */
    private static final int HEX_BYTES_MAX = 64;

    private final StringBuilder lines = new StringBuilder();

    private ProtoTree() {}

    /** A line for each field, those of an inner message further in; null if it is no message. */
    static @Nullable String of(Bytes message, String indent) {
        ProtoTree tree = new ProtoTree();
        return tree.add(message, indent, 0) ? tree.lines.toString() : null;
    }

    /** Whether it is a message; if not, nothing was added. */
    private boolean add(Bytes message, String indent, int depth) {
        if (message.isEmpty() || depth > DEPTH_MAX) {
            return false;
        }
        int start = lines.length();
        try {
            ProtoReader reader = new ProtoReader(message);
            for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                lines.append(indent).append(ProtoReader.field(tag)).append(':');
                addValue(reader, tag, indent, depth);
            }
            return true;
        } catch (Malformed no) {
            lines.setLength(start);
            return false;
        }
    }

    private void addValue(ProtoReader reader, int tag, String indent, int depth) {
        switch (ProtoReader.wireType(tag)) {
            case ProtoWriter.VARINT -> line(Long.toUnsignedString(reader.varint(tag)));
            case ProtoWriter.LENGTH_DELIMITED -> addBytes(reader.bytes(tag), indent, depth);
            case ProtoReader.FIXED_64 -> line("0x" + HexFormat.of().toHexDigits(reader.fixed(tag)));
            case ProtoReader.FIXED_32 -> line("0x" + HexFormat.of().toHexDigits((int) reader.fixed(tag)));
            default -> throw new Malformed("a group, which nobody writes any more");
        }
    }

    private void addBytes(Bytes bytes, String indent, int depth) {
        String text = ValueText.printable(bytes);
        if (text != null) {
            line(GoQuote.of(text));
            return;
        }
        int start = lines.length();
        lines.append('\n');
        if (!add(bytes, indent + "  ", depth + 1)) {
            lines.setLength(start);
            boolean isLong = bytes.length() > HEX_BYTES_MAX;
            Bytes shown = isLong ? bytes.slice(0, HEX_BYTES_MAX) : bytes;
            line("0x" + HexFormat.of().formatHex(shown.toByteArray())
                    + (isLong ? "… (" + bytes.length() + " bytes)" : ""));
        }
    }

    private void line(String value) {
        lines.append(' ').append(value).append('\n');
    }
}
