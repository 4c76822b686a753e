package dev.quoin.net;

import java.net.SocketAddress;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts each bound that a client met, and tells of it in the log, of each kind once in ten seconds: a flood of requests must not
 * become a flood of lines. How many there are is for the metrics. Any thread.
 */
final class Refusals {
    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);
    /** Those of a connection that has not said anything yet. */
    private static final Set<NetMetrics.Refusal> TURNED_AWAY = EnumSet.of(NetMetrics.Refusal.CONNECTIONS,
            NetMetrics.Refusal.HANDSHAKES, NetMetrics.Refusal.FIRST_HEAD_LATE);
    /** No client's doing. */
    private static final Set<NetMetrics.Refusal> UNTOLD = EnumSet.of(NetMetrics.Refusal.LATE_ANSWER);

    private final NetMetrics metrics;
    /** From when on the next is told; not changed any more but for what is in it. */
    private final Map<NetMetrics.Refusal, AtomicLong> due = new EnumMap<>(NetMetrics.Refusal.class);

    Refusals(NetMetrics metrics) {
        this.metrics = metrics;
        long now = System.nanoTime();
        for (NetMetrics.Refusal refusal : NetMetrics.Refusal.values()) {
            due.put(refusal, new AtomicLong(now));
        }
    }

    /** @param client who met it; null if he is gone already */
    void met(NetMetrics.Refusal why, @Nullable SocketAddress client) {
        metrics.refused(why);
        if (UNTOLD.contains(why)) {
            return;
        }
        AtomicLong next = Objects.requireNonNull(due.get(why));
        long from = next.get();
        long now = System.nanoTime();
        if (now - from >= 0 && next.compareAndSet(from, now + PAUSE_NANOS)) {
            LOG.atWarn().addKeyValue("remote-addr", String.valueOf(client).replaceFirst("^/", ""))
                    .addKeyValue("limit", why.name().toLowerCase(Locale.ROOT))
                    .log(TURNED_AWAY.contains(why)
                            ? "turned a connection away; others of the next ten seconds are only counted"
                            : "a client met a limit; others of the next ten seconds are only counted");
        }
    }
}
