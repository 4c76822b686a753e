package dev.quoin.ctl.text;

import java.math.BigDecimal;

import dev.quoin.base.GoQuote;

/** Durations as Go reads and writes them: {@code 1h30m}, {@code 2.5s}, {@code 300ms}. In nanoseconds. */
public final class GoDurations {
    private static final long SECOND_NANOS = 1_000_000_000L;
    private static final BigDecimal NANOS_MAX = BigDecimal.valueOf(Long.MAX_VALUE);

    private GoDurations() {}

    /** {@code time.ParseDuration}; only a zero has no unit. */
    public static long parse(String text) throws Malformed {
        boolean isNegative = text.startsWith("-");
        String rest = isNegative || text.startsWith("+") ? text.substring(1) : text;
        if (rest.equals("0")) {
            return 0;
        }
        if (rest.isEmpty()) {
            throw invalid(text);
        }
        BigDecimal nanos = BigDecimal.ZERO;
        while (!rest.isEmpty()) {
            int unitAt = span(rest, 0, true);
            String number = rest.substring(0, unitAt);
            if (number.isEmpty() || number.equals(".") || number.indexOf('.') != number.lastIndexOf('.')) {
                throw invalid(text);
            }
            int end = span(rest, unitAt, false);
            String unit = rest.substring(unitAt, end);
            if (unit.isEmpty()) {
                throw new Malformed("time: missing unit in duration " + GoQuote.of(text));
            }
            nanos = nanos.add(new BigDecimal(number).multiply(BigDecimal.valueOf(nanosOf(unit, text))));
            rest = rest.substring(end);
        }
        if (nanos.compareTo(NANOS_MAX) > 0) {
            throw invalid(text);
        }
        return isNegative ? -nanos.longValue() : nanos.longValue();
    }

    /** Where the run of characters of a number, or of others, ends that begins at {@code from}. */
    private static int span(String text, int from, boolean ofNumber) {
        int end = from;
        while (end < text.length()) {
            char c = text.charAt(end);
            if ((c == '.' || (c >= '0' && c <= '9')) != ofNumber) {
                break;
            }
            end++;
        }
        return end;
    }

    private static long nanosOf(String unit, String text) throws Malformed {
        return switch (unit) {
            case "ns" -> 1L;
            case "us", "µs", "μs" -> 1_000L;
            case "ms" -> 1_000_000L;
            case "s" -> SECOND_NANOS;
            case "m" -> 60 * SECOND_NANOS;
            case "h" -> 3600 * SECOND_NANOS;
            default -> throw new Malformed(
                    "time: unknown unit " + GoQuote.of(unit) + " in duration " + GoQuote.of(text));
        };
    }

    private static Malformed invalid(String text) {
        return new Malformed("time: invalid duration " + GoQuote.of(text));
    }

    /** {@code Duration.String()}: {@code 1h30m0s}, {@code 1.5s}, {@code 12.345678ms}, {@code 0s}. */
    public static String text(long nanos) {
        if (nanos < 0) {
            return "-" + text(-nanos);
        }
        if (nanos == 0) {
            return "0s";
        }
        if (nanos < 1_000) {
            return nanos + "ns";
        }
        if (nanos < 1_000_000) {
            return plain(nanos, 3) + "µs";
        }
        if (nanos < SECOND_NANOS) {
            return plain(nanos, 6) + "ms";
        }
        long minutes = nanos / (60 * SECOND_NANOS);
        String seconds = plain(nanos - minutes * 60 * SECOND_NANOS, 9) + "s";
        if (minutes == 0) {
            return seconds;
        }
        return (minutes < 60 ? minutes + "m" : minutes / 60 + "h" + minutes % 60 + "m") + seconds;
    }

    /** {@code number} with its point moved to the left, without zeros at its end. */
    private static String plain(long number, int places) {
        if (number == 0) {
            return "0";
        }
        return BigDecimal.valueOf(number, places).stripTrailingZeros().toPlainString();
    }
}
