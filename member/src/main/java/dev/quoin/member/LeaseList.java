package dev.quoin.member;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The leases that a member knows of, and when each ends as far as it knows. */
public final class LeaseList {
    static final LeaseList NONE = new LeaseList(new long[0], new long[0]);

    private final long[] ids;
    private final long[] expiries;

    LeaseList(long[] ids, long[] expiries) {
        this.ids = ids;
        this.expiries = expiries;
    }

    /** Their ids: who ends first comes first, and where that is not known, whose id is less. Sorts when it is asked. */
    public long[] ids() {
        boolean isInOrder = true;
        for (int i = 1; i < ids.length && isInOrder; i++) {
            isInOrder = expiries[i - 1] <= expiries[i];
        }
        return isInOrder ? Arrays.copyOf(ids, ids.length)
                : IntStream.range(0, ids.length).boxed().sorted(Comparator.comparingLong(i -> expiries[i]))
                        .mapToLong(i -> ids[i]).toArray();
    }
}
