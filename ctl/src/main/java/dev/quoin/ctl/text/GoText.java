package dev.quoin.ctl.text;

/** Bytes and ids in hexadecimal, as etcdctl shows them. */
public final class GoText {
    private static final String HEX = "0123456789abcdef";

    private GoText() {}

    /** Each byte as {@code \xNN}: what {@code --hex} makes of keys and values. */
    public static String hexEscaped(byte[] bytes) {
        StringBuilder text = new StringBuilder(4 * bytes.length);
        for (byte b : bytes) {
            hex(text.append("\\x"), b & 0xff, 2);
        }
        return text.toString();
    }

    private static void hex(StringBuilder text, int number, int digits) {
        for (int digit = digits - 1; digit >= 0; digit--) {
            text.append(HEX.charAt((number >> (4 * digit)) & 15));
        }
    }

    /** {@code %016x}. */
    public static String hex16(long id) {
        String digits = Long.toHexString(id);
        return "0".repeat(16 - digits.length()) + digits;
    }

    /** {@code %16x}. */
    public static String padded16(long id) {
        String digits = Long.toHexString(id);
        return " ".repeat(16 - digits.length()) + digits;
    }
}
