package dev.quoin.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.store.KeyValues.KeyValue;

/**
 * The store as one would write it to be right and nothing else: a list of everything that ever happened, and the state at
 * a revision is what one gets by doing it all again up to there.
 */
final class Model {
    private record Event(long main, Bytes key, @Nullable KeyValue kv) {}

    private final List<Event> events = new ArrayList<>();
    final NavigableMap<Long, Lease> leases = new TreeMap<>();
    private final List<AlarmMember> alarms = new ArrayList<>();
    long revision = 1;
    long compacted = -1;

    NavigableMap<Bytes, KeyValue> stateAt(long at) {
        NavigableMap<Bytes, KeyValue> state = new TreeMap<>();
        for (Event event : events) {
            if (event.main > at) {
                break;
            }
            if (event.kv == null) {
                state.remove(event.key);
            } else {
                state.put(event.key, event.kv);
            }
        }
        return state;
    }

    /** The answer to a transaction that only reads, which no alarm forbids. */
    Outcome read(Command.Txn txn) {
        return txn(txn, revision);
    }

    Outcome apply(Command command) {
        long begin = revision;
        Refusal alarmed = alarmed(command);
        if (alarmed != null) {
            return new Outcome.Refused(alarmed);
        }
        Outcome outcome = switch (command) {
            case Command.Nothing() -> new Outcome.Nothing(begin);
            case Command.Compact compact -> compact(compact.revision());
            case Command.LeaseGrant grant -> grant(grant);
            case Command.LeaseRevoke revoke -> revoke(revoke.id(), begin);
            case Command.LeaseCheckpoint checkpoint -> {
                for (Command.LeaseCheckpoint.Remaining one : checkpoint.remaining()) {
                    leases.computeIfPresent(one.id(), (id, lease) -> new Lease(id, lease.ttl(), one.ttl()));
                }
                yield new Outcome.Nothing(begin);
            }
            case Command.Alarm alarm -> new Outcome.Alarms(begin, alarm(alarm));
            case Command.Put put -> {
                Refusal refusal = new Check(stateAt(begin)).op(new Op.Put(put));
                yield refusal != null ? new Outcome.Refused(refusal) : put(put, begin);
            }
            case Command.DeleteRange delete -> delete(delete, begin);
            case Command.Txn txn -> txn(txn, begin);
        };
        if (!events.isEmpty()) {
            revision = Math.max(revision, events.getLast().main);
        }
        return outcome;
    }

    private @Nullable Refusal alarmed(Command command) {
        boolean corrupt = alarms.stream().anyMatch(alarm -> alarm.type() == AlarmMember.CORRUPT);
        boolean noSpace = alarms.stream().anyMatch(alarm -> alarm.type() == AlarmMember.NO_SPACE);
        boolean harmless = command instanceof Command.Alarm || command instanceof Command.LeaseCheckpoint
                || command instanceof Command.Nothing;
        if (corrupt && !harmless) {
            return Refusal.CORRUPT;
        }
        boolean takesSpace = command instanceof Command.Put || command instanceof Command.LeaseGrant
                || (command instanceof Command.Txn txn && mayPut(txn));
        return noSpace && takesSpace ? Refusal.NO_SPACE : null;
    }

    private static boolean mayPut(Command.Txn txn) {
        return Stream.concat(txn.success().stream(), txn.failure().stream())
                .anyMatch(op -> op instanceof Op.Put || (op instanceof Op.Txn(Command.Txn inner) && mayPut(inner)));
    }

    private List<AlarmMember> alarm(Command.Alarm command) {
        AlarmMember alarm = new AlarmMember(command.memberId(), command.type());
        return switch (command.action()) {
            case UNKNOWN -> List.of();
            case GET -> alarms.stream().filter(one -> command.type() == 0 || one.type() == command.type())
                    .sorted(Comparator.comparing(AlarmMember::encode)).toList();
            case ACTIVATE -> {
                if (command.type() != 0 && !alarms.contains(alarm)) {
                    alarms.add(alarm);
                }
                yield command.type() == 0 ? List.of() : List.of(alarm);
            }
            case DEACTIVATE -> alarms.remove(alarm) ? List.of(alarm) : List.of();
        };
    }

    private Outcome grant(Command.LeaseGrant grant) {
        if (grant.id() == 0) {
            return new Outcome.Refused(Refusal.LEASE_NOT_FOUND);
        }
        if (grant.ttl() > 9_000_000_000L) {
            return new Outcome.Refused(Refusal.LEASE_TTL_TOO_LARGE);
        }
        if (leases.containsKey(grant.id())) {
            return new Outcome.Refused(Refusal.LEASE_EXISTS);
        }
        long ttl = grant.ttl() < MemoryRecords.MIN_LEASE_TTL ? MemoryRecords.MIN_LEASE_TTL : grant.ttl();
        leases.put(grant.id(), new Lease(grant.id(), ttl, 0));
        return new Outcome.Granted(revision, grant.id(), ttl);
    }

    private Outcome revoke(long id, long begin) {
        if (leases.remove(id) == null) {
            return new Outcome.Refused(Refusal.LEASE_NOT_FOUND);
        }
        for (Bytes key : keysOf(id)) {
            events.add(new Event(begin + 1, key, null));
        }
        return new Outcome.Revoked(reached(begin));
    }

    /** A key is attached to the lease that its newest value names. */
    List<Bytes> keysOf(long lease) {
        return stateAt(Long.MAX_VALUE).values().stream().filter(kv -> kv.lease() == lease).map(KeyValue::key).toList();
    }

    private Outcome compact(long at) {
        if (at <= compacted) {
            return new Outcome.Refused(Refusal.COMPACTED);
        }
        if (at > revision) {
            return new Outcome.Refused(Refusal.FUTURE_REVISION);
        }
        compacted = at;
        return new Outcome.Compacted(revision);
    }

    /** The revision as it is seen in the middle of a transaction. */
    private long reached(long begin) {
        return events.isEmpty() ? begin : Math.max(begin, events.getLast().main);
    }

    private Outcome put(Command.Put put, long begin) {
        KeyValue old = stateAt(begin + 1).get(put.key());
        long create = old == null ? begin + 1 : old.createRevision();
        long version = old == null ? 1 : old.version() + 1;
        Bytes value = put.ignoreValue() && old != null ? old.value() : put.value();
        long lease = put.ignoreLease() && old != null ? old.lease() : put.lease();
        events.add(new Event(begin + 1, put.key(), new KeyValue(put.key(), create, begin + 1, version, value, lease)));
        return new Outcome.Put(begin + 1, put.prevKv() && old != null ? encode(old) : null);
    }

    private Outcome delete(Command.DeleteRange delete, long begin) {
        List<Bytes> prevs = new ArrayList<>();
        long count = 0;
        for (KeyValue kv : stateAt(begin + 1).values()) {
            if (delete.range().contains(kv.key())) {
                events.add(new Event(begin + 1, kv.key(), null));
                count++;
                if (delete.prevKv()) {
                    prevs.add(encode(kv));
                }
            }
        }
        return new Outcome.Deleted(reached(begin), count, prevs);
    }

    private Outcome txn(Command.Txn txn, long begin) {
        NavigableMap<Bytes, KeyValue> before = stateAt(begin);
        Refusal refusal = new Check(before).txn(txn);
        if (refusal != null) {
            return new Outcome.Refused(refusal);
        }
        Outcome.Txned outcome = run(txn, before, begin);
        return new Outcome.Txned(reached(begin), outcome.succeeded(), outcome.responses());
    }

    private Outcome.Txned run(Command.Txn txn, NavigableMap<Bytes, KeyValue> before, long begin) {
        boolean succeeded = holds(txn, before);
        List<Outcome> responses = new ArrayList<>();
        for (Op op : succeeded ? txn.success() : txn.failure()) {
            responses.add(switch (op) {
                case Op.Range(Query query) -> range(query, reached(begin));
                case Op.Put(Command.Put put) -> put(put, begin);
                case Op.Delete(Command.DeleteRange delete) -> delete(delete, begin);
                case Op.Txn(Command.Txn inner) -> run(inner, before, begin);
                case Op.Unset() -> throw new AssertionError("refused before");
            });
        }
        return new Outcome.Txned(0, succeeded, responses);
    }

    private static boolean holds(Command.Txn txn, NavigableMap<Bytes, KeyValue> before) {
        return txn.compares().stream().allMatch(compare -> holds(compare, before));
    }

    private static boolean holds(Compare compare, NavigableMap<Bytes, KeyValue> before) {
        List<KeyValue> kvs = before.values().stream().filter(kv -> compare.range().contains(kv.key())).toList();
        if (kvs.isEmpty()) {
            return compare.target() != Compare.Target.VALUE
                    && holds(compare, new KeyValue(Bytes.EMPTY, 0, 0, 0, Bytes.EMPTY, 0));
        }
        return kvs.stream().allMatch(kv -> holds(compare, kv));
    }

    private static boolean holds(Compare compare, KeyValue kv) {
        int order = switch (compare.target()) {
            case VERSION -> Long.compare(kv.version(), compare.number());
            case CREATE -> Long.compare(kv.createRevision(), compare.number());
            case MOD -> Long.compare(kv.modRevision(), compare.number());
            case LEASE -> Long.compare(kv.lease(), compare.number());
            case VALUE -> kv.value().compareTo(compare.value());
            case UNKNOWN -> 0;
        };
        return switch (compare.result()) {
            case EQUAL -> order == 0;
            case NOT_EQUAL -> order != 0;
            case GREATER -> order > 0;
            case LESS -> order < 0;
            case UNKNOWN -> true;
        };
    }

    /** Walks through the branches taken and plays with the set of keys that exist. */
    private final class Check {
        private final NavigableMap<Bytes, KeyValue> before;
        private final TreeSet<Bytes> existing;

        private Check(NavigableMap<Bytes, KeyValue> before) {
            this.before = before;
            this.existing = new TreeSet<>(before.keySet());
        }

        private @Nullable Refusal txn(Command.Txn txn) {
            for (Op op : holds(txn, before) ? txn.success() : txn.failure()) {
                Refusal refusal = op(op);
                if (refusal != null) {
                    return refusal;
                }
            }
            return null;
        }

        private @Nullable Refusal op(Op op) {
            switch (op) {
                case Op.Range(Query query) -> {
                    if (query.revision() > revision) {
                        return Refusal.FUTURE_REVISION;
                    }
                    if (query.revision() != 0 && query.revision() < compacted) {
                        return Refusal.COMPACTED;
                    }
                }
                case Op.Put(Command.Put put) -> {
                    if (put.lease() != 0 && !leases.containsKey(put.lease())) {
                        return Refusal.LEASE_NOT_FOUND;
                    }
                    boolean keeps = put.ignoreValue() || put.ignoreLease();
                    if (keeps && !(before.containsKey(put.key()) && existing.contains(put.key()))) {
                        return Refusal.KEY_NOT_FOUND;
                    }
                    existing.add(put.key());
                }
                case Op.Delete(Command.DeleteRange delete) -> existing.removeIf(delete.range()::contains);
                case Op.Txn(Command.Txn txn) -> {
                    return txn(txn);
                }
                case Op.Unset() -> {
                    return Refusal.KEY_NOT_FOUND;
                }
            }
            return null;
        }
    }

    /** A Range outside of transactions, at a time when {@code current} and {@code compactedThen} were so. */
    Outcome ask(Query query, long current, long compactedThen) {
        if (query.revision() > current) {
            return new Outcome.Refused(Refusal.FUTURE_REVISION);
        }
        if (query.revision() > 0 && query.revision() < compactedThen) {
            return new Outcome.Refused(Refusal.COMPACTED);
        }
        return range(query, current);
    }

    private Outcome range(Query query, long current) {
        long at = query.revision() <= 0 ? current : query.revision();
        List<KeyValue> kvs = new ArrayList<>(stateAt(at).values());
        kvs.removeIf(kv -> !query.range().contains(kv.key()));
        int count = kvs.size();
        if (query.countOnly()) {
            return new Outcome.Ranged(current, List.of(), count, false);
        }
        Query.Filter filter = query.filter();
        boolean filtered = !filter.equals(Query.Filter.NONE);
        boolean plain = query.order() == Query.Order.NONE
                || (query.order() == Query.Order.ASCEND && query.target() == Query.Target.KEY);
        if (plain && !filtered && query.limit() > 0 && query.limit() + 1 < kvs.size()) {
            kvs.subList((int) query.limit() + 1, kvs.size()).clear();
        }
        kvs.removeIf(kv -> filter.maxModRevision() != 0 && kv.modRevision() > filter.maxModRevision());
        kvs.removeIf(kv -> filter.minModRevision() != 0 && kv.modRevision() < filter.minModRevision());
        kvs.removeIf(kv -> filter.maxCreateRevision() != 0 && kv.createRevision() > filter.maxCreateRevision());
        kvs.removeIf(kv -> filter.minCreateRevision() != 0 && kv.createRevision() < filter.minCreateRevision());
        sort(kvs, query);
        boolean more = query.limit() > 0 && kvs.size() > query.limit();
        if (more) {
            kvs.subList((int) query.limit(), kvs.size()).clear();
        }
        boolean fromIndex = query.keysOnly() && query.target() != Query.Target.VALUE;
        List<Bytes> encoded = new ArrayList<>();
        for (KeyValue kv : kvs) {
            encoded.add(KeyValues.encode(kv.key(), kv.createRevision(), kv.modRevision(), kv.version(),
                    query.keysOnly() ? Bytes.EMPTY : kv.value(), fromIndex ? 0 : kv.lease()));
        }
        return new Outcome.Ranged(current, encoded, count, more);
    }

    private static void sort(List<KeyValue> kvs, Query query) {
        Comparator<KeyValue> order = switch (query.target()) {
            case KEY -> Comparator.comparing(KeyValue::key);
            case VERSION -> Comparator.comparingLong(KeyValue::version);
            case CREATE -> Comparator.comparingLong(KeyValue::createRevision);
            case MOD -> Comparator.comparingLong(KeyValue::modRevision);
            case VALUE -> Comparator.comparing(KeyValue::value);
            case UNKNOWN -> (_, _) -> 0;
        };
        if (query.order() != Query.Order.UNKNOWN) {
            kvs.sort(query.order() == Query.Order.DESCEND ? Collections.reverseOrder(order) : order);
        }
    }

    private static Bytes encode(KeyValue kv) {
        return KeyValues.encode(kv.key(), kv.createRevision(), kv.modRevision(), kv.version(), kv.value(), kv.lease());
    }
}
