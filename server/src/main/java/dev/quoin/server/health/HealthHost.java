package dev.quoin.server.health;

import java.util.List;

import org.jspecify.annotations.Nullable;

/** The member whose health is asked for. Any thread. */
public interface HealthHost {
    /**
     * An alarm that is raised.
     *
     * @param name of its kind: {@code NOSPACE}, {@code CORRUPT}, or the number of one that this version does not know
     * @param text as etcd prints it, {@code memberID:7 alarm:NOSPACE}
     */
    record Alarm(String name, String text) {}

    /** Those of the whole cluster, as far as this member knows. */
    List<Alarm> alarms();

    boolean hasLeader();

    boolean isLearner();

    /**
     * Reads as a client would that may do anything. Waits, within the host's bounds.
     *
     * @param serializable whether what this member has will do; else a quorum must agree
     * @return why that is not possible, in etcd's words; null if it is
     */
    @Nullable
    String readFailure(boolean serializable) throws InterruptedException;
}
