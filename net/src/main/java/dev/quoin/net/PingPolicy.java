package dev.quoin.net;

/**
 * Counts a client's pings that come too soon, as grpc-go does (http2_server.go handlePing): the first never does; one
 * sooner than the minimum after the one before is a strike; anything we sent in between clears the strikes; the third in
 * a row breaks the connection off. Pure.
 */
final class PingPolicy {
    private static final int STRIKES_MAX = 2;
    private static final long IDLE_MIN_NANOS = 2L * 3600 * 1_000_000_000;

    private final long minNanos;
    private final boolean withoutStream;
    private long lastNanos;
    private boolean any;
    private boolean sentSince;
    private int strikes;

    PingPolicy(long minMillis, boolean withoutStream) {
        minNanos = minMillis * 1_000_000;
        this.withoutStream = withoutStream;
    }

    /** HEADERS or DATA were sent. */
    void sent() {
        sentSince = true;
    }

    /** A ping came; true if it is one too many. */
    boolean tooMany(long nowNanos, boolean streamsOpen) {
        long since = nowNanos - lastNanos;
        boolean first = !any;
        any = true;
        lastNanos = nowNanos;
        if (sentSince) {
            sentSince = false;
            strikes = 0;
            return false;
        }
        long min = streamsOpen || withoutStream ? minNanos : IDLE_MIN_NANOS;
        if (!first && since < min) {
            strikes++;
        }
        return strikes > STRIKES_MAX;
    }
}
