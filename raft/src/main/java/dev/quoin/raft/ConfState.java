package dev.quoin.raft;

import java.util.List;

/**
 * Who takes part: the voters and the learners in force, each sorted as unsigned numbers. In a joint configuration
 * ({@code votersOutgoing} is not empty) both sets of voters must agree; {@code learnersNext} are outgoing voters that
 * become learners when it is left, which happens by itself if {@code autoLeave}.
 */
public record ConfState(List<Long> voters, List<Long> learners, List<Long> votersOutgoing, List<Long> learnersNext,
        boolean autoLeave) {
    public static final ConfState EMPTY = new ConfState(List.of(), List.of());

    public ConfState {
        voters = List.copyOf(voters);
        learners = List.copyOf(learners);
        votersOutgoing = List.copyOf(votersOutgoing);
        learnersNext = List.copyOf(learnersNext);
    }

    /** Not joint. */
    public ConfState(List<Long> voters, List<Long> learners) {
        this(voters, learners, List.of(), List.of(), false);
    }

    /** As etcd's logs have it: {@code voters=(1 2 3)&&(1 2 a) learners=(4) autoleave}, in hexadecimal. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("voters=").append(Majority.of(voters));
        if (!votersOutgoing.isEmpty()) {
            text.append("&&").append(Majority.of(votersOutgoing));
        }
        if (!learners.isEmpty()) {
            text.append(" learners=").append(Majority.of(learners));
        }
        if (!learnersNext.isEmpty()) {
            text.append(" learners_next=").append(Majority.of(learnersNext));
        }
        return text.append(autoLeave ? " autoleave" : "").toString();
    }

    public boolean isVoter(long id) {
        return voters.contains(id) || votersOutgoing.contains(id);
    }
}
