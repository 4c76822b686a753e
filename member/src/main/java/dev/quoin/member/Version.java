package dev.quoin.member;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/** What of a version of etcd matters to others: patches understand each other. */
record Version(int major, int minor) implements Comparable<Version> {
    /** The one whose log and database this member understands, and that it writes. */
    static final Version OWN = new Version(3, 7);
    static final Version FIRST_WITH_STORAGE_VERSION = new Version(3, 6);

    private static final Pattern FORM = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})\\.\\d+(-.*)?");
    private static final Comparator<Version> ORDER = Comparator.comparingInt(Version::major)
            .thenComparingInt(Version::minor);

    /** Null if it is none. */
    static @Nullable Version parse(String text) {
        Matcher matcher = FORM.matcher(text);
        return matcher.matches()
                ? new Version(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)))
                : null;
    }

    @Override
    public int compareTo(Version other) {
        return ORDER.compare(this, other);
    }
}
