package dev.quoin.disk.ledger;

import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a name in the ledger's directory stands for. */
sealed interface FileName {
    /** A segment as it was appended: {@code 0000000f.ledger}. */
    record Segment(int number) implements FileName {}

    /** The records that are still referred to of a range of segments: {@code 00000001-0000000f.packed}. */
    record Packed(int first, int last) implements FileName {
        boolean covers(int from, int to) {
            return first <= from && to <= last;
        }
    }

    /** The state of the store at one batch: {@code checkpoint}. */
    record Checkpoint() implements FileName {}

    /** The good beginning of a segment that is about to be set aside: {@code 0000000f.ledger.prefix}. */
    record Prefix(int number) implements FileName {}

    /** Something that was not finished, and never will be: {@code *.tmp}. */
    record Unfinished() implements FileName {}

    /** None of ours, or kept for people to look at. */
    record Other() implements FileName {}

    String CHECKPOINT = "checkpoint";
    String UNFINISHED = ".tmp";
    String PREFIX = ".prefix";
    String DAMAGED = ".damaged";
    Pattern SEGMENT_PATTERN = Pattern.compile("([0-9a-f]{8})\\.ledger(\\.prefix)?");
    Pattern PACKED_PATTERN = Pattern.compile("([0-9a-f]{8})-([0-9a-f]{8})\\.packed");

    static FileName of(String name) {
        if (name.equals(CHECKPOINT)) {
            return new Checkpoint();
        }
        if (name.endsWith(UNFINISHED)) {
            return new Unfinished();
        }
        Matcher segment = SEGMENT_PATTERN.matcher(name);
        if (segment.matches() && number(segment, 1) > 0) {
            return segment.group(2) == null ? new Segment(number(segment, 1)) : new Prefix(number(segment, 1));
        }
        Matcher packed = PACKED_PATTERN.matcher(name);
        if (packed.matches() && number(packed, 1) > 0 && number(packed, 1) <= number(packed, 2)) {
            return new Packed(number(packed, 1), number(packed, 2));
        }
        return new Other();
    }

    static String segment(int number) {
        return HexFormat.of().toHexDigits(number) + ".ledger";
    }

    static String packed(int first, int last) {
        return HexFormat.of().toHexDigits(first) + "-" + HexFormat.of().toHexDigits(last) + ".packed";
    }

    private static int number(Matcher matcher, int group) {
        return HexFormat.fromHexDigits(matcher.group(group));
    }
}
