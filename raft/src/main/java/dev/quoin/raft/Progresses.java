package dev.quoin.raft;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

/** The {@link Progress} of each member, in the order of their ids as unsigned numbers. Few: found by looking at each. */
final class Progresses {
    private final long[] ids;
    private final Progress[] progresses;

    Progresses(List<Long> sortedIds, List<Progress> progresses) {
        ids = sortedIds.stream().mapToLong(Long::longValue).toArray();
        this.progresses = progresses.toArray(Progress[]::new);
    }

    /** Of the members of {@code configuration}: those that are known go on, new ones are probed at the end of the log. */
    Progresses of(Configuration configuration, long lastIndex, RaftLimits limits) {
        List<Long> members = configuration.members();
        List<Progress> each = new ArrayList<>(members.size());
        for (long member : members) {
            boolean learner = configuration.isLearner(member);
            Progress known = of(member);
            // A new member counts as heard, so that it does not cost the leader its quorum before it can speak.
            each.add(known != null ? known.asLearner(learner)
                    : new Progress(0, Math.max(lastIndex, 1), learner, true, limits));
        }
        return new Progresses(members, each);
    }

    int size() {
        return ids.length;
    }

    long idAt(int position) {
        return ids[position];
    }

    Progress at(int position) {
        return progresses[position];
    }

    @Nullable
    Progress of(long id) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == id) {
                return progresses[i];
            }
        }
        return null;
    }

    boolean isAnyCatchingUp() {
        return Arrays.stream(progresses).anyMatch(Progress::isCatchingUp);
    }
}
