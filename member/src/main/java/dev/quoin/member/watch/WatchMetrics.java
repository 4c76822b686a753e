package dev.quoin.member.watch;

/**
 * What is counted of those who watch. Called on the hubs' threads: implementations must be quick and must not throw. The
 * defaults count nothing.
 */
public interface WatchMetrics {
    WatchMetrics NONE = new WatchMetrics() {};

    /** So many watchers more, or fewer. */
    default void watchers(int more) {}

    /** So many more, or fewer, that have been told everything; the others have to catch up. */
    default void inStep(int more) {}
}
