package dev.quoin.member;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/** A version as members write it, {@code 3.7.1}; what may follow the three numbers does not count here. */
public record SemVersion(int major, int minor, int patch) implements Comparable<SemVersion> {
    /** The one whose log and database a member understands, and that it writes. */
    static final SemVersion OWN_STORAGE = new SemVersion(3, 7, 0);
    static final SemVersion FIRST_WITH_STORAGE_VERSION = new SemVersion(3, 6, 0);

    private static final Pattern FORM = Pattern
            .compile("([0-9]{1,6})\\.([0-9]{1,6})\\.([0-9]{1,6})(?:[-+][0-9A-Za-z.+-]*)?");
    private static final Comparator<SemVersion> ORDER = Comparator.comparingInt(SemVersion::major)
            .thenComparingInt(SemVersion::minor).thenComparingInt(SemVersion::patch);

    /** Null if it is none. */
    public static @Nullable SemVersion parse(String text) {
        Matcher matcher = FORM.matcher(text);
        return matcher.matches() ? new SemVersion(Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)), Integer.parseInt(matcher.group(3))) : null;
    }

    /** Of a version that we have written ourselves. */
    public static SemVersion of(String text) {
        SemVersion version = parse(text);
        if (version == null) {
            throw new IllegalArgumentException("not a version: " + text);
        }
        return version;
    }

    /** Which is how versions of members are compared. */
    public SemVersion withoutPatch() {
        return new SemVersion(major, minor, 0);
    }

    @Override
    public int compareTo(SemVersion other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + patch;
    }
}
