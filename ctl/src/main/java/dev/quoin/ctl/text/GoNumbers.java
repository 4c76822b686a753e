package dev.quoin.ctl.text;

import java.util.Locale;

import dev.quoin.base.GoQuote;

/** Whole numbers of 64 bits as Go's {@code strconv} reads them, refused in its words. */
public final class GoNumbers {
    private GoNumbers() {}

    /** {@code strconv.ParseInt(text, base, 64)}; base 0 goes by the prefix: {@code 0x}, {@code 0o}, {@code 0b}, {@code 0}. */
    public static long parseInt(String text, int base) throws Malformed {
        boolean isNegative = text.startsWith("-");
        String digits = isNegative || text.startsWith("+") ? text.substring(1) : text;
        long magnitude = magnitude("ParseInt", text, digits, base);
        if (magnitude < 0 && !(isNegative && magnitude == Long.MIN_VALUE)) {
            throw refused("ParseInt", text, "value out of range");
        }
        return isNegative ? -magnitude : magnitude;
    }

    /** {@code strconv.ParseUint(text, base, 64)}: takes no sign. */
    public static long parseUint(String text, int base) throws Malformed {
        return magnitude("ParseUint", text, text, base);
    }

    /** {@code strconv.ParseBool(text)}. */
    public static boolean parseBool(String text) throws Malformed {
        return switch (text) {
            case "1", "t", "T", "true", "TRUE", "True" -> true;
            case "0", "f", "F", "false", "FALSE", "False" -> false;
            default -> throw refused("ParseBool", text, "invalid syntax");
        };
    }

    private static long magnitude(String function, String text, String digits, int base) throws Malformed {
        String plain = digits;
        int radix = base;
        if (base == 0) {
            String lower = digits.toLowerCase(Locale.ROOT);
            radix = lower.startsWith("0x") ? 16 : lower.startsWith("0b") ? 2 : lower.startsWith("0o") ? 8 : 10;
            int prefix = radix == 10 ? 0 : 2;
            if (radix == 10 && lower.length() > 1 && lower.charAt(0) == '0') {
                radix = 8;
                prefix = 1;
            }
            plain = withoutUnderscores(lower.substring(prefix), prefix > 0);
        }
        if (!isNumber(plain, radix)) {
            throw refused(function, text, "invalid syntax");
        }
        try {
            return Long.parseUnsignedLong(plain, radix);
        } catch (NumberFormatException tooLarge) {
            throw refused(function, text, "value out of range");
        }
    }

    /** The digits without the underscores between them, or nothing if one stands elsewhere. */
    private static String withoutUnderscores(String digits, boolean mayBegin) {
        boolean isMisplaced = digits.contains("__") || digits.endsWith("_") || (digits.startsWith("_") && !mayBegin);
        return isMisplaced ? "" : digits.replace("_", "");
    }

    private static boolean isNumber(String digits, int radix) {
        for (int i = 0; i < digits.length(); i++) {
            char digit = digits.charAt(i);
            if (digit > 0x7f || Character.digit(digit, radix) < 0) {
                return false;
            }
        }
        return !digits.isEmpty();
    }

    private static Malformed refused(String function, String text, String why) {
        return new Malformed("strconv." + function + ": parsing " + GoQuote.of(text) + ": " + why);
    }
}
