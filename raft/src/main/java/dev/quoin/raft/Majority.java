package dev.quoin.raft;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * Members of whom more than half must agree. An empty one agrees with everything, so that a configuration with an empty
 * half behaves like its other half. Ids are kept sorted as unsigned numbers.
 */
final class Majority {
    static final Majority EMPTY = new Majority(new long[0]);

    /** What a voter says, or has acknowledged. */
    interface ByMember {
        long of(long id);
    }

    private final long[] ids;

    private Majority(long[] sorted) {
        ids = sorted;
    }

    static Majority of(List<Long> members) {
        return new Majority(members.stream().distinct().sorted(Long::compareUnsigned).mapToLong(Long::longValue)
                .toArray());
    }

    int size() {
        return ids.length;
    }

    boolean isEmpty() {
        return ids.length == 0;
    }

    boolean contains(long id) {
        for (long member : ids) {
            if (member == id) {
                return true;
            }
        }
        return false;
    }

    Majority with(long id) {
        if (contains(id)) {
            return this;
        }
        List<Long> members = new ArrayList<>(toList());
        members.add(id);
        return of(members);
    }

    Majority without(long id) {
        return contains(id) ? of(toList().stream().filter(member -> member != id).toList()) : this;
    }

    List<Long> toList() {
        return Arrays.stream(ids).boxed().toList();
    }

    /** How many members are in one of the two and not in the other. */
    int differenceTo(Majority other) {
        int shared = 0;
        for (long id : ids) {
            if (other.contains(id)) {
                shared++;
            }
        }
        return ids.length + other.ids.length - 2 * shared;
    }

    /** The highest index that more than half have acknowledged, who acknowledge 0 if nothing; without members, all. */
    long committed(ByMember acknowledged) {
        if (ids.length == 0) {
            return Long.MAX_VALUE;
        }
        if (ids.length == 1) {
            return acknowledged.of(ids[0]);
        }
        long[] sorted = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            sorted[i] = acknowledged.of(ids[i]);
        }
        Arrays.sort(sorted);
        return sorted[(sorted.length - 1) / 2];
    }

    VoteResult result(Votes votes) {
        if (ids.length == 0) {
            return VoteResult.WON;
        }
        int granted = 0;
        int missing = 0;
        for (long id : ids) {
            switch (votes.of(id)) {
                case GRANTED -> granted++;
                case MISSING -> missing++;
                case REJECTED -> {}
            }
        }
        int quorum = ids.length / 2 + 1;
        if (granted >= quorum) {
            return VoteResult.WON;
        }
        return granted + missing >= quorum ? VoteResult.PENDING : VoteResult.LOST;
    }

    @Override
    public boolean equals(@Nullable Object object) {
        return object instanceof Majority other && Arrays.equals(ids, other.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids);
    }

    /** As etcd's logs have it: {@code (1 2 a)}, in hexadecimal. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("(");
        for (long id : ids) {
            text.append(text.length() == 1 ? "" : " ").append(Long.toHexString(id));
        }
        return text.append(')').toString();
    }
}
