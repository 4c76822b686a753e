package dev.quoin.server.gateway;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * Whole numbers as Go's protojson takes them, from a number token or from the text of a string: {@code 1.0} and {@code 1e3} are
 * whole (internal/encoding/json, decode_number.go).
 */
final class GoNumber {
    private static final Pattern NUMBER = Pattern
            .compile("-?((?:0|[1-9][0-9]*)(?:\\.[0-9]+)?)(?:[eE]([-+]?[0-9]+))?(?![-+._a-zA-Z0-9])");
    /** Digits of the largest number of 64 bits: one that has more fits into no field. */
    private static final int DIGITS_MAX = 20;
    /** Digits that are written, so that reading them costs little. */
    private static final int WRITTEN_MAX = 1_000;
    private static final int EXPONENT_WRITTEN_MAX = 9;

    private GoNumber() {}

    /** What the text begins with, if that is a whole number that may fit; what follows is not looked at. */
    static @Nullable BigInteger whole(String text) {
        Matcher number = NUMBER.matcher(text);
        if (!number.lookingAt() || number.end(1) > WRITTEN_MAX) {
            return null;
        }
        if (number.group(1).chars().allMatch(c -> c == '0' || c == '.')) {
            return BigInteger.ZERO;
        }
        String power = number.group(2);
        if (power != null && power.length() > EXPONENT_WRITTEN_MAX) {
            return null;
        }
        BigDecimal value = new BigDecimal(number.group()).stripTrailingZeros();
        boolean isWhole = value.scale() <= 0;
        return isWhole && value.precision() - value.scale() <= DIGITS_MAX ? value.toBigIntegerExact() : null;
    }
}
