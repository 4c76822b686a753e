package dev.quoin.raft;

import java.util.SortedMap;
import java.util.TreeMap;

/** Who has answered a request for votes, and how. The first answer of a member counts. */
final class Votes {
    /** One member's. */
    enum Vote {
        GRANTED,
        REJECTED,
        MISSING
    }

    private final SortedMap<Long, Boolean> votes = new TreeMap<>(Long::compareUnsigned);

    void record(long id, boolean granted) {
        votes.putIfAbsent(id, granted);
    }

    Vote of(long id) {
        Boolean granted = votes.get(id);
        if (granted == null) {
            return Vote.MISSING;
        }
        return granted ? Vote.GRANTED : Vote.REJECTED;
    }

    /** The answers of this kind by voters of {@code configuration}. */
    int count(Vote kind, Configuration configuration) {
        int count = 0;
        for (long id : votes.keySet()) {
            if (configuration.isVoter(id) && of(id) == kind) {
                count++;
            }
        }
        return count;
    }
}
