package dev.quoin.sim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.PowerCut;
import dev.quoin.member.Events;
import dev.quoin.member.Ids;
import dev.quoin.member.MemberConfig;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.member.Origin;
import dev.quoin.member.StartRefused;
import dev.quoin.member.SteppedMember;
import dev.quoin.raft.LogLine;
import dev.quoin.store.AuthOutcome;

/** One run: a cluster, its world, and those who judge it, all from one seed. */
final class Simulation {
    /** What a run came to. */
    record Result(long seed, int members, double hours, Tally tally, long hash) {}

    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;
    private static final String TOKEN = "simulated";
    /** Where a member is before it runs. */
    private static final String START = "the start";

    private final long seed;
    private final Chance chance;
    private final Scheduler time = new Scheduler();
    private final Trace trace;
    private final Tally tally = new Tally();
    private final Dials dials;
    private final SimNetwork network;
    private final Promises promises = new Promises(this);
    private final Model model;
    private final LeaseJudge leaseJudge;
    private final States states = new States(this);
    private final Clients clients;
    private final Watchers watchers;
    private final Nemesis nemesis;
    private final List<Host> hosts = new ArrayList<>();
    private final Map<Long, Host> hostsById = new HashMap<>();
    private long clusterId;
    /** From now on nothing new goes wrong. */
    private boolean isCalm;

    /** @param members how many there are; 0 leaves that to the seed */
    Simulation(long seed, int members, boolean loud) {
        this.seed = seed;
        chance = new Chance(seed * 0x5851f42d4c957f2dL + 1);
        trace = new Trace(loud);
        dials = Dials.of(chance, members);
        leaseJudge = new LeaseJudge(this, dials);
        model = new Model(leaseJudge);
        network = new SimNetwork(this, dials.hopNanos());
        clients = new Clients(this, dials);
        watchers = new Watchers(this, dials);
        nemesis = new Nemesis(this, dials, network);
    }

    Result run() {
        found();
        clients.begin();
        watchers.begin();
        nemesis.begin();
        time.runUntil(dials.safetyNanos());
        isCalm = true;
        new Recovery(this, dials, network, clients, watchers).run();
        checkEnd();
        tally.count("seeds");
        return new Result(seed, dials.members(), time.now() / 3.6e12, tally, trace.hash());
    }

    List<String> last(int lines) {
        return trace.last(lines);
    }

    double seconds() {
        return time.now() / 1e9;
    }

    // ---- what the others use

    Chance chance() {
        return chance;
    }

    Scheduler time() {
        return time;
    }

    Trace trace() {
        return trace;
    }

    Tally tally() {
        return tally;
    }

    Promises promises() {
        return promises;
    }

    Model model() {
        return model;
    }

    LeaseJudge leaseJudge() {
        return leaseJudge;
    }

    States states() {
        return states;
    }

    Clients clients() {
        return clients;
    }

    List<Host> hosts() {
        return hosts;
    }

    boolean isCalm() {
        return isCalm;
    }

    @Nullable
    Host hostOf(long id) {
        return hostsById.get(id);
    }

    void note(Host host, String what, @Nullable Object detail) {
        trace.note(time.now(), host.name(), what, detail);
    }

    // ---- hosts

    private void found() {
        List<MemberInfo> infos = new ArrayList<>();
        for (int number = 1; number <= dials.members(); number++) {
            List<String> urls = urls(number);
            infos.add(new MemberInfo(Ids.member(urls, TOKEN), "m" + number, urls, List.of(), false));
        }
        for (int number = 1; number <= dials.members(); number++) {
            Origin.Founder origin = Origin.Founder.of("m" + number, infos);
            clusterId = origin.clusterId();
            Host host = addHost(origin);
            time.after(chance.below(2 * SECOND), () -> start(host));
        }
    }

    static List<String> urls(int number) {
        return List.of("http://m" + number + ":2380");
    }

    /** A machine with an empty disk, for a member with this origin. */
    Host addHost(Origin origin) {
        int number = hosts.size() + 1;
        FaultyDisk disk = new FaultyDisk(chance.split());
        HostClock clock = new HostClock(time, chance.below(1L << 50),
                chance.between(-Dials.SMALL_DRIFT_PPM, Dials.SMALL_DRIFT_PPM));
        MemberConfig config = new MemberConfig("m" + number, Host.DATA, null, List.of("http://m" + number + ":2379"),
                "3.7.1", origin, true, true, false, dials.limits());
        Host host = new Host(number, config, origin.memberId(), disk, clock, dials.syncNanos());
        host.witnessed.join(promises);
        hosts.add(host);
        hostsById.put(host.id, host);
        return host;
    }

    long clusterId() {
        return clusterId;
    }

    /** Brings a member up, unless its disk has another idea. */
    void start(Host host) {
        if (host.isUp() || host.isRetired) {
            return;
        }
        host.lives++;
        host.downUntilNanos = 0;
        SimNetwork.Port port = network.port(host);
        host.plugIn(port);
        SteppedMember stepped;
        try {
            stepped = SteppedMember.open(host.config, host.disk, host.clock, chance.split()::below, port, events(host),
                    host.witnessed);
        } catch (Violation violation) {
            throw violation;
        } catch (Throwable refused) {
            host.plugIn(null);
            note(host, "does not start:", refused);
            ended(host, START, refused);
            return;
        }
        note(host, "starts, life", host.lives);
        tally.count("starts");
        host.hasStarted = true;
        host.upSinceNanos = time.now();
        stepped.member().lessor().checkpoint(dials.checkpointsLeases());
        Life life = new Life(this, host, stepped);
        host.life = life;
        life.begin();
    }

    /** Something of a member's, outside its turns. */
    void inside(Host host, String where, Runnable what) {
        Life life = host.life;
        if (life == null) {
            return;
        }
        try {
            what.run();
        } catch (Violation violation) {
            throw violation;
        } catch (Throwable escaped) {
            died(host, where, escaped);
            return;
        }
        if (host.life == life) {
            life.look();
        }
    }

    /** Something escaped a turn, so the process has ended. */
    void died(Host host, String where, Throwable why) {
        note(host, "dies in " + where + ":", why);
        Life life = host.life;
        if (life != null) {
            life.lastTurns();
        }
        ended(host, where, why);
    }

    /** Whether it may end by this, and what becomes of it. */
    private void ended(Host host, String where, Throwable why) {
        boolean isPowerGone = host.disk.powerless();
        switch (why) {
            case PowerCut cut when isPowerGone -> tally.count(Fault.POWER_CUT_IN_WRITE);
            case DiskFailure full when full.isNoSpace() && !where.equals(START) ->
                throw new Violation(host + ": a full disk ends " + where, full);
            case DiskFailure failure -> excuse(host, failure);
            case Damaged damaged -> excuse(host, damaged);
            // A removed member does not start again.
            case StartRefused refused when states.members().isRemoved(host.id) -> host.isRetired = true;
            default -> throw new Violation(host + ": " + where + " ends the process: " + why, why);
        }
        down(host, isPowerGone);
        if (host.isRotten && !host.isRetired) {
            giveUp(host);
        } else if (!host.isRetired) {
            nemesis.restartLater(host);
        }
    }

    /** A fault of a disk that was made here may be noticed; any other may not. */
    void excuse(Host host, RuntimeException failure) {
        if (!host.expectsDiskFailure && !host.isRotten && !host.isDiskFull) {
            throw new Violation(host + ": its disk was well, and still: " + failure.getMessage(), failure);
        }
        tally.count("disk faults noticed");
    }

    /** From outside: the process ends, and perhaps the machine loses power. */
    void crash(Host host, boolean power) {
        if (host.isUp()) {
            note(host, power ? "loses power" : "is killed", null);
            down(host, power);
        }
    }

    private void down(Host host, boolean power) {
        host.life = null;
        host.plugIn(null);
        host.lives++;
        host.held.clear();
        host.isPaused = false;
        host.expectsDiskFailure = false;
        host.witnessed.ended();
        if (power) {
            host.disk.restart();
        } else {
            host.disk.restartProcess();
        }
    }

    void pause(Host host, long nanos) {
        host.isPaused = true;
        int life = host.lives;
        note(host, "pauses for ms", nanos / MILLI);
        time.after(nanos, () -> {
            if (host.lives == life) {
                goOn(host);
            }
        });
    }

    void goOn(Host host) {
        if (!host.isPaused) {
            return;
        }
        host.isPaused = false;
        while (!host.held.isEmpty() && !host.isPaused) {
            Runnable next = host.held.remove();
            inside(host, "network", next);
        }
    }

    /** Its disk is gone, or cannot be trusted: it never comes back, and the operator replaces it. */
    void giveUp(Host host) {
        note(host, "is given up", null);
        host.isRetired = true;
    }

    private Events events(Host host) {
        return new Events() {
            @Override
            public void damaged(Damaged damage) {
                note(host, "finds damage:", damage.getMessage());
                excuse(host, damage);
            }

            @Override
            public void repaired(String what) {
                note(host, "repairs:", what);
                tally.count("repairs");
            }

            @Override
            public void housekeepingRefused(DiskFailure failure) {
                note(host, "has no room:", failure.getMessage());
                excuse(host, failure);
            }

            @Override
            public void consensus(LogLine line) {}

            @Override
            public void diskHangs(long nanos) {}

            @Override
            public void auth(long index, AuthOutcome outcome) {}

            @Override
            public void diskFull(DiskFailure failure) {
                note(host, "has no room:", failure.getMessage());
                excuse(host, failure);
                tally.count("full disks borne");
            }

            @Override
            public void diskHasRoom() {}

            @Override
            public void quotaFills(int percent, long bytesInUse, long quotaBytes) {}

            @Override
            public void alarmLifted() {}

            @Override
            public void removed(String why) {
                note(host, "is removed:", why);
                time.after(MILLI, () -> Violation.check(states.members().isRemoved(host.id),
                        "%s says that it is removed, and is not: %s", host, why));
                nemesis.removed(host);
            }

            @Override
            public void changeRejected(String arithmetic) {}

            @Override
            public void forced(String what) {
                throw new Violation(host + " goes on alone, and nobody told it to: " + what);
            }

            @Override
            public void changeRefused(String why) {
                note(host, "refuses a change:", why);
                tally.count("changes refused");
            }
        };
    }

    void membersChanged(Membership membership) {
        nemesis.membersChanged(membership);
    }

    private void checkEnd() {
        for (Host host : hosts) {
            Life life = host.life;
            if (life != null && !host.isRotten) {
                states.compareAll(host, life.member(), life.member().status().appliedIndex());
            }
        }
    }
}
