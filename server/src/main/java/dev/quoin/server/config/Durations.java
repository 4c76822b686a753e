package dev.quoin.server.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as Go writes them: {@code 1h30m}, {@code 2.5s}, {@code -10ms}; only a zero has no unit. */
public final class Durations {
    private static final Pattern PART = Pattern
            .compile("(\\d{1,18}(?:\\.\\d{0,18})?|\\.\\d{1,18})(ns|us|µs|μs|ms|s|m|h)");
    private static final Map<String, Long> NANOS = Map.of("ns", 1L, "us", 1_000L, "µs", 1_000L, "μs", 1_000L, "ms",
            1_000_000L, "s", 1_000_000_000L, "m", 60_000_000_000L, "h", 3_600_000_000_000L);
    private static final long UNIT_STEP = 1_000;
    private static final BigDecimal MAX = BigDecimal.valueOf(Long.MAX_VALUE);

    private Durations() {}

    public static Optional<Duration> parse(String text) {
        boolean isNegative = text.startsWith("-");
        String rest = isNegative || text.startsWith("+") ? text.substring(1) : text;
        if (rest.equals("0")) {
            return Optional.of(Duration.ZERO);
        }
        Matcher part = PART.matcher(rest);
        BigDecimal nanos = BigDecimal.ZERO;
        int end = 0;
        while (part.find() && part.start() == end) {
            long unit = NANOS.getOrDefault(part.group(2), 0L);
            nanos = nanos.add(new BigDecimal(part.group(1)).multiply(BigDecimal.valueOf(unit)));
            end = part.end();
        }
        if (end == 0 || end < rest.length() || nanos.compareTo(MAX) > 0) {
            return Optional.empty();
        }
        return Optional.of(Duration.ofNanos(isNegative ? -nanos.longValue() : nanos.longValue()));
    }

    /** As Go prints it: {@code 1h30m0s}, {@code 1.5s}, {@code 100ms}, {@code 0s}. */
    public static String text(Duration duration) {
        long nanos = duration.toNanos();
        if (nanos == 0) {
            return "0s";
        }
        BigDecimal magnitude = BigDecimal.valueOf(nanos).abs();
        String sign = nanos < 0 ? "-" : "";
        for (String unit : List.of("ns", "µs", "ms")) {
            if (magnitude.compareTo(BigDecimal.valueOf(UNIT_STEP)) < 0) {
                return sign + plain(magnitude) + unit;
            }
            magnitude = magnitude.movePointLeft(3);
        }
        long minutes = magnitude.longValue() / 60;
        String seconds = plain(magnitude.subtract(BigDecimal.valueOf(minutes * 60))) + "s";
        if (minutes == 0) {
            return sign + seconds;
        }
        return sign + (minutes < 60 ? minutes + "m" : minutes / 60 + "h" + minutes % 60 + "m") + seconds;
    }

    private static String plain(BigDecimal number) {
        return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
    }
}
