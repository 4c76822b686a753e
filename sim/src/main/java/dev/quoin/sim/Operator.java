package dev.quoin.sim;

import java.util.List;

import dev.quoin.member.Membership;

/** Who looks after the cluster: changes its members, lets others lead, replaces what is broken. */
final class Operator {
    private final Simulation simulation;
    private final Dials dials;

    Operator(Simulation simulation, Dials dials) {
        this.simulation = simulation;
        this.dials = dials;
    }

    void begin() {}

    void membersChanged(Membership membership) {}

    /** Whether one more disk may be broken. */
    boolean mayBreak() {
        return false;
    }

    void breaks(Host host) {}

    boolean isVoter(Host host) {
        return simulation.states().members().members().stream()
                .anyMatch(member -> member.id() == host.id && !member.isLearner());
    }

    void replace(Host host) {}
}
