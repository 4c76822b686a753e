package dev.quoin.member;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the time of a request went, so that an operator knows what to look at. Nanoseconds, as exact as
 * {@link EntryTimes} is. Immutable.
 */
public final class Phases {
    /** What a request waits for, in the order in which it does. */
    public enum Phase {
        /** Its turn: the loops of this member had no processor, or too much to do. */
        QUEUE,
        /** The disk of this member's log. */
        SYNC,
        /** Other members: the leader, or a quorum of followers, and the network to them. */
        PEER,
        /** The store, and all that was to be applied before. */
        APPLY,
        /** The client, and all that was to be sent before. */
        SEND
    }

    public static final Phases NONE = new Phases(Map.of());

    private final Map<Phase, Long> nanos;

    private Phases(Map<Phase, Long> nanos) {
        this.nanos = new TreeMap<>(nanos);
    }

    /** With so much time more for a phase. */
    public Phases with(Phase phase, long more) {
        Map<Phase, Long> all = new TreeMap<>(nanos);
        all.merge(phase, Math.max(0, more), Long::sum);
        return new Phases(all);
    }

    public long nanos(Phase phase) {
        return nanos.getOrDefault(phase, 0L);
    }

    /** All of them. */
    public long sum() {
        return nanos.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The one that took longest. */
    public Phase longest() {
        return nanos.entrySet().stream().max(Comparator.comparingLong(Map.Entry::getValue)).map(Map.Entry::getKey)
                .orElse(Phase.QUEUE);
    }
}
