package dev.quoin.net;

import java.util.concurrent.atomic.AtomicInteger;

/** What all connections of a server share: its configuration, its bounds on work, and whether it is stopping. */
final class Shared {
    final NetConfig config;
    final NetLimits limits;
    final NetMetrics metrics;
    final VirtualWork calls;
    final VirtualWork requests;
    final AtomicInteger connections = new AtomicInteger();
    final java.util.concurrent.ConcurrentHashMap<Object, Integer> unadmitted = new java.util.concurrent.ConcurrentHashMap<>();
    volatile boolean draining;

    Shared(NetConfig config) {
        this.config = config;
        limits = config.limits();
        metrics = config.metrics();
        calls = new VirtualWork("call", limits.virtualCallsMax());
        requests = new VirtualWork("http", limits.httpRequestsMax());
    }
}
