package dev.quoin.net;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * How a call ended: a gRPC code, a text for people, and, rarely, details (an encoded {@code google.rpc.Status}) that
 * travel as {@code grpc-status-details-bin}. A value. The text may hold any characters: it is percent-encoded on the
 * wire.
 */
public record Status(Code code, String message, @Nullable Bytes details) {
    /** The codes of gRPC, with their numbers on the wire. */
    public enum Code {
        OK(0), CANCELLED(1), UNKNOWN(2), INVALID_ARGUMENT(3), DEADLINE_EXCEEDED(4), NOT_FOUND(5), ALREADY_EXISTS(6),
        PERMISSION_DENIED(7), RESOURCE_EXHAUSTED(8), FAILED_PRECONDITION(9), ABORTED(10), OUT_OF_RANGE(11),
        UNIMPLEMENTED(12), INTERNAL(13), UNAVAILABLE(14), DATA_LOSS(15), UNAUTHENTICATED(16);

        private final int number;

        Code(int number) {
            this.number = number;
        }

        private static final Code[] ALL = values();

        /** The code with this number; a number gRPC does not know is UNKNOWN, as for its clients. */
        public static Code of(int number) {
            return number >= 0 && number < ALL.length ? ALL[number] : UNKNOWN;
        }

        public int number() {
            return number;
        }
    }

    public static final Status OK = new Status(Code.OK, "", null);

    public static Status of(Code code, String message) {
        return new Status(code, message, null);
    }

    public boolean isOk() {
        return code == Code.OK;
    }
}
