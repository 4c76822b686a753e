package dev.quoin.ctl.command;

import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.text.GoNumbers;
import dev.quoin.ctl.text.Malformed;

/** Numbers among the arguments, and what is said of those that are none. */
final class Arguments {
    private Arguments() {}

    static long revision(String text) {
        try {
            return GoNumbers.parseInt(text, 10);
        } catch (Malformed why) {
            throw Failure.of(String.valueOf(why.getMessage()));
        }
    }

    /** A lease's id, in hexadecimal. */
    static long lease(String text) {
        try {
            return GoNumbers.parseInt(text, 16);
        } catch (Malformed why) {
            throw Failure.badArguments("bad lease ID arg (" + why.getMessage() + "), expecting ID in Hex");
        }
    }

    /** A member's id, in hexadecimal. */
    static long member(String text) {
        try {
            return GoNumbers.parseUint(text, 16);
        } catch (Malformed why) {
            throw Failure.badArguments("bad member ID arg (" + why.getMessage() + "), expecting ID in Hex");
        }
    }

    /** A lease's time to live in seconds. */
    static long timeToLive(String text) {
        try {
            return GoNumbers.parseInt(text, 10);
        } catch (Malformed why) {
            throw Failure.badArguments("bad TTL (" + why.getMessage() + ")");
        }
    }
}
