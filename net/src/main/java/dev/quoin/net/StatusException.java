package dev.quoin.net;

/**
 * A call refused or failed, as a status its client will read. It is an answer, not a fault of ours, so it carries no
 * stack trace.
 */
public final class StatusException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Status status;

    public StatusException(Status status) {
        super(status.code() + ": " + status.message(), null, false, false);
        this.status = status;
    }

    public StatusException(Status.Code code, String message) {
        this(Status.of(code, message));
    }

    public Status status() {
        return status;
    }
}
