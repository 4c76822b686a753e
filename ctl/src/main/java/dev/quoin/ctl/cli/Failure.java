package dev.quoin.ctl.cli;

import org.jspecify.annotations.Nullable;

/** The end of a command with an exit code other than 0 (etcd: pkg/cobrautl/error.go). */
public final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** In general, and what a server refused. */
    public static final int ERROR = 1;
    /** No client could be made, or a lease was lost. */
    public static final int BAD_CONNECTION = 2;
    /** What was read from standard input makes no sense. */
    public static final int INVALID_INPUT = 3;
    /** A flag's value is none of those there are. */
    public static final int BAD_FEATURE = 4;
    /** A watch or a download ended before its time. */
    public static final int INTERRUPTED = 5;
    /** Arguments do not fit together. */
    public static final int BAD_ARGUMENTS = 128;

    private final int exitCode;
    private final boolean isTold;

    public Failure(int exitCode, @Nullable String message) {
        super(message, null, false, false);
        this.exitCode = exitCode;
        this.isTold = message != null;
    }

    /** In general; its message follows {@code Error: }. */
    public static Failure of(String message) {
        return new Failure(ERROR, message);
    }

    public static Failure badArguments(String message) {
        return new Failure(BAD_ARGUMENTS, message);
    }

    public static Failure badFeature(String message) {
        return new Failure(BAD_FEATURE, message);
    }

    public static Failure invalidInput(String message) {
        return new Failure(INVALID_INPUT, message);
    }

    /** What had to be said has been said. */
    public static Failure silent(int exitCode) {
        return new Failure(exitCode, null);
    }

    public int exitCode() {
        return exitCode;
    }

    /** Whether the message is still to be printed. */
    public boolean isTold() {
        return isTold;
    }
}
