package dev.quoin.ctl.rpc;

/**
 * A call that did not end well. Unchecked: for most commands it is the end, and the words are those of the server.
 */
public final class RpcException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What is known of what the server did. */
    public enum Outcome {
        /** The server said so itself. */
        ANSWERED,
        /** It has certainly done nothing: it never got the call, or gave it back untouched. */
        UNTOUCHED,
        /** It may have done the work. */
        UNKNOWN
    }

    private final Code code;
    private final String description;
    private final Outcome outcome;

    RpcException(Code code, String description, Outcome outcome) {
        super("rpc error: code = " + code.text() + " desc = " + description, null, false, true);
        this.code = code;
        this.description = description;
        this.outcome = outcome;
    }

    /** The server's own refusal. */
    static RpcException answered(Code code, String description) {
        return new RpcException(code, description, Outcome.ANSWERED);
    }

    /** What became of the call is not known. */
    public static RpcException unknown(Code code, String description) {
        return new RpcException(code, description, Outcome.UNKNOWN);
    }

    /** The server has not got the call. */
    public static RpcException untouched(Code code, String description) {
        return new RpcException(code, description, Outcome.UNTOUCHED);
    }

    /** The caller's time was up. */
    static RpcException late(String description) {
        return unknown(Code.DEADLINE_EXCEEDED, description);
    }

    public Code code() {
        return code;
    }

    /** The words of the server, or of this side about what went wrong. */
    public String description() {
        return description;
    }

    public Outcome outcome() {
        return outcome;
    }

    /** Whether the time of the caller was up; not that of the server. */
    public boolean isLate() {
        return code == Code.DEADLINE_EXCEEDED && outcome != Outcome.ANSWERED;
    }
}
