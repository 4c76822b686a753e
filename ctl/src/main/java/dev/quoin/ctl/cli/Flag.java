package dev.quoin.ctl.cli;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.ctl.text.GoDurations;
import dev.quoin.ctl.text.GoNumbers;
import dev.quoin.ctl.text.Malformed;

/**
 * One flag of a command.
 *
 * @param shorthand the letter behind one dash, or 0
 * @param standard what it is worth when it is not given, as it would be written
 * @param usage its line of help; a word in back quotes there names its value
 * @param isHidden left out of usage texts
 * @param choices what a shell offers as its value; empty for files
 */
public record Flag(String name, char shorthand, Kind kind, String standard, String usage, boolean isHidden,
        List<String> choices) {
    /** What may be written behind a flag. */
    public enum Kind {
        BOOL(""),
        STRING("string"),
        /** Separated by commas. Given again, it adds to what was given. */
        STRINGS("strings"),
        /** Of 64 bits, with a sign. */
        INT("int"),
        /** Of 64 bits, without a sign. */
        UINT("uint"),
        DURATION("duration");

        private final String typeName;

        Kind(String typeName) {
            this.typeName = typeName;
        }

        /** The word for its value in usage texts. */
        String typeName() {
            return typeName;
        }
    }

    public static Flag bool(String name, String usage) {
        return of(name, Kind.BOOL, "false", usage);
    }

    public static Flag string(String name, String standard, String usage) {
        return of(name, Kind.STRING, standard, usage);
    }

    public static Flag number(String name, String usage) {
        return of(name, Kind.INT, "0", usage);
    }

    public static Flag of(String name, Kind kind, String standard, String usage) {
        return new Flag(name, (char) 0, kind, standard, usage, false, List.of());
    }

    public Flag orShort(char letter) {
        return new Flag(name, letter, kind, standard, usage, isHidden, choices);
    }

    public Flag hidden() {
        return new Flag(name, shorthand, kind, standard, usage, true, choices);
    }

    /** With values that a shell offers. */
    public Flag offering(String... values) {
        return new Flag(name, shorthand, kind, standard, usage, isHidden, List.of(values));
    }

    /** Whether {@code --flag} alone says something: {@code true}. */
    boolean needsNoValue() {
        return kind == Kind.BOOL;
    }

    /**
     * What the text says: a Boolean, a String, a {@code List<String>} or a Long (of nanoseconds, for a duration).
     *
     * @param before what was given already, for a list that is added to
     */
    Object parse(String text, @Nullable Object before) throws Malformed {
        return switch (kind) {
            case BOOL -> GoNumbers.parseBool(text);
            case STRING -> text;
            case STRINGS -> {
                List<String> more = text.isEmpty() ? List.of() : List.of(text.split(",", -1));
                yield before instanceof List<?> earlier ? joined(earlier, more) : more;
            }
            case INT -> GoNumbers.parseInt(text, 0);
            case UINT -> GoNumbers.parseUint(text, 0);
            case DURATION -> GoDurations.parse(text);
        };
    }

    private static List<Object> joined(List<?> earlier, List<String> more) {
        List<Object> all = new ArrayList<>(earlier);
        all.addAll(more);
        return List.copyOf(all);
    }

    /** Whether the default is what anyone expects, so that usage texts do not name it. */
    boolean hasObviousDefault() {
        return switch (kind) {
            case BOOL -> standard.equals("false");
            case INT, UINT -> standard.equals("0");
            case DURATION -> standard.equals("0s");
            case STRING, STRINGS -> standard.isEmpty();
        };
    }

    /** The default as usage texts show it. */
    String shownDefault() {
        return switch (kind) {
            case STRING -> '"' + standard + '"';
            case STRINGS -> "[" + standard + "]";
            default -> standard;
        };
    }
}
