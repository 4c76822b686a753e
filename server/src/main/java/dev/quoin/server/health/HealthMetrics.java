package dev.quoin.server.health;

/** Who counts what is said about health: etcd's {@code etcd_server_health…} metrics. Any thread; must not block. */
public interface HealthMetrics {
    /** Nobody counts. */
    HealthMetrics NONE = new HealthMetrics() {
        @Override
        public void answered(boolean isHealthy) {}

        @Override
        public void checked(String type, String name, boolean isPassed) {}
    };

    /** {@code /health} was answered. */
    void answered(boolean isHealthy);

    /**
     * A check was made.
     *
     * @param type {@code livez} or {@code readyz}
     * @param name {@code linearizable_read} and the like
     */
    void checked(String type, String name, boolean isPassed);
}
