package dev.quoin.sim;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

/** A member did what it must not do. Ends the run. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Violation(String message) {
        super(message);
    }

    Violation(String message, Throwable cause) {
        super(message, cause);
    }

    static void check(boolean holds, String format, @Nullable Object... args) {
        if (!holds) {
            throw new Violation(String.format(Locale.ROOT, format, args));
        }
    }
}
