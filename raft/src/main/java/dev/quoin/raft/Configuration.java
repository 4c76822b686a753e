package dev.quoin.raft;

import java.util.ArrayList;
import java.util.List;

/**
 * The members in force, and how they decide. Normally one {@link Majority} of voters; while a joint configuration lasts
 * (Raft §6), the {@code incoming} and the {@code outgoing} must both agree.
 *
 * <p>A member is a voter or a learner, never both: an outgoing voter that is to become a learner waits in
 * {@code learnersNext} until the joint configuration is left.
 */
record Configuration(Majority incoming, Majority outgoing, Majority learners, Majority learnersNext,
        boolean autoLeave) {
    static final Configuration EMPTY = new Configuration(Majority.EMPTY, Majority.EMPTY, Majority.EMPTY, Majority.EMPTY,
            false);

    boolean isJoint() {
        return !outgoing.isEmpty();
    }

    boolean isVoter(long id) {
        return incoming.contains(id) || outgoing.contains(id);
    }

    boolean isLearner(long id) {
        return learners.contains(id);
    }

    boolean isMember(long id) {
        return isVoter(id) || isLearner(id);
    }

    /** Whether one voter decides alone. */
    boolean isSingleton() {
        return incoming.size() == 1 && outgoing.isEmpty();
    }

    /** Voters of both halves, each once, sorted. */
    List<Long> voters() {
        List<Long> all = new ArrayList<>(incoming.toList());
        all.addAll(outgoing.toList());
        return Majority.of(all).toList();
    }

    /** All members, sorted. */
    List<Long> members() {
        List<Long> all = new ArrayList<>(voters());
        all.addAll(learners.toList());
        return Majority.of(all).toList();
    }

    long committed(Majority.ByMember acknowledged) {
        return Math.min(incoming.committed(acknowledged), outgoing.committed(acknowledged));
    }

    VoteResult result(Votes votes) {
        VoteResult in = incoming.result(votes);
        VoteResult out = outgoing.result(votes);
        if (in == out) {
            return in;
        }
        return in == VoteResult.LOST || out == VoteResult.LOST ? VoteResult.LOST : VoteResult.PENDING;
    }

    ConfState toConfState() {
        return new ConfState(incoming.toList(), learners.toList(), outgoing.toList(), learnersNext.toList(),
                autoLeave);
    }

    /** As etcd's logs have it. */
    @Override
    public String toString() {
        return toConfState().toString();
    }
}
