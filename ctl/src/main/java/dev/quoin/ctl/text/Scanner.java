package dev.quoin.ctl.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Reads quoted texts and words out of a line, as Go's {@code fmt.Sscanf} does with {@code %q} and {@code %s}. Spaces before
 * either are passed over.
 */
public final class Scanner {
    private final String line;
    private int at;

    public Scanner(String line) {
        this.line = line;
    }

    /** A text in double quotes, with Go's escapes, or in back quotes, without any. */
    public byte[] quoted() throws Malformed {
        skipSpaces();
        char quote = at < line.length() ? line.charAt(at) : 0;
        if (quote != '"' && quote != '`') {
            throw new Malformed("expected quoted string");
        }
        int end = closing(quote);
        String inside = line.substring(at + 1, end);
        at = end + 1;
        return quote == '`' ? inside.getBytes(StandardCharsets.UTF_8) : unescape(inside);
    }

    private int closing(char quote) throws Malformed {
        for (int end = at + 1; end < line.length(); end++) {
            char c = line.charAt(end);
            if (c == quote) {
                return end;
            }
            if (c == '\\' && quote == '"') {
                end++;
            }
        }
        throw new Malformed("unexpected EOF");
    }

    /** Characters up to the next space. */
    public String word() throws Malformed {
        skipSpaces();
        int begin = at;
        while (at < line.length() && !Character.isWhitespace(line.charAt(at))) {
            at++;
        }
        if (begin == at) {
            throw new Malformed("unexpected EOF");
        }
        return line.substring(begin, at);
    }

    /** This very character, with no space before it. */
    public void expect(char character) throws Malformed {
        if (at >= line.length() || line.charAt(at) != character) {
            throw new Malformed("input does not match format");
        }
        at++;
    }

    private void skipSpaces() {
        while (at < line.length() && Character.isWhitespace(line.charAt(at))) {
            at++;
        }
    }

    /** What stands between double quotes: {@code strconv.Unquote}. */
    private static byte[] unescape(String inside) throws Malformed {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(inside.length());
        int at = 0;
        while (at < inside.length()) {
            int character = inside.codePointAt(at);
            at += Character.charCount(character);
            if (character != '\\') {
                bytes.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
                continue;
            }
            if (at == inside.length()) {
                throw new Malformed("invalid syntax");
            }
            at = escape(inside, at, bytes);
        }
        return bytes.toByteArray();
    }

    /** Writes the one escape that begins behind a backslash, and says where it ends. */
    private static int escape(String inside, int at, ByteArrayOutputStream bytes) throws Malformed {
        char kind = inside.charAt(at);
        switch (kind) {
            case 'a' -> bytes.write(0x07);
            case 'b' -> bytes.write('\b');
            case 'f' -> bytes.write('\f');
            case 'n' -> bytes.write('\n');
            case 'r' -> bytes.write('\r');
            case 't' -> bytes.write('\t');
            case 'v' -> bytes.write(0x0b);
            case '\\', '"' -> bytes.write(kind);
            case 'x' -> {
                bytes.write(number(inside, at + 1, 2, 16));
                return at + 3;
            }
            case 'u', 'U' -> {
                int digits = kind == 'u' ? 4 : 8;
                int character = number(inside, at + 1, digits, 16);
                if (!Character.isValidCodePoint(character) || (character >= 0xd800 && character < 0xe000)) {
                    throw new Malformed("invalid syntax");
                }
                bytes.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
                return at + 1 + digits;
            }
            case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                int octal = number(inside, at, 3, 8);
                if (octal > 0xff) {
                    throw new Malformed("invalid syntax");
                }
                bytes.write(octal);
                return at + 3;
            }
            default -> throw new Malformed("invalid syntax");
        }
        return at + 1;
    }

    private static int number(String text, int from, int digits, int radix) throws Malformed {
        if (from + digits > text.length()) {
            throw new Malformed("invalid syntax");
        }
        try {
            return Integer.parseUnsignedInt(text, from, from + digits, radix);
        } catch (NumberFormatException notANumber) {
            throw new Malformed("invalid syntax");
        }
    }
}
