package dev.quoin.net;

import java.net.SocketAddress;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells in the log of connections that are turned away before they have said anything, of each kind once in ten seconds: a flood
 * of connections must not become a flood of lines. How many there are is for the metrics. Any thread.
 */
final class RefusalLog {
    private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** From when on the next is told; not changed any more but for what is in it. */
    private final Map<NetMetrics.Refusal, AtomicLong> due = new EnumMap<>(NetMetrics.Refusal.class);

    RefusalLog() {
        long now = System.nanoTime();
        for (NetMetrics.Refusal refusal : NetMetrics.Refusal.values()) {
            due.put(refusal, new AtomicLong(now));
        }
    }

    /** @param client who was turned away; null if he is gone already */
    void turnedAway(NetMetrics.Refusal why, @Nullable SocketAddress client) {
        AtomicLong next = Objects.requireNonNull(due.get(why));
        long from = next.get();
        long now = System.nanoTime();
        if (now - from >= 0 && next.compareAndSet(from, now + PAUSE_NANOS)) {
            LOG.atWarn().addKeyValue("remote-addr", String.valueOf(client).replaceFirst("^/", ""))
                    .addKeyValue("limit", why.name().toLowerCase(Locale.ROOT))
                    .log("turned a connection away; others of the next ten seconds are only counted");
        }
    }
}
