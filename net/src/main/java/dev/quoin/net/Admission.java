package dev.quoin.net;

import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/**
 * A connection before it has said anything: it has one deadline, from accept to its first request head or SETTINGS, TLS
 * handshake included, and counts until then among those that wait, of all addresses and of its own. Owned by the connection's loop.
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
                shared.refused(NetMetrics.Refusal.FIRST_HEAD_LATE, channel);
                channel.unsafe().close(channel.unsafe().voidPromise());
            }
        };
        loop.deadlines.arm(late, System.nanoTime() + shared.limits.firstHeadMillisMax() * 1_000_000);
    }

    /** Lets a connection wait for admission, or returns null: there are too many of its kind. */
    static @Nullable Admission admit(Shared shared, LoopState loop, Channel channel, @Nullable Object address) {
        if (shared.connections.incrementAndGet() > shared.limits.connectionsMax()) {
            shared.connections.decrementAndGet();
            shared.refused(NetMetrics.Refusal.CONNECTIONS, channel);
            return null;
        }
        if (!beginsToWait(shared, address)) {
            waitsNoLonger(shared, address);
            shared.connections.decrementAndGet();
            shared.refused(NetMetrics.Refusal.HANDSHAKES, channel);
            return null;
        }
        return new Admission(shared, loop, channel, address);
    }

    /** Counts one more that waits; false if that is one too many. */
    private static boolean beginsToWait(Shared shared, @Nullable Object address) {
        boolean isOneOfTooMany = shared.unadmitted.incrementAndGet() > shared.limits.unadmittedMax();
        boolean isOneOfTooManyThere = address != null && shared.unadmittedByAddress.merge(address, 1,
                Integer::sum) > shared.limits.unadmittedPerAddressMax();
        return !isOneOfTooMany && !isOneOfTooManyThere;
    }

    private static void waitsNoLonger(Shared shared, @Nullable Object address) {
        shared.unadmitted.decrementAndGet();
        if (address != null) {
            shared.unadmittedByAddress.computeIfPresent(address, (a, count) -> count == 1 ? null : count - 1);
        }
    }

    /** The client has spoken. */
    void admitted() {
        if (!waiting) {
            return;
        }
        waiting = false;
        loop.deadlines.disarm(late);
        waitsNoLonger(shared, address);
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
