package dev.quoin.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import dev.quoin.member.MemberInfo;

/**
 * The second phase: a quorum is healed, perhaps all, and what is not stays as it is. The quorum must find a leader and
 * commit a write within ten election timeouts, and all of it must catch up.
 */
final class Recovery {
    private static final long SECOND = 1_000_000_000L;
    private static final int WATCHERS_WAITS_MAX = 20;
    private static final int ELECTIONS = 10;
    private static final int MORE_ELECTIONS = 30;

    private final Simulation simulation;
    private final Dials dials;
    private final SimNetwork network;
    private final Clients clients;
    private final Watchers watchers;
    private boolean isAcknowledged;

    Recovery(Simulation simulation, Dials dials, SimNetwork network, Clients clients,
            Watchers watchers) {
        this.simulation = simulation;
        this.dials = dials;
        this.network = network;
        this.clients = clients;
        this.watchers = watchers;
    }

    void run() {
        List<Host> core = core();
        List<Host> rest = new ArrayList<>(simulation.hosts());
        rest.removeAll(core);
        int kind = simulation.chance().below(4);
        network.heal();
        network.late = 0;
        network.breakOff = 0;
        for (Host host : core) {
            heal(host);
        }
        if (kind < 2) {
            rest.forEach(this::heal);
        } else {
            // They may still talk: whoever hears nobody must not disturb those who agree.
            boolean isMute = kind == 2;
            rest.forEach(host -> core.forEach(other -> {
                network.cut(host, other, isMute);
                network.cut(other, host, true);
            }));
        }
        // Joins what is under way, such as a start, before time counts.
        advance(2 * SECOND);
        Violation.check(core.stream().allMatch(Host::isUp), "of the healed %s some are down", core);
        checkWrite(core);
        checkCaughtUp(core);
        clients.stayAwake();
        watchers.heal();
        advance(10 * SECOND);
        checkCaughtUp(core);
        clients.checkAnswered(core);
        checkTold(core);
        checkLeasesEnd(core);
    }

    /** Who watches at a member that is well has heard before long what it has now. */
    private void checkTold(List<Host> core) {
        long revision = core.stream().map(host -> host.life).filter(Objects::nonNull)
                .mapToLong(life -> life.member().view().revision()).min().orElse(0);
        String notTold = watchers.notTold(core, revision);
        for (int waits = 0; notTold != null && waits < WATCHERS_WAITS_MAX; waits++) {
            advance(10 * SECOND);
            notTold = watchers.notTold(core, revision);
        }
        Violation.check(notTold == null, "all is well, and after %d s nobody has told %s", 10 * WATCHERS_WAITS_MAX,
                notTold);
    }

    private void advance(long nanos) {
        simulation.time().runUntil(simulation.time().now() + nanos);
    }

    /** A quorum of the voters in force, chosen by the seed, of those whose disks are good. */
    private List<Host> core() {
        List<Host> voters = new ArrayList<>();
        int count = 0;
        for (MemberInfo info : simulation.states().members().members()) {
            if (!info.isLearner()) {
                count++;
                Host host = simulation.hostOf(info.id());
                if (host != null && !host.isRetired && !host.isRotten) {
                    voters.add(host);
                }
            }
        }
        int quorum = count / 2 + 1;
        Violation.check(voters.size() >= quorum || count == 0, "the simulator broke %d of %d voters",
                count - voters.size(), count);
        while (voters.size() > quorum && simulation.chance().nextBoolean()) {
            voters.remove(simulation.chance().below(voters.size()));
        }
        return voters;
    }

    private void heal(Host host) {
        if (host.isRetired) {
            return;
        }
        host.slowness = 1;
        host.syncNanos = Math.min(dials.syncNanos(), 5_000_000);
        host.diskStalledUntil = 0;
        host.isDiskFull = false;
        host.disk.full(false);
        host.disk.forgetPlan();
        simulation.goOn(host);
        simulation.start(host);
    }

    private void checkWrite(List<Host> core) {
        if (core.isEmpty()) {
            return;
        }
        long end = simulation.time().now() + ELECTIONS * dials.electionNanos();
        Host host = simulation.chance().one(core);
        while (!isAcknowledged && simulation.time().now() < end) {
            clients.putAt(host, () -> isAcknowledged = true);
            advance(dials.electionNanos());
        }
        Violation.check(isAcknowledged, "%s are well, and %s commits nothing within %d election timeouts: %s", core,
                host, ELECTIONS, describe());
        simulation.tally().count("recoveries");
    }

    private void checkCaughtUp(List<Host> core) {
        long goal = simulation.promises().committedIndex();
        long end = simulation.time().now() + MORE_ELECTIONS * dials.electionNanos();
        while (simulation.time().now() < end && !core.stream().allMatch(host -> hasApplied(host, goal))) {
            advance(dials.electionNanos() / 2);
        }
        Violation.check(core.stream().allMatch(host -> hasApplied(host, goal)),
                "%s are well, and have not applied %d: %s",
                core, goal, describe());
    }

    /** What nobody renews any more ends: after its time, under a new leader after its time again. */
    private void checkLeasesEnd(List<Host> core) {
        if (core.isEmpty()) {
            return;
        }
        clients.leaveLeases();
        long end = simulation.time().now() + 2 * (Clients.TTL_MAX_SECONDS * SECOND + dials.electionNanos())
                + 10 * SECOND;
        while (simulation.time().now() < end && !simulation.model().leases().all().isEmpty()) {
            advance(SECOND);
        }
        Violation.check(simulation.model().leases().all().isEmpty(), "%s are well, and leases %s do not end: %s", core,
                simulation.model().leases().all(), describe());
    }

    private static boolean hasApplied(Host host, long index) {
        Life life = host.life;
        return life != null && life.member().status().appliedIndex() >= index;
    }

    private String describe() {
        StringBuilder text = new StringBuilder();
        for (Host host : simulation.hosts()) {
            Life life = host.life;
            text.append(host).append(life == null ? " down" : " " + life.member().status()).append("; ");
        }
        return text.toString();
    }
}
