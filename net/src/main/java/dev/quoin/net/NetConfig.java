package dev.quoin.net;

import java.net.SocketAddress;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * All a {@link NetServer} is made of. Immutable.
 *
 * @param listens   where to listen; port 0 takes a free one
 * @param router    gRPC, by path
 * @param http      everything else
 * @param limits    every bound
 * @param metrics   where it is counted
 * @param turn      told when hot messages came, or null
 * @param tls       certificate for the listeners that speak TLS, or null
 * @param loops     event loops, each one thread
 */
public record NetConfig(List<Listen> listens, Router router, HttpHandler http, NetLimits limits, NetMetrics metrics,
        @Nullable LoopTurn turn, @Nullable NetTls tls, int loops) {

    /**
     * One address.
     *
     * @param address a TCP address, or a {@link java.net.UnixDomainSocketAddress}
     * @param plain   whether it serves clients without encryption
     * @param tls     whether it serves TLS; with both the first byte tells
     * @param reusesPort whether others may listen on the same TCP port ({@code SO_REUSEPORT})
     */
    public record Listen(SocketAddress address, boolean plain, boolean tls, boolean reusesPort) {
        public Listen(SocketAddress address, boolean plain, boolean tls) {
            this(address, plain, tls, false);
        }

        public static Listen plain(SocketAddress address) {
            return new Listen(address, true, false);
        }

        public Listen reusingPort(boolean whether) {
            return new Listen(address, plain, tls, whether);
        }
    }

    public NetConfig {
        listens = List.copyOf(listens);
        if (tls == null && listens.stream().anyMatch(Listen::tls)) {
            throw new IllegalArgumentException("a listener speaks TLS, and there is no certificate");
        }
        if (loops < 1) {
            throw new IllegalArgumentException("event loops: " + loops);
        }
    }

    /** One plain listener, everything else by default. */
    public static NetConfig plain(SocketAddress address, Router router, HttpHandler http) {
        return new NetConfig(List.of(Listen.plain(address)), router, http, NetLimits.defaults(), NetMetrics.NONE, null,
                null, 1);
    }

    public NetConfig withLimits(NetLimits other) {
        return new NetConfig(listens, router, http, other, metrics, turn, tls, loops);
    }

    public NetConfig withTurn(LoopTurn other) {
        return new NetConfig(listens, router, http, limits, metrics, other, tls, loops);
    }

    public NetConfig withTls(NetTls other, List<Listen> otherListens) {
        return new NetConfig(otherListens, router, http, limits, metrics, turn, other, loops);
    }
}
