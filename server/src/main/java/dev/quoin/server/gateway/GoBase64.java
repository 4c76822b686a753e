package dev.quoin.server.gateway;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

/**
 * Base64 as Go's protojson takes it (encoding/base64 and decode.go unmarshalBytes): with either alphabet, not both; padded if
 * its length is a multiple of four, else not; line ends anywhere; bits that are over are ignored.
 */
final class GoBase64 {
    private GoBase64() {}

    /** Null if it is none. */
    static byte @Nullable [] decode(String text) {
        boolean isUrl = text.indexOf('-') >= 0 || text.indexOf('_') >= 0;
        boolean isPadded = text.length() % 4 == 0;
        byte[] out = new byte[text.length() / 4 * 3 + 3];
        int at = 0;
        int held = 0;
        int digits = 0;
        int i = 0;
        for (; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\r' || c == '\n') {
                continue;
            }
            if (c == '=') {
                break;
            }
            int digit = digit(c, isUrl);
            if (digit < 0) {
                return null;
            }
            held = held << 6 | digit;
            if (++digits == 4) {
                out[at++] = (byte) (held >> 16);
                out[at++] = (byte) (held >> 8);
                out[at++] = (byte) held;
                held = 0;
                digits = 0;
            }
        }
        if (!endsWell(text, i, digits, isPadded)) {
            return null;
        }
        if (digits >= 2) {
            held <<= 6 * (4 - digits);
            out[at++] = (byte) (held >> 16);
            if (digits == 3) {
                out[at++] = (byte) (held >> 8);
            }
        }
        return Arrays.copyOf(out, at);
    }

    /** Whether a last group of so many digits may be followed by the rest of the text. */
    private static boolean endsWell(String text, int from, int digits, boolean isPadded) {
        String rest = text.substring(from).replaceAll("[\r\n]", "");
        if (digits == 0) {
            return rest.isEmpty();
        }
        if (digits == 1) {
            return false;
        }
        return rest.equals(isPadded ? "=".repeat(4 - digits) : "");
    }

    private static int digit(char c, boolean isUrl) {
        if (c >= 'A' && c <= 'Z') {
            return c - 'A';
        }
        if (c >= 'a' && c <= 'z') {
            return c - 'a' + 26;
        }
        if (c >= '0' && c <= '9') {
            return c - '0' + 52;
        }
        if (c == (isUrl ? '-' : '+')) {
            return 62;
        }
        return c == (isUrl ? '_' : '/') ? 63 : -1;
    }
}
