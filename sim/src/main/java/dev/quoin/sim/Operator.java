package dev.quoin.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.ChangeAnswer;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.ClusterChange;
import dev.quoin.member.Failure;
import dev.quoin.member.Ids;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Membership;
import dev.quoin.member.Origin;
import dev.quoin.member.ReadAnswer;

/**
 * Who looks after the cluster: adds members, promotes and removes them, at times two at once; lets others lead; turns off
 * what was removed; and replaces a member whose disk is gone.
 */
final class Operator {
    private static final long SECOND = 1_000_000_000L;
    private static final int MEMBERS_MAX = 6;
    private static final int VOTERS_MIN = 3;
    /** As long as a change may be under way of which nobody knows what became of it. */
    private static final long SETTLED_NANOS = 150 * SECOND;

    private final Simulation simulation;
    private final Dials dials;
    private final Chance chance;
    /** Whose disk is gone, and is to be replaced. */
    private @Nullable Host broken;
    private long lastChangeNanos = -SETTLED_NANOS;
    private int open;

    Operator(Simulation simulation, Dials dials) {
        this.simulation = simulation;
        this.dials = dials;
        this.chance = simulation.chance();
    }

    void begin() {
        if (dials.members() > 1) {
            nextTransfer();
            nextChange();
        }
    }

    private boolean isCalm() {
        return simulation.isCalm();
    }

    // ---- what may be broken

    /** Whether one more disk may be broken: a quorum is left whatever becomes of the changes that are under way. */
    boolean mayBreak() {
        Membership now = simulation.states().members();
        long voters = now.members().stream().filter(member -> !member.isLearner()).count();
        boolean isSettled = open == 0 && simulation.time().now() - lastChangeNanos >= SETTLED_NANOS;
        return broken == null && voters >= VOTERS_MIN && isSettled && now.members().stream().allMatch(this::isGood);
    }

    private boolean isGood(MemberInfo member) {
        Host host = simulation.hostOf(member.id());
        return host != null && host.hasStarted && !host.isRetired && !host.isRotten;
    }

    void breaks(Host host) {
        broken = host;
    }

    boolean isVoter(Host host) {
        return simulation.states().members().members().stream()
                .anyMatch(member -> member.id() == host.id && !member.isLearner());
    }

    // ---- members

    /** Starts who was added, and turns off who was removed, some time later. */
    void membersChanged(Membership membership) {
        for (MemberInfo member : membership.members()) {
            if (simulation.hostOf(member.id()) == null) {
                Host host = simulation.addHost(
                        new Origin.Joiner(member.id(), simulation.clusterId(), membership.members()));
                simulation.time().after(chance.between(10, 20_000) * 1_000_000, () -> simulation.start(host));
            }
        }
        for (Host host : List.copyOf(simulation.hosts())) {
            if (membership.isRemoved(host.id)) {
                removed(host);
            }
        }
    }

    /** By the others, or by itself: it goes on for a while. */
    void removed(Host host) {
        if (!host.isRetired && !host.isRemoved) {
            host.isRemoved = true;
            simulation.time().after(chance.between(5, 90) * SECOND, () -> turnOff(host));
        }
    }

    private void turnOff(Host host) {
        simulation.crash(host, false);
        host.isRetired = true;
        simulation.note(host, "is turned off", null);
    }

    private void nextChange() {
        long mean = broken != null ? 3 * SECOND : 40 * SECOND;
        simulation.time().after(chance.around(mean), () -> {
            if (isCalm()) {
                return;
            }
            Membership now = simulation.states().members();
            if (broken != null) {
                repair(now, broken);
            } else if (dials.changesMembers() && !now.members().isEmpty()) {
                change(now);
                if (chance.oneIn(4)) {
                    change(now);
                }
            }
            nextChange();
        });
    }

    private void change(Membership now) {
        List<MemberInfo> members = now.members();
        List<MemberInfo> learners = members.stream().filter(MemberInfo::isLearner).toList();
        int kind = chance.below(10);
        if (kind < 4 && !learners.isEmpty()) {
            ask(new ClusterChange.Promote(chance.one(learners).id()));
        } else if (kind < 7 && members.size() < MEMBERS_MAX) {
            add(chance.nextBoolean());
        } else if (kind < 9 && members.size() - learners.size() > VOTERS_MIN - (chance.oneIn(6) ? 1 : 0)) {
            ask(new ClusterChange.Remove(chance.one(members).id()));
        } else {
            MemberInfo member = chance.one(members);
            ask(new ClusterChange.Update(member.id(), List.of("http://moved" + chance.below(1_000_000) + ":2380")));
        }
    }

    private void add(boolean learner) {
        List<String> urls = List.of("http://added" + chance.below(1 << 30) + ":2380");
        ask(new ClusterChange.Add(Ids.added(urls, simulation.time().now() / SECOND), urls, learner));
    }

    /** First the broken one goes, then another comes; when that one votes and has all there is, all is well again. */
    private void repair(Membership now, Host gone) {
        if (now.member(gone.id).isPresent()) {
            ask(new ClusterChange.Remove(gone.id));
            return;
        }
        List<MemberInfo> learners = now.members().stream().filter(MemberInfo::isLearner).toList();
        long voters = (long) now.members().size() - learners.size();
        if (voters >= VOTERS_MIN) {
            broken = null;
            simulation.tally().count("replaced");
        } else if (!learners.isEmpty()) {
            ask(new ClusterChange.Promote(learners.getFirst().id()));
        } else {
            add(chance.nextBoolean());
        }
    }

    private void ask(ClusterChange change) {
        List<Host> up = SimNetwork.up(simulation.hosts());
        up.removeIf(host -> host.isRemoved);
        if (up.isEmpty()) {
            return;
        }
        Host host = chance.one(up);
        Life life = host.life;
        if (life == null) {
            return;
        }
        open++;
        lastChangeNanos = simulation.time().now();
        simulation.note(host, "is asked for", change);
        simulation.tally().count("changes asked");
        simulation.inside(host, "operator", () -> life.member().changeMembers(change, new Answered(host)));
        // A member that dies answers nothing.
        simulation.time().after(SETTLED_NANOS / 2, () -> open = Math.max(0, open - 1));
    }

    private final class Answered implements ChangeAnswer {
        private final Host host;
        private boolean isAnswered;

        Answered(Host host) {
            this.host = host;
        }

        private void once() {
            Violation.check(!isAnswered, "%s answers a change of members twice", host);
            isAnswered = true;
        }

        @Override
        public void changed(Membership membership) {
            once();
            simulation.tally().count("changes made");
            simulation.note(host, "made the change", null);
        }

        @Override
        public void refused(ChangeRefusal why) {
            once();
            simulation.tally().count("changes " + why.name().toLowerCase(Locale.ROOT).replace('_', ' '));
            simulation.note(host, "refuses the change:", why);
        }

        @Override
        public void failed(Failure failure) {
            once();
            simulation.tally().count("changes failed");
        }
    }

    // ---- leaders

    private void nextTransfer() {
        simulation.time().after(chance.around(60 * SECOND), () -> {
            if (!isCalm()) {
                transfer();
                nextTransfer();
            }
        });
    }

    private void transfer() {
        List<Host> leaders = new ArrayList<>(SimNetwork.up(simulation.hosts()));
        leaders.removeIf(host -> !host.witnessed.leads());
        List<MemberInfo> members = simulation.states().members().members();
        if (leaders.isEmpty() || members.isEmpty()) {
            return;
        }
        Host leader = chance.one(leaders);
        Life life = leader.life;
        long to = chance.one(members).id();
        if (life == null) {
            return;
        }
        simulation.tally().count("transfers asked");
        simulation.inside(leader, "operator", () -> life.member().transferLeadership(to, new ReadAnswer() {
            @Override
            public void ready() {
                simulation.tally().count("transfers made");
            }

            @Override
            public void failed(Failure failure) {
                simulation.tally().count("transfers failed");
            }
        }));
    }
}
