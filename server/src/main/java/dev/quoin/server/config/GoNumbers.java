package dev.quoin.server.config;

import java.math.BigInteger;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whole numbers as Go's strconv reads them with base 0: {@code 42}, {@code 0x2a}, {@code 0b101010}, {@code 0o52},
 * {@code 052}; with such a prefix {@code _} may stand between digits.
 */
final class GoNumbers {
    /** Longer than any number of 64 bits may usefully be written. */
    private static final int CHARACTERS_MAX = 256;
    private static final Pattern DECIMAL = Pattern.compile("0|[1-9](_?[0-9])*");
    private static final Pattern PREFIXED = Pattern.compile("0([xbo])((?:_?[0-9a-f])+)");
    private static final Pattern OCTAL = Pattern.compile("0((?:_?[0-7])+)");

    private GoNumbers() {}

    /** A number of any size; nothing if the text is none. */
    static Optional<BigInteger> parse(String text) {
        boolean isNegative = text.startsWith("-");
        String digits = isNegative || text.startsWith("+") ? text.substring(1) : text;
        return digits.length() > CHARACTERS_MAX
                ? Optional.empty()
                : magnitude(digits.toLowerCase(Locale.ROOT)).map(number -> isNegative ? number.negate() : number);
    }

    /** A number without a sign, as Go's ParseUint wants it. */
    static Optional<BigInteger> parseUnsigned(String text) {
        return text.startsWith("-") || text.startsWith("+") ? Optional.empty() : parse(text);
    }

    private static Optional<BigInteger> magnitude(String digits) {
        if (DECIMAL.matcher(digits).matches()) {
            return of(digits, 10);
        }
        Matcher prefixed = PREFIXED.matcher(digits);
        if (prefixed.matches()) {
            int base = switch (prefixed.group(1)) {
                case "x" -> 16;
                case "b" -> 2;
                default -> 8;
            };
            return of(prefixed.group(2), base);
        }
        Matcher octal = OCTAL.matcher(digits);
        return octal.matches() ? of(octal.group(1), 8) : Optional.empty();
    }

    private static Optional<BigInteger> of(String digits, int base) {
        try {
            return Optional.of(new BigInteger(digits.replace("_", ""), base));
        } catch (NumberFormatException notOfThisBase) {
            return Optional.empty();
        }
    }
}
