package dev.quoin.server.metrics;

import java.util.List;

import dev.quoin.server.health.HealthMetrics;

/** What questions about this server's health were answered (etcdhttp/health.go). Any thread. */
public final class HealthCounts implements HealthMetrics {
    private final Counter successes;
    private final Counter failures;
    private final Labelled<Counter> checks;
    private final Labelled<LastResult> results = new Labelled<>(LastResult::new);

    /** Of one check: whether it was passed when it was made last. */
    private static final class LastResult {
        private volatile boolean isPassed;
    }

    HealthCounts(Registry registry) {
        successes = registry.counter("etcd_server_health_success", "The total number of successful health checks");
        failures = registry.counter("etcd_server_health_failures", "The total number of failed health checks");
        checks = registry.counters("etcd_server_healthchecks_total", "The total number of each kind of healthcheck.",
                "type", "name", "status");
        registry.gauges("etcd_server_healthcheck", "The result of each kind of healthcheck.",
                List.of("type", "name"), series -> results
                        .forEach((labels, result) -> series.add(result.isPassed ? 1 : 0, labels)));
    }

    @Override
    public void answered(boolean isHealthy) {
        (isHealthy ? successes : failures).increment();
    }

    @Override
    public void checked(String type, String name, boolean isPassed) {
        results.of(type, name).isPassed = isPassed;
        checks.of(type, name, isPassed ? "success" : "error").increment();
    }
}
