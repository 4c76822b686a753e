package dev.quoin.server.gateway;

import java.util.Arrays;
import java.util.Locale;

/**
 * Finds the end of a JSON value while its bytes arrive, and whatever is wrong with it, in the words of Go's encoding/json
 * (scanner.go). It looks at the form alone, and not into strings; nothing is kept but how deep it is. One value each; then
 * {@link #reset}.
 */
final class JsonScanner {
    /** Go takes 10,000; nothing that has a meaning here is half as deep as this. */
    private static final int DEPTH_MAX = 1_000;

    /** What a byte was. */
    enum Found {
        /** White space before the value. */
        NOTHING,
        /** The value goes on after this byte. */
        MORE,
        /** The value is over, with this byte. */
        END,
        /** The value was over before this byte: a number has no end of its own. */
        ENDED_BEFORE
    }

    /** Why it is no JSON. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message, null, false, false);
        }
    }

    private enum State {
        BEGIN_VALUE, BEGIN_VALUE_OR_EMPTY, BEGIN_NAME, BEGIN_NAME_OR_EMPTY, END_VALUE, IN_STRING, IN_ESCAPE, IN_HEX,
        IN_LITERAL, MINUS, ZERO, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS
    }

    /** Where in an object or array. */
    private static final byte NAME = 0;
    private static final byte MEMBER = 1;
    private static final byte ELEMENT = 2;

    private byte[] open = new byte[16];
    private int depth;
    private State state = State.BEGIN_VALUE;
    private boolean begun;
    private int hexLeft;
    private String literal = "";
    private int literalAt;

    void reset() {
        depth = 0;
        state = State.BEGIN_VALUE;
        begun = false;
    }

    /** Whether a value has begun and is not over. */
    boolean isInside() {
        return begun;
    }

    Found step(byte next) throws Malformed {
        int c = next & 0xff;
        if (!begun && isSpace(c)) {
            return Found.NOTHING;
        }
        begun = true;
        return switch (state) {
            case BEGIN_VALUE_OR_EMPTY -> {
                if (isSpace(c)) {
                    yield Found.MORE;
                }
                yield c == ']' ? endValue(c) : beginValue(c);
            }
            case BEGIN_VALUE -> isSpace(c) ? Found.MORE : beginValue(c);
            case BEGIN_NAME_OR_EMPTY -> {
                if (c == '}') {
                    open[depth - 1] = MEMBER;
                    yield endValue(c);
                }
                yield beginName(c);
            }
            case BEGIN_NAME -> beginName(c);
            case END_VALUE -> endValue(c);
            case IN_STRING -> inString(c);
            case IN_ESCAPE -> inEscape(c);
            case IN_HEX -> inHex(c);
            case IN_LITERAL -> inLiteral(c);
            default -> inNumber(c);
        };
    }

    /** The body is over: a number may be, too. */
    boolean endsHere() {
        return depth == 0 && (state == State.ZERO || state == State.INTEGER || state == State.FRACTION
                || state == State.EXPONENT_DIGITS);
    }

    private static boolean isSpace(int c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private Found go(State to) {
        state = to;
        return Found.MORE;
    }

    private Found beginValue(int c) throws Malformed {
        return switch (c) {
            case '{' -> push(c, NAME, State.BEGIN_NAME_OR_EMPTY);
            case '[' -> push(c, ELEMENT, State.BEGIN_VALUE_OR_EMPTY);
            case '"' -> go(State.IN_STRING);
            case '-' -> go(State.MINUS);
            case '0' -> go(State.ZERO);
            case 't' -> beginLiteral("true");
            case 'f' -> beginLiteral("false");
            case 'n' -> beginLiteral("null");
            default -> {
                if (isDigit(c)) {
                    yield go(State.INTEGER);
                }
                throw malformed(c, "looking for beginning of value");
            }
        };
    }

    private Found push(int c, byte where, State to) throws Malformed {
        if (depth == DEPTH_MAX) {
            throw malformed(c, "exceeded max depth");
        }
        if (depth == open.length) {
            open = Arrays.copyOf(open, 2 * depth);
        }
        open[depth++] = where;
        return go(to);
    }

    private Found beginLiteral(String text) {
        literal = text;
        literalAt = 1;
        return go(State.IN_LITERAL);
    }

    private Found beginName(int c) throws Malformed {
        if (isSpace(c)) {
            return Found.MORE;
        }
        if (c != '"') {
            throw malformed(c, "looking for beginning of object key string");
        }
        return go(State.IN_STRING);
    }

    /** After a value, or with the bracket that ends one. */
    private Found endValue(int c) throws Malformed {
        if (depth == 0) {
            return Found.ENDED_BEFORE;
        }
        if (isSpace(c)) {
            return go(State.END_VALUE);
        }
        return switch (open[depth - 1]) {
            case NAME -> {
                if (c != ':') {
                    throw malformed(c, "after object key");
                }
                open[depth - 1] = MEMBER;
                yield go(State.BEGIN_VALUE);
            }
            case MEMBER -> {
                if (c == ',') {
                    open[depth - 1] = NAME;
                    yield go(State.BEGIN_NAME);
                }
                yield pop(c, '}', "after object key:value pair");
            }
            default -> c == ',' ? go(State.BEGIN_VALUE) : pop(c, ']', "after array element");
        };
    }

    private Found pop(int c, char end, String where) throws Malformed {
        if (c != end) {
            throw malformed(c, where);
        }
        depth--;
        state = State.END_VALUE;
        return depth == 0 ? Found.END : Found.MORE;
    }

    private Found inString(int c) throws Malformed {
        if (c == '"') {
            return depth == 0 ? Found.END : go(State.END_VALUE);
        }
        if (c < 0x20) {
            throw malformed(c, "in string literal");
        }
        return c == '\\' ? go(State.IN_ESCAPE) : Found.MORE;
    }

    private Found inEscape(int c) throws Malformed {
        if (c == 'u') {
            hexLeft = 4;
            return go(State.IN_HEX);
        }
        if ("bfnrt\\/\"".indexOf(c) < 0) {
            throw malformed(c, "in string escape code");
        }
        return go(State.IN_STRING);
    }

    private Found inHex(int c) throws Malformed {
        if (Character.digit(c, 16) < 0) {
            throw malformed(c, "in \\u hexadecimal character escape");
        }
        return --hexLeft == 0 ? go(State.IN_STRING) : Found.MORE;
    }

    private Found inLiteral(int c) throws Malformed {
        char expected = literal.charAt(literalAt);
        if (c != expected) {
            throw malformed(c, "in literal " + literal + " (expecting '" + expected + "')");
        }
        if (++literalAt < literal.length()) {
            return Found.MORE;
        }
        return depth == 0 ? Found.END : go(State.END_VALUE);
    }

    private Found inNumber(int c) throws Malformed {
        return switch (state) {
            case MINUS -> {
                if (!isDigit(c)) {
                    throw malformed(c, "in numeric literal");
                }
                yield go(c == '0' ? State.ZERO : State.INTEGER);
            }
            case POINT -> digitOr(c, State.FRACTION, "after decimal point in numeric literal");
            case EXPONENT -> c == '+' || c == '-'
                    ? go(State.EXPONENT_SIGN)
                    : digitOr(c, State.EXPONENT_DIGITS, "in exponent of numeric literal");
            case EXPONENT_SIGN -> digitOr(c, State.EXPONENT_DIGITS, "in exponent of numeric literal");
            default -> afterDigit(c);
        };
    }

    private Found digitOr(int c, State to, String where) throws Malformed {
        if (!isDigit(c)) {
            throw malformed(c, where);
        }
        return go(to);
    }

    private Found afterDigit(int c) throws Malformed {
        if (isDigit(c) && state != State.ZERO) {
            return Found.MORE;
        }
        if (c == '.' && (state == State.ZERO || state == State.INTEGER)) {
            return go(State.POINT);
        }
        if ((c == 'e' || c == 'E') && state != State.EXPONENT_DIGITS) {
            return go(State.EXPONENT);
        }
        return endValue(c);
    }

    private static Malformed malformed(int c, String where) {
        return new Malformed("invalid character " + quoted(c) + " " + where);
    }

    /** A byte as Go quotes it: as the character of that number. */
    private static String quoted(int c) {
        String inside = switch (c) {
            case '\'' -> "\\'";
            case '\\' -> "\\\\";
            case 7 -> "\\a";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case 11 -> "\\v";
            default -> {
                if (c < 0x20 || c == 0x7f) {
                    yield String.format(Locale.ROOT, "\\x%02x", c);
                }
                boolean isHidden = (c >= 0x80 && c <= 0xa0) || c == 0xad;
                yield isHidden ? String.format(Locale.ROOT, "\\u%04x", c) : String.valueOf((char) c);
            }
        };
        return "'" + inside + "'";
    }
}
