package dev.quoin.net;

import java.util.IdentityHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import io.netty.channel.Channel;
import io.netty.util.AsciiString;

/** What all connections of a server share: its configuration, its bounds on work, and whether it is stopping. */
final class Shared {
    final NetConfig config;
    final NetLimits limits;
    final NetMetrics metrics;
    final AsciiString countedHeader;
    private final IdentityHashMap<Method, NetMetrics.Calls> counted = new IdentityHashMap<>(); // not changed any more
    final VirtualWork calls;
    final VirtualWork requests;
    final Refusals refusals;
    final AtomicInteger connections = new AtomicInteger();
    final AtomicInteger unadmitted = new AtomicInteger();
    final java.util.concurrent.ConcurrentHashMap<Object, Integer> unadmittedByAddress = new java.util.concurrent.ConcurrentHashMap<>();
    volatile boolean draining;

    Shared(NetConfig config) {
        this.config = config;
        limits = config.limits();
        metrics = config.metrics();
        refusals = new Refusals(metrics);
        countedHeader = AsciiString.of(metrics.countedHeader());
        config.router().forEach(method -> counted.put(method, metrics.calls(method)));
        calls = new VirtualWork("call", limits.virtualCallsMax());
        requests = new VirtualWork("http", limits.httpRequestsMax());
    }

    /** A client has met a bound. */
    void refused(NetMetrics.Refusal why, Channel channel) {
        refusals.met(why, channel.remoteAddress());
    }

    /** Where a call is counted. */
    NetMetrics.Calls counted(Method method) {
        return counted.getOrDefault(method, NetMetrics.Calls.NONE);
    }
}
