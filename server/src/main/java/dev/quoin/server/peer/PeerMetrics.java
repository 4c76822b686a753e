package dev.quoin.server.peer;

/**
 * What is counted of the ways to other members. Called on loops, often: implementations must be quick and must not throw.
 * The defaults count nothing.
 */
public interface PeerMetrics {
    PeerMetrics NONE = peer -> Link.NONE;

    /** Where the link to a member is counted. */
    Link link(long peer);

    /** One other member. */
    interface Link {
        Link NONE = new Link() {};

        /** It is within reach now, or no longer. */
        default void active(boolean isActive) {}

        default void sent(long bytes) {}

        /** A message, or all that was under way, has not reached it. */
        default void sendFailed() {}

        default void received(long bytes) {}

        /** What it sent could not be read. */
        default void receiveFailed() {}

        /** How long a question and its answer took. */
        default void roundTrip(long nanos) {}

        default void snapshotBegun() {}

        default void snapshotSent(boolean hasArrived, long nanos) {}

        default void stateBegun() {}

        default void stateReceived(boolean isTaken, long nanos) {}
    }
}
