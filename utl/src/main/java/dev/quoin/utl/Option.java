package dev.quoin.utl;

import org.jspecify.annotations.Nullable;

/**
 * What may be said on the command line beside names of files.
 *
 * @param letter its short form, or null
 * @param initial its value if it is not said; as it is shown in the help
 */
record Option(String name, @Nullable Character letter, Kind kind, String initial, String help) {
    /** What its value looks like; checked as Go's strconv does. */
    enum Kind {
        TEXT("string"), BOOLEAN(""), NUMBER("uint"), INTEGER("int"), DURATION("duration");

        final String title;

        Kind(String title) {
            this.title = title;
        }
    }

    /** One without a short form. */
    static Option of(String name, Kind kind, String initial, String help) {
        return new Option(name, null, kind, initial, help);
    }
}
