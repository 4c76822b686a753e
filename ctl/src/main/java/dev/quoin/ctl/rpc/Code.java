package dev.quoin.ctl.rpc;

/** How a call ended (gRPC: codes). The order is the number on the wire. */
public enum Code {
    OK("OK"),
    CANCELED("Canceled"),
    UNKNOWN("Unknown"),
    INVALID_ARGUMENT("InvalidArgument"),
    DEADLINE_EXCEEDED("DeadlineExceeded"),
    NOT_FOUND("NotFound"),
    ALREADY_EXISTS("AlreadyExists"),
    PERMISSION_DENIED("PermissionDenied"),
    RESOURCE_EXHAUSTED("ResourceExhausted"),
    FAILED_PRECONDITION("FailedPrecondition"),
    ABORTED("Aborted"),
    OUT_OF_RANGE("OutOfRange"),
    UNIMPLEMENTED("Unimplemented"),
    INTERNAL("Internal"),
    UNAVAILABLE("Unavailable"),
    DATA_LOSS("DataLoss"),
    UNAUTHENTICATED("Unauthenticated");

    private final String text;

    Code(String text) {
        this.text = text;
    }

    /** The code behind a number; a number that is none is {@link #UNKNOWN}. */
    static Code of(int number) {
        Code[] all = values();
        return number >= 0 && number < all.length ? all[number] : UNKNOWN;
    }

    /** As grpc-go writes it. */
    public String text() {
        return text;
    }
}
