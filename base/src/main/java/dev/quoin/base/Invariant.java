package dev.quoin.base;

import java.util.Locale;

import org.jspecify.annotations.Nullable;

/**
 * Statements about our own code that must be true. One that is not means that we are wrong, not the client and not the
 * world: the member stops, for stopping is better than being wrong quietly. Always on.
 *
 * <p>The overloads without varargs exist for hot paths: they box nothing unless the check fails.
 */
public final class Invariant {
    private Invariant() {}

    /** Thrown when an invariant does not hold. An {@link Error}: nobody but the owner of a loop may catch it. */
    public static final class Violation extends Error {
        private static final long serialVersionUID = 1L;

        Violation(String message) {
            super(message);
        }
    }

    public static void check(boolean holds, String message) {
        if (!holds) {
            throw new Violation(message);
        }
    }

    public static void check(boolean holds, String format, long a) {
        if (!holds) {
            throw violation(format, a);
        }
    }

    public static void check(boolean holds, String format, long a, long b) {
        if (!holds) {
            throw violation(format, a, b);
        }
    }

    public static void check(boolean holds, String format, @Nullable Object... args) {
        if (!holds) {
            throw violation(format, args);
        }
    }

    /** For the branch that cannot be reached: {@code throw Invariant.violation(…)}. */
    public static Violation violation(String format, @Nullable Object... args) {
        return new Violation(String.format(Locale.ROOT, format, args));
    }
}
