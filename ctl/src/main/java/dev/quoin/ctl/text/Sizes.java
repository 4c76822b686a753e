package dev.quoin.ctl.text;

import java.util.Locale;

/** Sizes for people, as go-humanize writes them. */
public final class Sizes {
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

    private Sizes() {}

    /** {@code humanize.Bytes}: {@code 25 kB}, {@code 2.1 GB}; powers of 1000. */
    public static String of(long bytes) {
        if (bytes < 10) {
            return bytes + " B";
        }
        double size = (double) bytes;
        double exponent = Math.floor(Math.log(size) / Math.log(1000));
        double value = Math.floor(size / Math.pow(1000, exponent) * 10 + 0.5) / 10;
        String number = value < 10 ? String.format(Locale.ROOT, "%.1f", value)
                : String.valueOf((long) Math.rint(value));
        return number + " " + UNITS[(int) exponent];
    }
}
