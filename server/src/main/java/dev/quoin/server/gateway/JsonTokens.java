package dev.quoin.server.gateway;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

import dev.quoin.base.Bytes;

/**
 * The tokens of a JSON document whose form {@link JsonScanner} has found to be right: so nothing is out of place, and all that
 * can be wrong is inside a string. Commas and colons are passed over. Belongs to one thread.
 */
final class JsonTokens {
    /** What there may be; a name is a string before a colon. */
    enum Kind {
        OBJECT, OBJECT_END, ARRAY, ARRAY_END, STRING, NUMBER, TRUE, FALSE, NULL
    }

    /** One token: where it begins in the document, and where it is over. */
    record Token(Kind kind, int from, int to) {}

    /** What is wrong with a document, and where, in the words of Go's protojson. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super("proto: " + message, null, false, false);
        }
    }

    private final byte[] in;
    private int at;

    JsonTokens(Bytes document) {
        in = document.toByteArray();
    }

    /** The kind of the next token, which stays the next. */
    Kind peek() {
        skip();
        return switch (in[at]) {
            case '{' -> Kind.OBJECT;
            case '}' -> Kind.OBJECT_END;
            case '[' -> Kind.ARRAY;
            case ']' -> Kind.ARRAY_END;
            case '"' -> Kind.STRING;
            case 't' -> Kind.TRUE;
            case 'f' -> Kind.FALSE;
            case 'n' -> Kind.NULL;
            default -> Kind.NUMBER;
        };
    }

    private void skip() {
        while (at < in.length && (in[at] <= ' ' || in[at] == ',' || in[at] == ':')) {
            at++;
        }
    }

    Token next() throws Refused {
        Kind kind = peek();
        int from = at;
        switch (kind) {
            case OBJECT, OBJECT_END, ARRAY, ARRAY_END -> at++;
            case STRING -> skipString();
            case TRUE, NULL -> at += 4;
            case FALSE -> at += 5;
            case NUMBER -> skipNumber();
        }
        return new Token(kind, from, at);
    }

    private void skipNumber() {
        while (at < in.length && ",]} \t\r\n".indexOf(in[at]) < 0) {
            at++;
        }
    }

    /** Passes over a value, whatever it is. */
    void skipValue() throws Refused {
        int depth = 0;
        do {
            switch (next().kind()) {
                case OBJECT, ARRAY -> depth++;
                case OBJECT_END, ARRAY_END -> depth--;
                case STRING, NUMBER, TRUE, FALSE, NULL -> {}
            }
        } while (depth > 0);
    }

    /** Every string is looked into, also where nobody wants to know. */
    private void skipString() throws Refused {
        int from = at++;
        boolean isPlain = true;
        for (; in[at] != '"'; at++) {
            if (in[at] == '\\') {
                isPlain = false;
                at++;
            }
            isPlain &= in[at] >= 0;
        }
        at++;
        if (!isPlain) {
            text(from, at);
        }
    }

    /** As it is written. */
    String raw(Token token) {
        return new String(in, token.from(), token.to() - token.from(), StandardCharsets.UTF_8);
    }

    /** What a string token says. */
    String text(Token token) throws Refused {
        return text(token.from(), token.to());
    }

    private String text(int from, int to) throws Refused {
        String inside = utf8(from, to);
        if (inside.indexOf('\\') < 0) {
            return inside;
        }
        StringBuilder text = new StringBuilder(inside.length());
        int i = 0;
        while (i < inside.length()) {
            char c = inside.charAt(i);
            if (c != '\\') {
                text.append(c);
                i++;
            } else if (inside.charAt(i + 1) == 'u') {
                i += unescape(from, inside, i, text);
            } else {
                text.append(switch (inside.charAt(i + 1)) {
                    case 'b' -> '\b';
                    case 'f' -> '\f';
                    case 'n' -> '\n';
                    case 'r' -> '\r';
                    case 't' -> '\t';
                    default -> inside.charAt(i + 1);
                });
                i += 2;
            }
        }
        return text.toString();
    }

    private String utf8(int from, int to) throws Refused {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(in, from + 1, to - from - 2)).toString();
        } catch (CharacterCodingException e) {
            throw syntax(from, "invalid UTF-8 in string");
        }
    }

    /** An escape by a number, or two of a pair; how long it was. */
    private int unescape(int from, String inside, int i, StringBuilder text) throws Refused {
        char first = (char) Integer.parseInt(inside, i + 2, i + 6, 16);
        if (!Character.isSurrogate(first)) {
            text.append(first);
            return 6;
        }
        if (inside.startsWith("\\u", i + 6)) {
            char second = (char) Integer.parseInt(inside, i + 8, i + 12, 16);
            if (Character.isSurrogatePair(first, second)) {
                text.append(first).append(second);
                return 12;
            }
        }
        throw syntax(from, "invalid escape code \"\\" + inside.substring(i, i + 6) + "\" in string");
    }

    // ---- errors

    Refused unexpected(Token token) {
        return syntax(token.from(), "unexpected token " + raw(token));
    }

    Refused refused(Token token, String why) {
        return new Refused("(line " + position(token.from()) + "): " + why);
    }

    private Refused syntax(int from, String why) {
        return new Refused("syntax error (line " + position(from) + "): " + why);
    }

    /** Line and column, from 1 on; a column is a character. */
    private String position(int index) {
        int line = 1;
        int begin = 0;
        for (int i = 0; i < index; i++) {
            if (in[i] == '\n') {
                line++;
                begin = i + 1;
            }
        }
        String before = new String(in, begin, index - begin, StandardCharsets.UTF_8);
        return line + ":" + (before.codePointCount(0, before.length()) + 1);
    }
}
