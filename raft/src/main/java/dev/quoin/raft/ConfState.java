package dev.quoin.raft;

import java.util.List;

/**
 * Who takes part: the voters and the learners in force, each sorted as unsigned numbers. Joint configurations add two
 * more lists when the core learns them.
 */
public record ConfState(List<Long> voters, List<Long> learners) {
    public ConfState {
        voters = List.copyOf(voters);
        learners = List.copyOf(learners);
    }

    public boolean isVoter(long id) {
        return voters.contains(id);
    }
}
