package dev.quoin.server.peer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Clock;

/** Since when a member has been within reach (rafthttp/peer_status.go). Any thread. */
final class Activity {
    private static final Logger LOG = LoggerFactory.getLogger(Activity.class);

    private final long peer;
    private final Clock clock;
    private final PeerMetrics.Link metrics;
    private boolean active; // guarded by this
    private volatile long sinceNanos;

    Activity(long peer, Clock clock, PeerMetrics.Link metrics) {
        this.peer = peer;
        this.clock = clock;
        this.metrics = metrics;
    }

    /** Something came through, one way or the other. */
    synchronized void activate() {
        if (active) {
            return;
        }
        active = true;
        long now = clock.nanos();
        sinceNanos = now == 0 ? 1 : now;
        metrics.active(true);
        LOG.atInfo().addKeyValue("peer-id", Long.toHexString(peer)).log("peer became active");
    }

    /** Something did not. */
    synchronized void deactivate(String why) {
        if (!active) {
            return;
        }
        active = false;
        sinceNanos = 0;
        metrics.active(false);
        LOG.atWarn().addKeyValue("peer-id", Long.toHexString(peer)).addKeyValue("error", why)
                .log("peer became inactive (message send to peer failed)");
    }

    /** Nobody looks any more whether it is. */
    synchronized void forget() {
        if (active) {
            active = false;
            sinceNanos = 0;
            metrics.active(false);
        }
    }

    /** 0 if it is not. */
    long sinceNanos() {
        return sinceNanos;
    }
}
