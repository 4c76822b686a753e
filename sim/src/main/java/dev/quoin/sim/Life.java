package dev.quoin.sim;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.Member;
import dev.quoin.member.SteppedMember;
import dev.quoin.member.watch.WatchHub;

/**
 * One life of a member: gives each of its owners a turn when something has arrived for it or its time has come. A turn
 * happens at one moment, some time after it became due, as long as a thread would have taken to get there.
 */
final class Life {
    private static final long NEVER = Long.MAX_VALUE;
    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000_000;

    private final Simulation simulation;
    private final Host host;
    private final SteppedMember stepped;
    private final long[] dueNanos;
    private final Runnable[] turns;
    private final long[] traceOf;
    private final int applyOwner;
    private @Nullable WatchHub hub;
    long lastRevision;
    /** The end of the applied log that was last looked at. */
    long lastApplied;

    Life(Simulation simulation, Host host, SteppedMember stepped) {
        this.simulation = simulation;
        this.host = host;
        this.stepped = stepped;
        List<String> owners = stepped.owners();
        applyOwner = owners.indexOf("apply");
        dueNanos = new long[owners.size()];
        turns = new Runnable[owners.size()];
        traceOf = new long[owners.size()];
        for (int owner = 0; owner < owners.size(); owner++) {
            int it = owner;
            dueNanos[owner] = NEVER;
            turns[owner] = () -> turnIfDue(it);
            traceOf[owner] = (long) host.number << 8 | owner;
        }
    }

    Member member() {
        return stepped.member();
    }

    /** The hub of its one event loop. */
    WatchHub hub(Watchers watchers) {
        WatchHub made = hub == null ? watchers.hub(host, this) : hub;
        hub = made;
        return made;
    }

    /** All owners get their first turn. */
    void begin() {
        for (int owner = 0; owner < turns.length; owner++) {
            due(owner, simulation.chance().below(2 * MILLI));
        }
    }

    /** Something may have arrived for somebody. */
    void look() {
        for (int owner = 0; owner < turns.length; owner++) {
            if (stepped.isWanted(owner)) {
                due(owner, latency(owner));
            }
        }
    }

    private void due(int owner, long delayNanos) {
        long at = simulation.time().now() + delayNanos;
        if (at < dueNanos[owner]) {
            dueNanos[owner] = at;
            simulation.time().after(delayNanos, turns[owner]);
        }
    }

    private void turnIfDue(int owner) {
        if (host.life != this || dueNanos[owner] != simulation.time().now()) {
            return;
        }
        if (host.isPaused) {
            dueNanos[owner] = NEVER;
            host.held.add(() -> due(owner, 0));
            return;
        }
        if (isOnDisk(owner) && host.diskStalledUntil > simulation.time().now()) {
            dueNanos[owner] = NEVER;
            due(owner, host.diskStalledUntil - simulation.time().now() + latency(owner));
            return;
        }
        dueNanos[owner] = NEVER;
        simulation.trace().mix(traceOf[owner]);
        simulation.trace().mix(simulation.time().now());
        Throwable escaped = turn(owner);
        if (escaped != null) {
            simulation.died(host, stepped.owners().get(owner), escaped);
        }
    }

    private @Nullable Throwable turn(int owner) {
        long wait;
        try {
            wait = stepped.turn(owner);
            if (owner == applyOwner) {
                simulation.states().applied(host, this);
            }
        } catch (Violation violation) {
            throw violation;
        } catch (Throwable escaped) {
            return escaped;
        }
        if (host.life != this) {
            return null;
        }
        if (wait < NEVER / 2) {
            due(owner, Math.max(latency(owner), host.clock.trueNanos(wait)));
        }
        look();
        return null;
    }

    /** Threads run side by side: when one ends the process, others may have gone on until just before. */
    void lastTurns() {
        for (int owner = 0; owner < turns.length; owner++) {
            if (stepped.isWanted(owner) && simulation.chance().nextBoolean()) {
                try {
                    stepped.turn(owner);
                } catch (Violation violation) {
                    throw violation;
                } catch (Throwable ignored) {
                    // It ends anyway.
                    return;
                }
            }
        }
    }

    private boolean isOnDisk(int owner) {
        return switch (stepped.owners().get(owner)) {
            case "wal", "ledger", "wal-ahead", "housekeeper" -> true;
            default -> false;
        };
    }

    private long latency(int owner) {
        Chance chance = simulation.chance();
        long nanos = switch (stepped.owners().get(owner)) {
            case "raft" -> 10 * MICRO + chance.below(80 * MICRO);
            case "apply" -> 20 * MICRO + chance.below(300 * MICRO);
            case "wal" -> host.syncNanos / 2 + chance.around(host.syncNanos / 2);
            case "ledger", "wal-ahead" -> 2 * host.syncNanos + chance.around(2 * host.syncNanos);
            default -> MILLI / 10 + chance.around(MILLI / 2);
        };
        return nanos * host.slowness;
    }
}
