package dev.quoin.ctl.print;

/**
 * How an endpoint is.
 *
 * @param took how long it took to find out, or nothing if that was not possible at all
 * @param error what is wrong; nothing if it is healthy
 */
public record Health(String endpoint, boolean isHealthy, String took, String error) {}
