package dev.quoin.server.peer;

import java.time.Duration;

/**
 * When members compare what they hold.
 *
 * @param initially whether a member that has been there before compares before it serves: gate {@code InitialCorruptCheck}
 * @param compareAllEvery how often a leader compares all that is there; zero for never, as initially
 * @param afterCompactions whether it compares what compactions have left
 * @param compareCompactionsEvery how often it does so
 */
public record CorruptionSettings(boolean initially, Duration compareAllEvery, Mode afterCompactions,
        Duration compareCompactionsEvery) {
    /** The alarm that may follow stops the whole cluster: an etcd in it gets what its operator knows of etcd. */
    public enum Mode {
        ON, OFF,
        /** Nobody has said anything: while all members are Quoin. */
        IF_ALL_ARE_QUOIN
    }
}
