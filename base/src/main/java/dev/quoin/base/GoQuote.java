package dev.quoin.base;

import java.nio.charset.StandardCharsets;

/** Texts between quotes, letter by letter as Go's {@code %q} writes them: etcd's errors are full of them, and clients match those. */
public final class GoQuote {
    private static final String HEX = "0123456789abcdef";

    private GoQuote() {}

    /** {@code fmt.Sprintf("%q", text)}. */
    public static String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /** {@code fmt.Sprintf("%q", bytes)}: bytes that are no UTF-8 become {@code \xNN}. */
    public static String of(byte[] bytes) {
        StringBuilder quoted = new StringBuilder(bytes.length + 2).append('"');
        int at = 0;
        while (at < bytes.length) {
            int character = characterAt(bytes, at);
            if (character < 0) {
                hex(quoted.append("\\x"), bytes[at] & 0xff, 2);
                at++;
            } else {
                escape(quoted, character);
                at += length(character);
            }
        }
        return quoted.append('"').toString();
    }

    private static void escape(StringBuilder quoted, int character) {
        switch (character) {
            case '"' -> quoted.append("\\\"");
            case '\\' -> quoted.append("\\\\");
            case 0x07 -> quoted.append("\\a");
            case '\b' -> quoted.append("\\b");
            case '\f' -> quoted.append("\\f");
            case '\n' -> quoted.append("\\n");
            case '\r' -> quoted.append("\\r");
            case '\t' -> quoted.append("\\t");
            case 0x0b -> quoted.append("\\v");
            default -> {
                if (isPrintable(character)) {
                    quoted.appendCodePoint(character);
                } else if (character < 0x20 || character == 0x7f) {
                    hex(quoted.append("\\x"), character, 2);
                } else if (character < 0x10000) {
                    hex(quoted.append("\\u"), character, 4);
                } else {
                    hex(quoted.append("\\U"), character, 8);
                }
            }
        }
    }

    private static void hex(StringBuilder text, int number, int digits) {
        for (int digit = digits - 1; digit >= 0; digit--) {
            text.append(HEX.charAt((number >> (4 * digit)) & 15));
        }
    }

    /** Letters, marks, numbers, punctuation, symbols, and of all spaces the ASCII one ({@code unicode.IsPrint}). */
    private static boolean isPrintable(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                false;
            case Character.SPACE_SEPARATOR -> character == ' ';
            default -> true;
        };
    }

    private static int length(int character) {
        return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    }

    /** The character that begins at {@code at}, or -1 if the bytes there are no UTF-8. */
    private static int characterAt(byte[] bytes, int at) {
        int first = bytes[at] & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = first >= 0xc2 && first < 0xe0 ? 2
                : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
        if (length == 0 || at + length > bytes.length) {
            return -1;
        }
        int character = first & (0xff >> (length + 1));
        for (int i = 1; i < length; i++) {
            int next = bytes[at + i] & 0xff;
            if ((next & 0xc0) != 0x80) {
                return -1;
            }
            character = character << 6 | (next & 0x3f);
        }
        boolean isSurrogate = character >= 0xd800 && character < 0xe000;
        return length(character) == length && !isSurrogate && character <= 0x10ffff ? character : -1;
    }
}
