package dev.quoin.net;

import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/**
 * A connection before it has said anything: it has one deadline, from accept to its first request head or SETTINGS, TLS
 * handshake included, and counts against its address until then. Owned by the connection's loop.
 */
final class Admission {
    private final Shared shared;
    private final LoopState loop;
    private final @Nullable Object address;
    private boolean waiting = true;
    private boolean open = true;
    private final Deadlines.Timer late;

    private Admission(Shared shared, LoopState loop, Channel channel, @Nullable Object address) {
        this.shared = shared;
        this.loop = loop;
        this.address = address;
        late = new Deadlines.Timer() {
            @Override
            void due() {
                shared.metrics.refused(NetMetrics.Refusal.FIRST_HEAD_LATE);
                channel.unsafe().close(channel.unsafe().voidPromise());
            }
        };
        loop.deadlines.arm(late, System.nanoTime() + shared.limits.firstHeadMillisMax() * 1_000_000);
    }

    /** Lets a connection wait for admission, or returns null: there are too many of its kind. */
    static @Nullable Admission admit(Shared shared, LoopState loop, Channel channel, @Nullable Object address) {
        if (shared.connections.incrementAndGet() > shared.limits.connectionsMax()) {
            shared.connections.decrementAndGet();
            shared.metrics.refused(NetMetrics.Refusal.CONNECTIONS);
            return null;
        }
        if (address != null
                && shared.unadmitted.merge(address, 1, Integer::sum) > shared.limits.unadmittedPerAddressMax()) {
            giveBack(shared, address);
            shared.connections.decrementAndGet();
            shared.metrics.refused(NetMetrics.Refusal.HANDSHAKES);
            return null;
        }
        return new Admission(shared, loop, channel, address);
    }

    private static void giveBack(Shared shared, Object address) {
        shared.unadmitted.computeIfPresent(address, (a, count) -> count == 1 ? null : count - 1);
    }

    /** The client has spoken. */
    void admitted() {
        if (!waiting) {
            return;
        }
        waiting = false;
        loop.deadlines.disarm(late);
        if (address != null) {
            giveBack(shared, address);
        }
    }

    /** The connection is gone. */
    void close() {
        admitted();
        if (open) {
            open = false;
            shared.connections.decrementAndGet();
        }
    }
}
