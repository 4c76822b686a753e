package dev.quoin.net;

import java.nio.charset.StandardCharsets;

import dev.quoin.base.Bytes;
import dev.quoin.base.GoQuote;

/** Texts as Go's library and grpc-go write and read them, because clients match on them. Pure functions. */
final class GoText {
    private static final String HEX = "0123456789ABCDEF";

    private GoText() {}

    /** {@code grpc-message}: printable ASCII but {@code %} as it is, all else as {@code %XX} of its UTF-8. */
    static String percentEncode(String message) {
        for (int i = 0; i < message.length(); i++) {
            if (!plain(message.charAt(i))) {
                return percentEncodeAll(message);
            }
        }
        return message;
    }

    private static String percentEncodeAll(String message) {
        // A lone surrogate becomes U+FFFD, as invalid UTF-8 does in Go: Java would write a question mark.
        StringBuilder valid = new StringBuilder(message.length());
        message.codePoints().forEach(c -> valid.appendCodePoint(c >= 0xd800 && c <= 0xdfff ? 0xfffd : c));
        byte[] utf8 = valid.toString().getBytes(StandardCharsets.UTF_8);
        StringBuilder encoded = new StringBuilder(utf8.length * 3 / 2);
        for (byte b : utf8) {
            if (plain((char) (b & 0xff))) {
                encoded.append((char) b);
            } else {
                encoded.append('%').append(HEX.charAt((b >> 4) & 15)).append(HEX.charAt(b & 15));
            }
        }
        return encoded.toString();
    }

    private static boolean plain(char c) {
        return c >= 0x20 && c <= 0x7e && c != '%';
    }

    /** What is wrong with a text, as Go would say it. */
    static final class Illegal extends Exception {
        private static final long serialVersionUID = 1L;

        Illegal(String message) {
            super(message, null, false, false);
        }
    }

    private static final long NANOS_MAX = Long.MAX_VALUE;

    /** {@code grpc-timeout} in nanoseconds; beyond 292 years it is clamped (grpc-go, http_util.go decodeTimeout). */
    static long timeoutNanos(CharSequence text) throws Illegal {
        int size = text.length();
        if (size < 2) {
            throw new Illegal("transport: timeout string is too short: " + GoQuote.of(text.toString()));
        }
        if (size > 9) {
            throw new Illegal("transport: timeout string is too long: " + GoQuote.of(text.toString()));
        }
        long unit = switch (text.charAt(size - 1)) {
            case 'H' -> 3_600_000_000_000L;
            case 'M' -> 60_000_000_000L;
            case 'S' -> 1_000_000_000L;
            case 'm' -> 1_000_000L;
            case 'u' -> 1_000L;
            case 'n' -> 1L;
            default -> throw new Illegal("transport: timeout unit is not recognized: " + GoQuote.of(text.toString()));
        };
        long amount = 0;
        for (int i = 0; i < size - 1; i++) {
            char digit = text.charAt(i);
            if (digit < '0' || digit > '9') {
                throw new Illegal("strconv.ParseUint: parsing " + GoQuote.of(text.subSequence(0, size - 1).toString())
                        + ": invalid syntax");
            }
            amount = amount * 10 + (digit - '0');
        }
        return amount > NANOS_MAX / unit ? NANOS_MAX : amount * unit;
    }

    /** A {@code -bin} value: standard base64, padded if its length is a multiple of four, else without padding. */
    static Bytes base64(CharSequence text) throws Illegal {
        boolean padded = text.length() % 4 == 0;
        byte[] out = new byte[text.length() / 4 * 3 + 3];
        int at = 0;
        int bits = 0;
        int held = 0;
        int end = text.length();
        if (padded && end > 0 && text.charAt(end - 1) == '=') {
            end -= text.charAt(end - 2) == '=' ? 2 : 1;
        }
        for (int i = 0; i < end; i++) {
            int digit = digit(text.charAt(i));
            if (digit < 0) {
                throw new Illegal("illegal base64 data at input byte " + i);
            }
            held = (held << 6 | digit) & 0xffffff;
            bits += 6;
            if (bits >= 8) {
                bits -= 8;
                out[at++] = (byte) (held >> bits);
            }
        }
        if (bits == 6) {
            // One lone digit: it cannot be a byte.
            throw new Illegal("illegal base64 data at input byte " + (end - 1));
        }
        return Bytes.of(out, 0, at).compact();
    }

    private static int digit(char c) {
        if (c >= 'A' && c <= 'Z') {
            return c - 'A';
        }
        if (c >= 'a' && c <= 'z') {
            return c - 'a' + 26;
        }
        if (c >= '0' && c <= '9') {
            return c - '0' + 52;
        }
        return c == '+' ? 62 : c == '/' ? 63 : -1;
    }
}
