package dev.quoin.store;

import dev.quoin.base.Bytes;

/**
 * A question about a range of keys, with everything that a Range request can ask.
 *
 * @param range what keys
 * @param limit how many at most; zero or less means all
 * @param revision the state to look at; zero or less means the newest
 * @param order ascending, descending, or as they come, which is by key
 * @param target what to sort by
 * @param serializable whether a possibly stale answer will do; the caller's business, the store only carries it
 * @param keysOnly leave the values out
 * @param countOnly answer with the count alone
 * @param filter which of the keys found to return
 */
public record Query(KeyRange range, long limit, long revision, Order order, Target target, boolean serializable,
        boolean keysOnly, boolean countOnly, Filter filter) {

    /** The numbers of {@code RangeRequest.SortOrder}, and one for all that are not among them. */
    public enum Order {
        NONE,
        ASCEND,
        DESCEND,
        UNKNOWN;

        public static Order of(int number) {
            return switch (number) {
                case 0 -> NONE;
                case 1 -> ASCEND;
                case 2 -> DESCEND;
                default -> UNKNOWN;
            };
        }
    }

    /** The numbers of {@code RangeRequest.SortTarget}, and one for all that are not among them. */
    public enum Target {
        KEY,
        VERSION,
        CREATE,
        MOD,
        VALUE,
        UNKNOWN;

        public static Target of(int number) {
            return switch (number) {
                case 0 -> KEY;
                case 1 -> VERSION;
                case 2 -> CREATE;
                case 3 -> MOD;
                case 4 -> VALUE;
                default -> UNKNOWN;
            };
        }
    }

    /** Bounds on the revisions of what is returned, both ends included; zero means no bound. */
    public record Filter(long minModRevision, long maxModRevision, long minCreateRevision, long maxCreateRevision) {
        public static final Filter NONE = new Filter(0, 0, 0, 0);

        public boolean isNone() {
            return minModRevision == 0 && maxModRevision == 0 && minCreateRevision == 0 && maxCreateRevision == 0;
        }

        boolean passes(long modRevision, long createRevision) {
            return within(modRevision, minModRevision, maxModRevision)
                    && within(createRevision, minCreateRevision, maxCreateRevision);
        }

        private static boolean within(long revision, long min, long max) {
            return (min == 0 || revision >= min) && (max == 0 || revision <= max);
        }
    }

    /** All of {@code range}, as it is now, by key. */
    public static Query of(KeyRange range) {
        return new Query(range, 0, 0, Order.NONE, Target.KEY, false, false, false, Filter.NONE);
    }

    /** One key as it is now. */
    public static Query get(Bytes key) {
        return of(KeyRange.single(key));
    }

    public Query withLimit(long newLimit) {
        return new Query(range, newLimit, revision, order, target, serializable, keysOnly, countOnly, filter);
    }

    public Query withRevision(long newRevision) {
        return new Query(range, limit, newRevision, order, target, serializable, keysOnly, countOnly, filter);
    }

    public Query withSort(Order newOrder, Target newTarget) {
        return new Query(range, limit, revision, newOrder, newTarget, serializable, keysOnly, countOnly, filter);
    }

    public Query withSerializable() {
        return new Query(range, limit, revision, order, target, true, keysOnly, countOnly, filter);
    }

    public Query withKeysOnly() {
        return new Query(range, limit, revision, order, target, serializable, true, countOnly, filter);
    }

    public Query withCountOnly() {
        return new Query(range, limit, revision, order, target, serializable, keysOnly, true, filter);
    }

    public Query withFilter(Filter newFilter) {
        return new Query(range, limit, revision, order, target, serializable, keysOnly, countOnly, newFilter);
    }

    /**
     * Whether etcd reads the range in key order and stops at the limit. Order NONE counts whatever the target, although
     * the result is then sorted by it: so the limit picks the first keys, and the sort only arranges those.
     */
    public boolean isDefaultOrder() {
        return order == Order.NONE || (target == Target.KEY && order == Order.ASCEND);
    }

    /** Whether the answer is in key order as it comes out of the index. */
    boolean isByKeyAscending() {
        return order == Order.UNKNOWN || target == Target.UNKNOWN || (target == Target.KEY && order != Order.DESCEND);
    }
}
