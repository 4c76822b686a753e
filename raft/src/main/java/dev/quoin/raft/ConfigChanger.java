package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

/**
 * Makes one configuration out of another, or says why that cannot be. Changes are made to the incoming voters; a member
 * that still votes in the outgoing half stays a member until the joint configuration is left.
 */
final class ConfigChanger {
    /** The change cannot be made. The words are those of etcd's library. */
    static final class Impossible extends Exception {
        private static final long serialVersionUID = 1L;

        Impossible(String message) {
            super(message);
        }
    }

    private ConfigChanger() {}

    /** What the log entry says: enters or leaves a joint configuration, or changes one voter. */
    static Configuration change(Configuration from, ConfChange change) throws Impossible {
        if (change.leavesJoint()) {
            return leaveJoint(from);
        }
        if (change.entersJoint()) {
            return enterJoint(from, change.transition() != ConfChange.Transition.JOINT_EXPLICIT, change.changes());
        }
        return simple(from, change.changes());
    }

    /** One voter more or less, and any learners. */
    static Configuration simple(Configuration from, List<ConfChange.Change> changes) throws Impossible {
        if (from.isJoint()) {
            throw new Impossible("can't apply simple config change in joint config");
        }
        Configuration to = apply(from, changes);
        if (to.incoming().differenceTo(from.incoming()) > 1) {
            throw new Impossible("more than one voter changed without entering joint config");
        }
        return to;
    }

    static Configuration enterJoint(Configuration from, boolean autoLeave, List<ConfChange.Change> changes)
            throws Impossible {
        if (from.isJoint()) {
            throw new Impossible("config is already joint");
        }
        if (from.incoming().isEmpty()) {
            throw new Impossible("can't make a zero-voter config joint");
        }
        return apply(new Configuration(from.incoming(), from.incoming(), from.learners(), Majority.EMPTY, autoLeave),
                changes);
    }

    static Configuration leaveJoint(Configuration from) throws Impossible {
        if (!from.isJoint()) {
            throw new Impossible("can't leave a non-joint config");
        }
        Majority learners = from.learners();
        for (long id : from.learnersNext().toList()) {
            learners = learners.with(id);
        }
        return new Configuration(from.incoming(), Majority.EMPTY, learners, Majority.EMPTY, false);
    }

    /** The configuration that {@code state} describes. */
    static Configuration restore(ConfState state) throws Impossible {
        Majority incoming = Majority.of(state.voters());
        Majority outgoing = Majority.of(state.votersOutgoing());
        Majority learners = Majority.of(state.learners());
        Majority learnersNext = Majority.of(state.learnersNext());
        for (long id : learners.toList()) {
            if (incoming.contains(id) || outgoing.contains(id)) {
                throw new Impossible(Long.toUnsignedString(id) + " is a voter and a learner");
            }
        }
        for (long id : learnersNext.toList()) {
            if (!outgoing.contains(id) || incoming.contains(id)) {
                throw new Impossible(Long.toUnsignedString(id) + " is to become a learner, and is no outgoing voter");
            }
        }
        if (outgoing.isEmpty() && state.autoLeave()) {
            throw new Impossible("a configuration that is not joint cannot be left by itself");
        }
        if (incoming.isEmpty() && !(outgoing.isEmpty() && learners.isEmpty())) {
            throw new Impossible("removed all voters");
        }
        List<Long> all = new ArrayList<>(state.voters());
        all.addAll(state.learners());
        all.addAll(state.votersOutgoing());
        if (all.contains(0L)) {
            throw new Impossible("0 is no member's id");
        }
        return new Configuration(incoming, outgoing, learners, learnersNext, state.autoLeave());
    }

    private static Configuration apply(Configuration from, List<ConfChange.Change> changes) throws Impossible {
        Configuration to = from;
        for (ConfChange.Change change : changes) {
            if (change.node() != 0) {
                to = switch (change.kind()) {
                    case ADD_VOTER -> makeVoter(to, change.node());
                    case ADD_LEARNER -> makeLearner(to, change.node());
                    case REMOVE -> remove(to, change.node());
                    case UPDATE -> to;
                };
            }
        }
        if (to.incoming().isEmpty()) {
            throw new Impossible("removed all voters");
        }
        return to;
    }

    private static Configuration makeVoter(Configuration from, long id) {
        return new Configuration(from.incoming().with(id), from.outgoing(), from.learners().without(id),
                from.learnersNext().without(id), from.autoLeave());
    }

    /** An outgoing voter becomes one only when the joint configuration is left. */
    private static Configuration makeLearner(Configuration from, long id) {
        if (from.isLearner(id)) {
            return from;
        }
        Configuration rest = remove(from, id);
        boolean later = from.outgoing().contains(id);
        return new Configuration(rest.incoming(), rest.outgoing(),
                later ? rest.learners() : rest.learners().with(id),
                later ? rest.learnersNext().with(id) : rest.learnersNext(), rest.autoLeave());
    }

    private static Configuration remove(Configuration from, long id) {
        return new Configuration(from.incoming().without(id), from.outgoing(), from.learners().without(id),
                from.learnersNext().without(id), from.autoLeave());
    }
}
