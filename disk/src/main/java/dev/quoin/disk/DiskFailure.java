package dev.quoin.disk;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

/**
 * The disk did not do what it was asked. Never retried: after a failed sync the page cache may claim that everything is
 * well while the data is gone. Whoever promised anything on the strength of this file stops.
 */
public final class DiskFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String operation;
    private final String file;
    private final String reason;

    public DiskFailure(String operation, Path file, String reason, @Nullable Throwable cause) {
        super(file + ": " + operation + " failed: " + reason, cause);
        this.operation = operation;
        this.file = file.toString();
        this.reason = reason;
    }

    public DiskFailure(String operation, Path file, Throwable cause) {
        this(operation, file, reasonOf(cause), cause);
    }

    public String operation() {
        return operation;
    }

    public String file() {
        return file;
    }

    public String reason() {
        return reason;
    }

    /** What the exception says, with its type when the text alone would not make sense to a reader. */
    private static String reasonOf(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName()
                : cause.getClass().getSimpleName() + ": " + message;
    }
}
