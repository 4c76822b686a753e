package dev.quoin.net;

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
        HTTP_BODY, PINGS, SETTINGS, WRITE_STALLED, KEEPALIVE_TIMEOUT, OWED_BYTES, PROTOCOL, LATE_ANSWER
    }

    default void refused(Refusal why) {}

    default void connectionOpened(boolean tls) {}

    default void connectionClosed(boolean tls) {}

    default void callOpened(Method method) {}

    default void callEnded(Method method, End why) {}

    default void bytesReceived(long bytes) {}

    default void bytesSent(long bytes) {}
}
