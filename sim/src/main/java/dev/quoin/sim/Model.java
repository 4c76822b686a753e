package dev.quoin.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.store.Refusal;

/**
 * What the cluster's store must be: the simplest one that does what etcd says, given each request when the log commits it.
 * It forgets nothing, so that any member's state can be compared with what it was at that place in the log.
 *
 * <p>Strict serializability follows: there is one order, that of the log; every answer must be the one that this order
 * gives; a request is in the log once or not at all, before it is answered, and after it was asked; and whoever reads, sees
 * all that was answered before.
 */
final class Model {
    /** A value that was put, or null for a deletion. */
    private record Version(long revision, int sub, @Nullable Kv kv) {}

    /** What one revision did to a key: as {@code kv}, or null for a deletion, where {@code before} was, if anything. */
    record Changed(long revision, String key, @Nullable Kv kv, @Nullable Kv before) {}

    private final Map<Bytes, Op> ops = new HashMap<>();
    /** All that has ever happened to keys, in order. */
    private final List<Changed> history = new ArrayList<>();
    private final TreeMap<String, List<Version>> keys = new TreeMap<>();
    private final ModelLeases leases;
    private long revision = 1;
    private long compacted = -1;
    /** By place in the log: the store's revision, and that of its last compaction. */
    private long[] revisions = new long[1_024];
    private long[] compactions = new long[1_024];
    private long index;
    /** Of the transaction that is being applied. */
    private int sub;
    private long writing;

    /** @param judge told what becomes of leases */
    Model(LeaseJudge judge) {
        leases = new ModelLeases(judge);
        revisions[0] = revision;
        compactions[0] = compacted;
    }

    /** From now on the log may have it. */
    void asked(Bytes entry, Op op) {
        Violation.check(ops.put(entry, op) == null, "two requests have the same entry");
    }

    long revision() {
        return revision;
    }

    long revisionAt(long atIndex) {
        return revisions[(int) atIndex];
    }

    long compactedAt(long atIndex) {
        return compactions[(int) atIndex];
    }

    long index() {
        return index;
    }

    ModelLeases leases() {
        return leases;
    }

    /** The next entry of the log. */
    void committed(Entry entry) {
        index++;
        Violation.check(entry.index() == index, "entry %d follows %d", entry.index(), index - 1);
        Op op = entry.kind() == EntryKind.NORMAL ? ops.get(entry.data()) : null;
        if (op != null) {
            Violation.check(op.index == 0, "%s is in the log twice, again at %d", op, index);
            Violation.check(!op.isRefused, "%s was refused, and is in the log", op);
            Violation.check(index > op.floorIndex, "%s is in the log before what was committed when it was asked", op);
            op.index = index;
            op.expected = apply(op.asked);
        } else if (entry.kind() == EntryKind.NORMAL) {
            expire(entry);
        }
        if (index == revisions.length) {
            revisions = Arrays.copyOf(revisions, 2 * revisions.length);
            compactions = Arrays.copyOf(compactions, 2 * compactions.length);
        }
        revisions[(int) index] = revision;
        compactions[(int) index] = compacted;
    }

    private Expected apply(Asked asked) {
        sub = 0;
        writing = revision + 1;
        return switch (asked) {
            case Asked.Compact(long to) -> compact(to);
            case Asked.Grant(long lease, long ttlSeconds) -> grant(lease, ttlSeconds);
            case Asked.Revoke(long lease) -> revoke(lease);
            case Asked.Txn txn -> txn(txn);
            default -> {
                Expected result = step(asked);
                revision = sub > 0 ? writing : revision;
                yield switch (result) {
                    case Expected.Put(long ignored, Kv prev) -> new Expected.Put(revision, prev);
                    case Expected.Deleted(long ignored, long count, List<Kv> prevs) ->
                        new Expected.Deleted(revision, count, prevs);
                    default -> result;
                };
            }
        };
    }

    /** What members propose by themselves and what changes keys: the end of a lease. */
    private void expire(Entry entry) {
        long lease = ModelLeases.revokedBy(entry.data());
        if (lease != 0 && leases.isGranted(lease)) {
            leases.expired(lease, entry);
            deleteKeysOf(lease);
        }
    }

    private Expected grant(long lease, long ttlSeconds) {
        if (leases.isGranted(lease)) {
            return new Expected.Refused(Refusal.LEASE_EXISTS);
        }
        return new Expected.Granted(revision, lease, leases.granted(lease, ttlSeconds, index));
    }

    private Expected revoke(long lease) {
        if (!leases.isGranted(lease)) {
            return new Expected.Refused(Refusal.LEASE_NOT_FOUND);
        }
        leases.revoked(lease);
        deleteKeysOf(lease);
        return new Expected.Revoked(revision);
    }

    /** In one revision, if there are any. */
    private void deleteKeysOf(long lease) {
        sub = 0;
        writing = revision + 1;
        leases.removeKeys(lease).forEach(key -> write(key, null));
        revision = sub > 0 ? writing : revision;
    }

    private Expected compact(long to) {
        if (to <= compacted) {
            return new Expected.Refused(Refusal.COMPACTED);
        }
        if (to > revision) {
            return new Expected.Refused(Refusal.FUTURE_REVISION);
        }
        compacted = to;
        return new Expected.Compacted(revision);
    }

    private Expected txn(Asked.Txn txn) {
        boolean succeeded = txn.conditions().stream().allMatch(this::holds);
        List<Expected> responses = new ArrayList<>();
        for (Asked step : succeeded ? txn.then() : txn.otherwise()) {
            responses.add(step(step));
        }
        revision = sub > 0 ? writing : revision;
        return new Expected.Txned(revision, succeeded, responses);
    }

    private boolean holds(Asked.Condition condition) {
        Kv kv = latest(condition.key());
        if (condition.target() == Asked.Target.VALUE) {
            return kv != null && holds(condition.relation(), kv.value().compareTo(condition.thanText()));
        }
        long is = kv == null ? 0 : switch (condition.target()) {
            case VERSION -> kv.version();
            case CREATE -> kv.created();
            case MOD -> kv.modified();
            case VALUE -> throw new IllegalStateException();
        };
        return holds(condition.relation(), Long.compare(is, condition.than()));
    }

    private static boolean holds(Asked.Relation relation, int comparison) {
        return switch (relation) {
            case EQUAL -> comparison == 0;
            case GREATER -> comparison > 0;
            case LESS -> comparison < 0;
            case NOT_EQUAL -> comparison != 0;
        };
    }

    /** Inside what is being applied; revisions are filled in by whoever asked. */
    private Expected step(Asked step) {
        return switch (step) {
            case Asked.Put put when put.lease() != 0 && !leases.isGranted(put.lease()) ->
                new Expected.Refused(Refusal.LEASE_NOT_FOUND);
            case Asked.Put(String key, String value, boolean prev, long lease) -> {
                Kv before = latest(key);
                Kv kv = before == null ? new Kv(key, writing, writing, 1, value)
                        : new Kv(key, before.created(), writing, before.version() + 1, value);
                write(key, kv);
                leases.attach(key, lease);
                yield new Expected.Put(0, prev ? before : null);
            }
            case Asked.Delete(String key, String end, boolean prev) -> {
                List<Kv> gone = rangeAt(Long.MAX_VALUE, key, end);
                gone.forEach(kv -> write(kv.key(), null));
                yield new Expected.Deleted(0, gone.size(), prev ? gone : List.of());
            }
            case Asked.Range(String key, String end) -> new Expected.Ranged(rangeAt(Long.MAX_VALUE, key, end));
            case Asked.Txn txn -> throw new IllegalStateException("nested");
            case Asked.Compact _,Asked.Grant _,Asked.Revoke _ ->
                throw new IllegalStateException("inside a transaction");
        };
    }

    private void write(String key, @Nullable Kv kv) {
        List<Kv> before = rangeAt(writing - 1, key, "");
        history.add(new Changed(writing, key, kv, before.isEmpty() ? null : before.getFirst()));
        leases.attach(key, 0);
        keys.computeIfAbsent(key, k -> new ArrayList<>()).add(new Version(writing, sub++, kv));
    }

    private @Nullable Kv latest(String key) {
        List<Version> versions = keys.get(key);
        return versions == null ? null : versions.getLast().kv;
    }

    long compacted() {
        return compacted;
    }

    /** Where in {@link #changeAt} the changes of a revision begin. */
    int firstChange(long ofRevision) {
        int low = 0;
        int high = history.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (history.get(middle).revision < ofRevision) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    int changeCount() {
        return history.size();
    }

    Changed changeAt(int number) {
        return history.get(number);
    }

    /** What a range held when the store was at a revision. */
    List<Kv> rangeAt(long atRevision, String key, String end) {
        List<Kv> found = new ArrayList<>();
        Map<String, List<Version>> range = end.isEmpty()
                ? keys.subMap(key, true, key, true)
                : end.equals("\0") ? keys.tailMap(key, true) : keys.subMap(key, end);
        for (List<Version> versions : range.values()) {
            for (int i = versions.size() - 1; i >= 0; i--) {
                Version version = versions.get(i);
                if (version.revision <= atRevision) {
                    if (version.kv != null) {
                        found.add(version.kv);
                    }
                    break;
                }
            }
        }
        return found;
    }
}
