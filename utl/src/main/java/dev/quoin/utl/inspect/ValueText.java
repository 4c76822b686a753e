package dev.quoin.utl.inspect;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.GoQuote;

/** Keys and values for people. */
final class ValueText {
    private static final int HEX_LINE_BYTES = 16;

    private ValueText() {}

    /** A key as it is if it can be printed in a line, else between quotes. */
    static String key(Bytes key) {
        String text = printable(key);
        return text == null || text.contains("\n") || text.startsWith("\"") ? GoQuote.of(key.toByteArray()) : text;
    }

    /** A value as text, as an object of Kubernetes', as a message without a schema, or in hexadecimal. Ends with a line's end. */
    static String of(Bytes value) {
        KubernetesObject object = KubernetesObject.read(value);
        if (object != null) {
            String tree = ProtoTree.of(object.raw(), "  ");
            return "apiVersion: " + object.apiVersion() + "\nkind: " + object.kind() + "\n"
                    + (tree == null ? hex(object.raw()) : "fields by their numbers:\n" + tree);
        }
        String text = printable(value);
        if (text != null) {
            return text.endsWith("\n") ? text : text + "\n";
        }
        String tree = ProtoTree.of(value, "  ");
        return tree == null ? hex(value) : "a message, fields by their numbers:\n" + tree;
    }

    /** What it is, in a few words; empty if that cannot be told. */
    static String kind(Bytes value) {
        KubernetesObject object = KubernetesObject.read(value);
        return object == null ? "" : (object.apiVersion() + " " + object.kind()).strip();
    }

    /** The text that it is, if it is UTF-8 without control characters, of which it may have tabs and ends of lines inside. */
    static @Nullable String printable(Bytes bytes) {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes.array(), bytes.offset(), bytes.length())).toString();
        } catch (CharacterCodingException no) {
            return null;
        }
        // A message often begins with what would be one of these.
        boolean beginsWithControl = !text.isEmpty() && text.charAt(0) < ' ';
        boolean isPrintable = text.codePoints().allMatch(letter -> !Character.isISOControl(letter) || letter == '\n'
                || letter == '\t' || letter == '\r');
        return isPrintable && !beginsWithControl ? text : null;
    }

    private static String hex(Bytes value) {
        StringBuilder text = new StringBuilder();
        byte[] bytes = value.toByteArray();
        for (int at = 0; at < bytes.length; at += HEX_LINE_BYTES) {
            text.append(HexFormat.of().toHexDigits(at)).append("  ")
                    .append(HexFormat.ofDelimiter(" ").formatHex(bytes, at,
                            Math.min(bytes.length, at + HEX_LINE_BYTES)))
                    .append('\n');
        }
        return text.toString();
    }
}
