package dev.quoin.disk.wal;

import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/** The name of a segment: its number, and the index of the first entry it may hold. */
record SegmentName(long number, long index) {
    private static final Pattern FORM = Pattern.compile("([0-9a-f]{16})-([0-9a-f]{16})\\.wal");

    /** Null if {@code name} is not the name of a segment; such files are not ours to judge. */
    static @Nullable SegmentName parse(String name) {
        Matcher matcher = FORM.matcher(name);
        return matcher.matches()
                ? new SegmentName(HexFormat.fromHexDigitsToLong(matcher.group(1)),
                        HexFormat.fromHexDigitsToLong(matcher.group(2)))
                : null;
    }

    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(number) + "-" + HexFormat.of().toHexDigits(index) + ".wal";
    }
}
