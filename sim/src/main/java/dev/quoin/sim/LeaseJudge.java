package dev.quoin.sim;

import java.util.HashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;

/**
 * What leases promise. None ends by itself before its time since it was granted, or since its last acknowledged renewal, by
 * the clock of whoever let it end; a renewal of one that is gone says so, and one that is there is not denied. That all end
 * is seen when nobody renews them any more ({@link Recovery}).
 */
final class LeaseJudge {
    private static final long SECOND = 1_000_000_000L;
    /** For what is rounded off. */
    private static final long MICRO = 1_000;

    /** When a lease was promised its time, on all clocks. */
    private record Promise(long trueNanos, Map<Host, Long> clocks, Map<Host, Integer> lives) {}

    private final Simulation simulation;
    private final Dials dials;

    /** When a leader let a lease end, on its clock. */
    private record Decision(Host leader, long clockNanos, int life, long trueNanos) {}

    private final Map<Bytes, Decision> decisions = new HashMap<>();
    private final Map<Long, Promise> promises = new HashMap<>();
    /** When it was revoked last. */
    private final Map<Long, Long> gone = new HashMap<>();

    LeaseJudge(Simulation simulation, Dials dials) {
        this.simulation = simulation;
        this.dials = dials;
    }

    private Promise now() {
        Map<Host, Long> clocks = new HashMap<>();
        Map<Host, Integer> lives = new HashMap<>();
        simulation.hosts().forEach(host -> {
            clocks.put(host, host.clock.nanos());
            lives.put(host, host.lives);
        });
        return new Promise(simulation.time().now(), clocks, lives);
    }

    // ---- the log

    /** A leader has appended an entry of its own term. */
    void appended(Host leader, Entry entry) {
        if (entry.kind() == EntryKind.NORMAL && ModelLeases.revokedBy(entry.data()) != 0) {
            decisions.put(entry.data(),
                    new Decision(leader, leader.clock.nanos(), leader.lives, simulation.time().now()));
        }
    }

    void granted(ModelLeases.Granted lease) {
        promises.put(lease.lease(), now());
        simulation.tally().count("leases granted");
    }

    void revoked(long lease) {
        promises.remove(lease);
        gone.put(lease, simulation.time().now());
        simulation.tally().count("leases revoked");
    }

    void expired(ModelLeases.Granted lease, Entry entry) {
        simulation.tally().count("leases ended");
        gone.put(lease.lease(), simulation.time().now());
        Promise promise = promises.remove(lease.lease());
        Decision decision = decisions.remove(entry.data());
        if (promise == null || decision == null) {
            throw new Violation("lease " + lease + " ends by an entry of nobody who could know: " + entry);
        }
        long passed = passed(promise, decision);
        Violation.check(passed >= lease.ttlSeconds() * SECOND,
                "%s, leader of term %d, lets %s end %.3f s after it was promised at %.6f s", decision.leader,
                entry.term(), lease, passed / 1e9, promise.trueNanos / 1e9);
    }

    /**
     * On the clock of who decided. If that has begun anew since it was promised, or others may have counted before and
     * written down what they found: as much as the fastest clock can have counted.
     */
    private long passed(Promise promise, Decision decision) {
        Long then = promise.clocks.get(decision.leader);
        Integer life = promise.lives.get(decision.leader);
        if (then != null && life != null && life == decision.life && !dials.checkpointsLeases()) {
            return decision.clockNanos - then;
        }
        long passed = decision.trueNanos - promise.trueNanos;
        return passed + passed / 1_000 * dials.fastestPpm() / 1_000 + MICRO;
    }

    // ---- what clients are told

    /**
     * A renewal was acknowledged.
     *
     * @param askedNanos when it was asked for
     */
    void renewed(Host host, long lease, long ttlSeconds, long askedNanos, long appliedIndex) {
        simulation.tally().count("leases renewed");
        ModelLeases.Granted is = simulation.model().leases().find(lease);
        if (is == null) {
            long since = gone.getOrDefault(lease, 0L);
            // For so long a leader may not know of its successor.
            Violation.check(askedNanos - since <= dials.electionNanos(), "%s renews lease %d, which ended at %.6f s",
                    host,
                    lease, since / 1e9);
            return;
        }
        if (is.index() <= appliedIndex) {
            Violation.check(is.ttlSeconds() == ttlSeconds, "%s renews %s for %d s", host, is, ttlSeconds);
            promises.put(lease, now());
        }
    }

    /** A lease is not there, it was said. */
    void denied(Host host, ModelLeases.@Nullable Granted whenAsked) {
        simulation.tally().count("leases denied");
        ModelLeases.Granted is = whenAsked == null ? null : simulation.model().leases().find(whenAsked.lease());
        Violation.check(is == null || !is.equals(whenAsked), "%s denies %s, which is there", host, is);
    }
}
