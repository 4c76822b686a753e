package dev.quoin.base;

import java.util.Locale;

/** Numbers of bytes for people, in powers of a thousand: {@code 83 MB}. Letter by letter as Go's humanize prints them. */
public final class HumanBytes {
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    private static final double STEP = 1000;

    private HumanBytes() {}

    /** A number that is not negative. */
    public static String text(long number) {
        if (number < 10) {
            return number + " B";
        }
        double bytes = (double) number;
        int unit = (int) Math.floor(Math.log(bytes) / Math.log(STEP));
        double value = Math.floor(bytes / Math.pow(STEP, unit) * 10 + 0.5) / 10;
        // Go rounds a half to the even number, the formatter here does not.
        return value < 10
                ? String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit])
                : (long) Math.rint(value) + " " + UNITS[unit];
    }
}
