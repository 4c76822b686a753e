package dev.quoin.store;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * The keys as they are after {@code revision}, which is the newest change in {@code index}: what a view and a step of a
 * transaction read from. Whether a question may be asked at all is for the caller to decide.
 */
record Reading(KeyIndex index, Records records, long revision) {

    boolean isLive(Bytes key) {
        History history = index.find(key);
        return history != null && history.isLive();
    }

    /** The newest KeyValue of a key that is live. */
    Bytes newest(Bytes key) {
        History history = index.find(key);
        if (history == null || !history.isLive()) {
            throw Invariant.violation("%s is not live", key);
        }
        return records.read(history.position(history.newest()));
    }

    Outcome.Ranged range(Query query) {
        return query.range().isSingle() && !query.countOnly() ? point(query, at(query)) : plan(query).gather();
    }

    /** What {@link #range} answers, before it is read. */
    Plan.Found plan(Query query) {
        long at = at(query);
        Plan.Found found = new Plan.Found(records, revision, query);
        if (query.countOnly()) {
            return found.counted(count(query.range(), at), false);
        }
        return query.isByKeyAscending() ? inKeyOrder(query, at, found) : sorted(query, at, found);
    }

    private long at(Query query) {
        return query.revision() <= 0 ? revision : query.revision();
    }

    private int indexAt(History history, long at) {
        return at >= revision ? history.newest() : history.at(at);
    }

    private long count(KeyRange range, long at) {
        if (at >= revision) {
            return index.count(range);
        }
        Counter counter = new Counter();
        index.scan(range, (key, history) -> {
            counter.count += history.at(at) == History.ABSENT ? 0 : 1;
            return true;
        });
        return counter.count;
    }

    private static final class Counter {
        private long count;
    }

    private Outcome.Ranged point(Query query, long at) {
        History history = index.find(query.range().key());
        int found = history == null ? History.ABSENT : indexAt(history, at);
        if (history == null || found == History.ABSENT) {
            return new Outcome.Ranged(revision, List.of(), 0, false);
        }
        if (!passes(query, history, found)) {
            return new Outcome.Ranged(revision, List.of(), 1, false);
        }
        return new Outcome.Ranged(revision, List.of(answer(query, query.range().key(), history, found)), 1, false);
    }

    private static boolean passes(Query query, History history, int at) {
        return query.filter().passes(history.main(at), history.create(at));
    }

    /** What the client gets for one key. Keys alone come from the index, which does not know leases; etcd's neither. */
    private Bytes answer(Query query, Bytes key, History history, int at) {
        if (!query.keysOnly()) {
            return records.read(history.position(at));
        }
        if (query.target() == Query.Target.VALUE) {
            return KeyValues.withoutValue(records.read(history.position(at)));
        }
        return KeyValues.encode(key, history.create(at), history.main(at), history.version(at), Bytes.EMPTY, 0);
    }

    private Plan.Found inKeyOrder(Query query, long at, Plan.Found found) {
        boolean isNow = at >= revision;
        Collector collector = new Collector(query, at, isNow, found);
        index.scan(query.range(), collector);
        long count = isNow ? index.count(query.range()) : collector.count;
        return found.counted(count, collector.more);
    }

    /** Takes what the query asks for from a walk in key order, and counts if the index cannot. */
    private final class Collector implements KeyIndex.Visitor {
        private final Query query;
        private final long at;
        private final boolean stopsAtLimit;
        private final Plan.Found found;
        private long count;
        private boolean more;

        private Collector(Query query, long at, boolean stopsAtLimit, Plan.Found found) {
            this.query = query;
            this.at = at;
            this.stopsAtLimit = stopsAtLimit;
            this.found = found;
        }

        @Override
        public boolean visit(byte[] key, History history) {
            int hit = indexAt(history, at);
            if (hit == History.ABSENT) {
                return true;
            }
            count++;
            if (more || !passes(query, history, hit)) {
                return true;
            }
            if (query.limit() > 0 && found.size() >= query.limit()) {
                more = true;
                return !stopsAtLimit;
            }
            found.add(key, history, hit);
            return true;
        }
    }

    /** A key that awaits sorting; {@code value} is empty unless it is what is sorted by. */
    private record Candidate(Bytes key, History history, int at, Bytes value) {
        long version() {
            return history.version(at);
        }

        long createRevision() {
            return history.create(at);
        }

        long modRevision() {
            return history.main(at);
        }
    }

    private Plan.Found sorted(Query query, long at, Plan.Found found) {
        List<Candidate> candidates = new ArrayList<>();
        long readMax = sortedReadMax(query);
        index.scan(query.range(), (key, history) -> {
            int hit = indexAt(history, at);
            if (hit != History.ABSENT && passes(query, history, hit)) {
                candidates.add(new Candidate(Bytes.of(key), history, hit, sortValue(query, history, hit)));
            }
            return candidates.size() < readMax;
        });
        candidates.sort(comparator(query));
        boolean more = query.limit() > 0 && candidates.size() > query.limit();
        for (Candidate one : more ? candidates.subList(0, (int) query.limit()) : candidates) {
            found.add(one.key.array(), one.history, one.at);
        }
        return found.counted(count(query.range(), at), more);
    }

    /** With order NONE and no filter, etcd reads one more key than the limit, in key order, and sorts only those. */
    private static long sortedReadMax(Query query) {
        boolean limited = query.limit() > 0 && query.isDefaultOrder() && query.filter().isNone();
        return limited && query.limit() < Long.MAX_VALUE ? query.limit() + 1 : Long.MAX_VALUE;
    }

    private Bytes sortValue(Query query, History history, int at) {
        return query.target() == Query.Target.VALUE
                ? KeyValues.decode(records.read(history.position(at))).value()
                : Bytes.EMPTY;
    }

    /** Equal elements stay in key order; in etcd theirs is left to chance. */
    private static Comparator<Candidate> comparator(Query query) {
        Comparator<Candidate> ascending = switch (query.target()) {
            case KEY, UNKNOWN -> Comparator.comparing(Candidate::key);
            case VERSION -> Comparator.comparingLong(Candidate::version);
            case CREATE -> Comparator.comparingLong(Candidate::createRevision);
            case MOD -> Comparator.comparingLong(Candidate::modRevision);
            case VALUE -> Comparator.comparing(Candidate::value);
        };
        return query.order() == Query.Order.DESCEND ? ascending.reversed() : ascending;
    }

    /** Whether a condition of a transaction holds. */
    boolean holds(Compare compare) {
        Verdict verdict = new Verdict(compare);
        index.scan(compare.range(), verdict);
        return verdict.holds && (verdict.sawKey || holdsWithoutKey(compare));
    }

    private static boolean holdsWithoutKey(Compare compare) {
        return switch (compare.target()) {
            case VALUE -> false;
            case VERSION, CREATE, MOD, LEASE -> compare.result().holds(Long.compare(0, compare.number()));
            case UNKNOWN -> compare.result().holds(0);
        };
    }

    private final class Verdict implements KeyIndex.Visitor {
        private final Compare compare;
        private boolean sawKey;
        private boolean holds = true;

        private Verdict(Compare compare) {
            this.compare = compare;
        }

        @Override
        public boolean visit(byte[] key, History history) {
            int newest = history.newest();
            if (newest == History.ABSENT) {
                return true;
            }
            sawKey = true;
            holds = compare.result().holds(comparison(history, newest));
            return holds;
        }

        private int comparison(History history, int at) {
            long number = compare.number();
            return switch (compare.target()) {
                case VERSION -> Long.compare(history.version(at), number);
                case CREATE -> Long.compare(history.create(at), number);
                case MOD -> Long.compare(history.main(at), number);
                case LEASE -> Long.compare(history.lease(), number);
                case VALUE ->
                    KeyValues.decode(records.read(history.position(at))).value().compareTo(compare.value());
                case UNKNOWN -> 0;
            };
        }
    }
}
