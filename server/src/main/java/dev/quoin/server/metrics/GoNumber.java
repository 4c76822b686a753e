package dev.quoin.server.metrics;

import java.math.BigDecimal;

/** Numbers as Go writes them for Prometheus ({@code strconv.FormatFloat(x, 'g', -1, 64)}): {@code 2.147483648e+09}. */
final class GoNumber {
    /** From here on, and below the other, with an exponent. */
    private static final int EXPONENT_LIMIT = 6;
    private static final int EXPONENT_MIN = -4;

    private GoNumber() {}

    static String text(double number) {
        if (Double.isNaN(number)) {
            return "NaN";
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "+Inf" : "-Inf";
        }
        if (number == 0) {
            return "0";
        }
        // The shortest digits that mean this number, as Go finds them.
        BigDecimal exact = new BigDecimal(Double.toString(Math.abs(number))).stripTrailingZeros();
        String digits = exact.unscaledValue().toString();
        int exponent = digits.length() - 1 - exact.scale();
        String sign = number < 0 ? "-" : "";
        return sign + (exponent >= EXPONENT_MIN && exponent < EXPONENT_LIMIT
                ? exact.toPlainString()
                : scientific(digits, exponent));
    }

    private static String scientific(String digits, int exponent) {
        String fraction = digits.length() == 1 ? "" : "." + digits.substring(1);
        String magnitude = Integer.toString(Math.abs(exponent));
        return digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+")
                + (magnitude.length() == 1 ? "0" : "") + magnitude;
    }
}
