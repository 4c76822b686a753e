package dev.quoin.server.bootstrap;

import java.time.Duration;

/**
 * How long a start may wait for others.
 *
 * @param joining for the members of a cluster that runs, at each URL
 * @param founding for the answer whether this member has been there before, at each URL
 * @param request for a version, at each URL; etcd's request timeout
 * @param resolving for the addresses of all names in a comparison
 * @param retrying between two attempts to find the address of a name
 */
public record BootstrapLimits(Duration joining, Duration founding, Duration request, Duration resolving,
        Duration retrying) {
    public static BootstrapLimits of(Duration request) {
        return new BootstrapLimits(Duration.ofSeconds(10), Duration.ofSeconds(1), request, Duration.ofSeconds(30),
                Duration.ofSeconds(1));
    }
}
