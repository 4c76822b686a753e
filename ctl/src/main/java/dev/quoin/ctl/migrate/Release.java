package dev.quoin.ctl.migrate;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/** A version of etcd, without what stands behind its third number. */
record Release(int major, int minor, int patch) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})(?:\\.(\\d{1,4}))?(?:[-+].*)?");

    /** Nothing if it is none. */
    static @Nullable Release parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        String patch = matcher.group(3);
        return new Release(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)),
                patch == null ? 0 : Integer.parseInt(patch));
    }

    /** Whether it is of this line of releases. */
    boolean isOf(int majorNumber, int minorNumber) {
        return major == majorNumber && minor == minorNumber;
    }

    /** Major and minor number. */
    String line() {
        return major + "." + minor;
    }
}
