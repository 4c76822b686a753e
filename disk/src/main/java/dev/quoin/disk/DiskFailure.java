package dev.quoin.disk;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

/**
 * The disk did not do what it was asked. Never retried: after a failed sync the page cache may claim that everything is
 * well while the data is gone. Whoever promised anything on the strength of this file stops.
 */
public final class DiskFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private enum Kind {
        OTHER,
        /** Some bytes, or a new file, were not taken. */
        REFUSED_WRITE,
        /** The same, and only because there is no room for them. */
        NO_SPACE,
        /** Another process has taken it. */
        IN_USE
    }

    private final String operation;
    private final String file;
    private final String reason;
    private final Kind kind;

    public DiskFailure(String operation, Path file, String reason, @Nullable Throwable cause) {
        this(operation, file, reason, cause, Kind.OTHER);
    }

    private DiskFailure(String operation, Path file, String reason, @Nullable Throwable cause, Kind kind) {
        super(file + ": " + operation + " failed: " + reason, cause);
        this.operation = operation;
        this.file = file.toString();
        this.reason = reason;
        this.kind = kind;
    }

    /** The disk did not take some bytes, or a new file. */
    public static DiskFailure refusedWrite(String operation, Path file, Throwable cause) {
        return new DiskFailure(operation, file, reasonOf(cause), cause, Kind.REFUSED_WRITE);
    }

    /** The same, where there is no exception that says why. */
    public static DiskFailure refusedWrite(String operation, Path file, String reason) {
        return new DiskFailure(operation, file, reason, null, Kind.REFUSED_WRITE);
    }

    /** The disk, or what this user may take of it, is full: nothing but that is wrong with it. */
    public static DiskFailure noSpace(String operation, Path file, Throwable cause) {
        return new DiskFailure(operation, file, reasonOf(cause), cause, Kind.NO_SPACE);
    }

    /** The same, where there is no exception that says why. */
    public static DiskFailure noSpace(String operation, Path file, String reason) {
        return new DiskFailure(operation, file, reason, null, Kind.NO_SPACE);
    }

    /** Another process has locked it. */
    public static DiskFailure inUse(Path file) {
        return new DiskFailure("lock", file, "in use by another process; stop it, or choose another directory", null,
                Kind.IN_USE);
    }

    public DiskFailure(String operation, Path file, Throwable cause) {
        this(operation, file, reasonOf(cause), cause);
    }

    public String operation() {
        return operation;
    }

    /**
     * Whether it only did not take some bytes, or a new file: it may be full. Whoever does not need these bytes to keep a
     * promise may go on without them, in another file.
     */
    public boolean isRefusedWrite() {
        return kind == Kind.REFUSED_WRITE || kind == Kind.NO_SPACE;
    }

    /**
     * Whether it did not take some bytes, or a new file, only because it is full. The same bytes may be written to the same
     * place again, once there is room: no sync has failed, so what it said of everything else still holds.
     */
    public boolean isNoSpace() {
        return kind == Kind.NO_SPACE;
    }

    /** Whether another process has it, and nothing else is known to be wrong. */
    public boolean isInUse() {
        return kind == Kind.IN_USE;
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
