package dev.quoin.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.member.Membership;

/**
 * Makes things go wrong, one after the other and several at once, and well again after a while; all by the seed. What it
 * breaks for good stays within what the protocol can repair: never more than one disk at a time, and only where the other
 * voters are a quorum with good disks; that member is replaced, and then another may be broken.
 */
final class Nemesis {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;

    private final Simulation simulation;
    private final Dials dials;
    private final SimNetwork network;
    private final List<Fault> faults;
    private final Operator operator;
    private boolean stormy;

    Nemesis(Simulation simulation, Dials dials, SimNetwork network) {
        this.simulation = simulation;
        this.dials = dials;
        this.network = network;
        this.faults = List.copyOf(dials.faults().stream().sorted().toList());
        this.operator = new Operator(simulation, dials);
    }

    void begin() {
        operator.begin();
        next();
    }

    private void next() {
        simulation.time().after(simulation.chance().around(dials.faultEveryNanos()), () -> {
            if (!simulation.isCalm() && !faults.isEmpty()) {
                inject(simulation.chance().one(faults));
                next();
            }
        });
    }

    void membersChanged(Membership membership) {
        operator.membersChanged(membership);
    }

    void removed(Host host) {
        operator.removed(host);
    }

    /** It is down, and comes back: mostly soon, and anyway once things are calm. */
    void restartLater(Host host) {
        Chance chance = simulation.chance();
        long delay = chance.oneIn(4) ? chance.between(5, 20) * SECOND : chance.between(20, 3_000) * MILLI;
        if (simulation.isCalm()) {
            delay = chance.below(SECOND);
        }
        if (host.isDiskFull) {
            delay += 5 * SECOND;
        }
        startAfter(host, delay);
    }

    private void startAfter(Host host, long delay) {
        int life = host.lives;
        simulation.time().after(delay, () -> {
            if (host.lives == life && host.downUntilNanos <= simulation.time().now()) {
                startWithLuck(host);
            }
        });
    }

    /** Power may go while it starts, and its clock begins anywhere. */
    private void startWithLuck(Host host) {
        Chance chance = simulation.chance();
        if (!simulation.isCalm()) {
            if (allows(Fault.POWER_CUT_IN_WRITE) && chance.oneIn(8)) {
                host.disk.cutPowerBefore(chance.between(1, 60), changes());
            }
            if (allows(Fault.CLOCK_OFFSET) && chance.oneIn(2)) {
                simulation.tally().count(Fault.CLOCK_OFFSET);
                host.clock.restartAt(chance.below(1L << 60));
            }
        }
        simulation.start(host);
    }

    private static FaultyDisk.Operation[] changes() {
        return FaultyDisk.Operation.CHANGES.toArray(FaultyDisk.Operation[]::new);
    }

    private boolean allows(Fault fault) {
        return dials.faults().contains(fault);
    }

    private @Nullable Host any() {
        List<Host> up = SimNetwork.up(simulation.hosts());
        return up.isEmpty() ? null : simulation.chance().one(up);
    }

    private void with(Fault fault, Consumer<Host> what) {
        Host host = any();
        if (host != null) {
            count(fault, host);
            what.accept(host);
        }
    }

    private void count(Fault fault, @Nullable Host host) {
        simulation.tally().count(fault);
        simulation.trace().note(simulation.time().now(), host == null ? "all" : host.name(), "fault",
                fault.label());
    }

    /** For a while, unless the run becomes calm before. */
    private void later(long nanos, Runnable heal) {
        simulation.time().after(nanos, () -> {
            if (!simulation.isCalm()) {
                heal.run();
            }
        });
    }

    private void inject(Fault fault) {
        Chance chance = simulation.chance();
        long awhile = chance.oneIn(3) ? chance.between(10, 60) * SECOND : chance.between(200, 8_000) * MILLI;
        switch (fault) {
            case LOSS -> eachWay(way -> way.lossPercent = (int) chance.between(1, 30), way -> way.lossPercent = 0,
                    awhile);
            case DELAY -> {
                count(fault, null);
                eachWay(way -> way.lateNanos = chance.between(5, 400) * MILLI, way -> way.lateNanos = 0, awhile);
            }
            case REORDER -> eachWay(way -> way.reorderPercent = (int) chance.between(5, 40),
                    way -> way.reorderPercent = 0, awhile);
            case DOUBLE -> eachWay(way -> way.doublePercent = (int) chance.between(5, 40),
                    way -> way.doublePercent = 0, awhile);
            case CUT -> cut(fault, awhile, true, true);
            case CUT_SENDING -> cut(fault, awhile, true, false);
            case CUT_RECEIVING -> cut(fault, awhile, false, true);
            case FLAPPING -> flap();
            case CLOG -> {
                count(fault, null);
                long until = simulation.time().now() + Math.min(awhile, 5 * SECOND);
                eachWay(way -> way.clogUntilNanos = until, way -> {}, awhile);
            }
            case STALE_REPLAY -> {
                if (network.replay()) {
                    count(fault, null);
                }
            }
            case SNAPSHOT_BROKEN_OFF -> network.breakOff = 2;
            case SNAPSHOT_LATE -> network.late = 3;
            case KILL -> with(fault, host -> crash(host, false));
            case POWER_CUT -> with(fault, host -> crash(host, true));
            case POWER_CUT_IN_WRITE -> powerCutInWrite();
            case POWER_CUT_ALL -> {
                count(fault, null);
                List.copyOf(simulation.hosts()).forEach(host -> crash(host, true));
            }
            case PAUSE_SHORT -> with(fault, host -> simulation.pause(host, chance.between(20, 900) * MILLI));
            case PAUSE_LONG -> with(fault, host -> simulation.pause(host, chance.between(1_500, 30_000) * MILLI));
            case SLOW_MEMBER -> with(fault, host -> {
                host.slowness = chance.between(5, 300);
                later(awhile, () -> host.slowness = 1);
            });
            case RESTART_STORM -> storm();
            case LATE_RESTART -> with(fault, host -> {
                simulation.crash(host, chance.nextBoolean());
                host.downUntilNanos = simulation.time().now() + chance.between(30, 240) * SECOND;
                startAfter(host, host.downUntilNanos - simulation.time().now());
            });
            case SLOW_SYNC -> with(fault, host -> {
                host.syncNanos = chance.between(10, 400) * MILLI;
                later(awhile, () -> host.syncNanos = dials.syncNanos());
            });
            case STALLED_DISK -> with(fault,
                    host -> host.diskStalledUntil = simulation.time().now() + chance.between(500, 15_000) * MILLI);
            case FULL_DISK -> with(fault, host -> {
                host.isDiskFull = true;
                host.disk.full(true);
                later(awhile, () -> {
                    host.isDiskFull = false;
                    host.disk.full(false);
                });
            });
            case FAILED_SYNC -> with(fault, host -> {
                host.expectsDiskFailure = true;
                host.disk.fail(chance.between(1, 5), FaultyDisk.Operation.SYNC);
            });
            case FAILED_READ -> with(fault, host -> {
                host.expectsDiskFailure = true;
                host.disk.fail(chance.between(1, 10), FaultyDisk.Operation.READ);
            });
            case BIT_ROT -> rot();
            case DISK_LOST -> loseDisk();
            case CLOCK_DRIFT -> with(fault, host -> {
                host.clock.drift(chance.between(-Dials.DRIFT_PPM, Dials.DRIFT_PPM));
                later(awhile, () -> host.clock.drift(chance.between(-Dials.SMALL_DRIFT_PPM, Dials.SMALL_DRIFT_PPM)));
            });
            case CLOCK_OFFSET -> {}
            case WALL_CLOCK_JUMP -> with(fault,
                    host -> host.clock.jumpWall(chance.between(-24 * 3_600, 24 * 3_600) * SECOND));
        }
    }

    // ---- the network

    /** Some ways of some hosts, or all. */
    private void eachWay(Consumer<SimNetwork.Way> worse, Consumer<SimNetwork.Way> better, long nanos) {
        Host one = any();
        if (one == null) {
            return;
        }
        boolean all = simulation.chance().oneIn(3);
        for (Host other : List.copyOf(simulation.hosts())) {
            for (Host from : all ? List.copyOf(simulation.hosts()) : List.of(one)) {
                for (SimNetwork.Way way : List.of(network.way(from, other), network.way(other, from))) {
                    worse.accept(way);
                    later(nanos, () -> better.accept(way));
                }
            }
        }
    }

    /** A few on this side, the others on that; or each from one. */
    private void cut(Fault fault, long nanos, boolean sending, boolean receiving) {
        List<Host> all = new ArrayList<>(simulation.hosts());
        all.removeIf(host -> host.isRetired);
        if (all.size() < 2) {
            return;
        }
        count(fault, null);
        Chance chance = simulation.chance();
        List<Host> side = new ArrayList<>();
        for (int i = 1 + chance.below(all.size() / 2); i > 0; i--) {
            side.add(all.remove(chance.below(all.size())));
        }
        side.forEach(one -> all.forEach(other -> {
            if (sending) {
                network.cut(one, other, true);
                later(nanos, () -> network.cut(one, other, false));
            }
            if (receiving) {
                network.cut(other, one, true);
                later(nanos, () -> network.cut(other, one, false));
            }
        }));
    }

    private void flap() {
        Host host = any();
        if (host == null || simulation.hosts().size() < 2) {
            return;
        }
        count(Fault.FLAPPING, host);
        long end = simulation.time().now() + simulation.chance().between(3, 30) * SECOND;
        flap(host, true, end);
    }

    private void flap(Host host, boolean isCut, long end) {
        boolean isOver = simulation.time().now() >= end || simulation.isCalm();
        if (simulation.isCalm()) {
            return;
        }
        for (Host other : simulation.hosts()) {
            if (other != host) {
                network.cut(host, other, isCut && !isOver);
                network.cut(other, host, isCut && !isOver);
            }
        }
        if (!isOver) {
            simulation.time().after(simulation.chance().between(100, 2_500) * MILLI, () -> flap(host, !isCut, end));
        }
    }

    // ---- processes and disks

    private void crash(Host host, boolean power) {
        if (host.isUp()) {
            simulation.crash(host, power);
            restartLater(host);
        }
    }

    private void powerCutInWrite() {
        Host host = any();
        if (host != null) {
            Chance chance = simulation.chance();
            if (chance.nextBoolean()) {
                host.disk.cutPowerBefore(chance.between(1, 12), changes());
            } else {
                host.disk.cutPowerAfter(chance.between(1, 12), changes());
            }
        }
    }

    private void storm() {
        if (stormy) {
            return;
        }
        stormy = true;
        count(Fault.RESTART_STORM, null);
        storm(simulation.chance().between(5, 25));
    }

    private void storm(long left) {
        if (left == 0 || simulation.isCalm()) {
            stormy = false;
            return;
        }
        Host host = any();
        if (host != null) {
            simulation.crash(host, simulation.chance().nextBoolean());
            startAfter(host, simulation.chance().below(400 * MILLI));
        }
        simulation.time().after(simulation.chance().around(800 * MILLI), () -> storm(left - 1));
    }

    /** A bit of the ledger that was written before turns over, where others have the same. */
    private void rot() {
        Host host = operator.mayBreak() ? any() : null;
        if (host == null || !operator.isVoter(host)) {
            return;
        }
        var ledger = Host.MEMBER.resolve(host.disk.list(Host.MEMBER).stream().filter(name -> name.startsWith("ledger"))
                .sorted().toList().getLast());
        List<String> files = host.disk.list(ledger).stream()
                .filter(name -> name.endsWith(".ledger") || name.endsWith(".packed")).sorted().toList();
        if (files.size() < 2) {
            return;
        }
        var file = ledger.resolve(files.get(simulation.chance().below(files.size() - 1)));
        byte[] bytes = host.disk.contents(file);
        if (bytes.length == 0) {
            return;
        }
        count(Fault.BIT_ROT, host);
        operator.breaks(host);
        host.isRotten = true;
        host.disk.corrupt(file, simulation.chance().below(bytes.length), 1 << simulation.chance().below(8));
        // Somebody looks after it, whether it was noticed or not.
        simulation.time().after(simulation.chance().between(10, 120) * SECOND, () -> {
            if (!host.isRetired) {
                simulation.crash(host, false);
                simulation.giveUp(host);
            }
        });
    }

    private void loseDisk() {
        Host host = operator.mayBreak() ? any() : null;
        if (host == null || !operator.isVoter(host)) {
            return;
        }
        count(Fault.DISK_LOST, host);
        operator.breaks(host);
        simulation.crash(host, true);
        simulation.giveUp(host);
    }
}
