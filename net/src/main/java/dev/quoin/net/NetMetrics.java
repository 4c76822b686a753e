package dev.quoin.net;

import org.jspecify.annotations.Nullable;

/**
 * What is counted at the front. Called on event loops, often: implementations must be quick and must not throw. The
 * defaults count nothing.
 */
public interface NetMetrics {
    NetMetrics NONE = new NetMetrics() {};

    /** Which bound was met, or which rule of ours broke a connection off. */
    enum Refusal {
        CONNECTIONS, HANDSHAKES, TLS, FIRST_HEAD_LATE, MESSAGE_TOO_LARGE, REQUEST_BYTES, VIRTUAL_CALLS, HTTP_REQUESTS,
        HTTP_HEAD,
        HTTP_BODY, PINGS, SETTINGS, FLOOD, WRITE_STALLED, KEEPALIVE_TIMEOUT, OWED_BYTES, PROTOCOL, LATE_ANSWER
    }

    /** The calls of one method. */
    interface Calls {
        Calls NONE = new Calls() {};

        /**
         * A call begins.
         *
         * @param header the first value of {@link NetMetrics#countedHeader}, null if the request has none
         */
        default void opened(@Nullable CharSequence header) {}

        /** A message was told to the handler; its length as it was before it was packed. */
        default void received(int bytes) {}

        /** A message was handed to the connection; its length as it goes out. */
        default void sent(long bytes) {}

        default void ended(CallEnd end) {}
    }

    /** Where the calls of a method are counted; asked once for each method. */
    default Calls calls(Method method) {
        return Calls.NONE;
    }

    /** Of which header the value is told when a call opens; empty for none. Asked once. */
    default String countedHeader() {
        return "";
    }

    default void refused(Refusal why) {}

    default void connectionOpened(boolean tls) {}

    default void connectionClosed(boolean tls) {}

    default void bytesReceived(long bytes) {}

    default void bytesSent(long bytes) {}
}
