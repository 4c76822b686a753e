package dev.quoin.store;

import java.util.List;
import java.util.TreeSet;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * What etcd checks before it proposes or answers a request, in its order, so that of several faults the same one is
 * named. Each method gives the reason to refuse, or null. Nothing here looks at the keys that are there.
 */
public final class RequestCheck {
    private RequestCheck() {}

    public static @Nullable Refusal range(Query query) {
        if (query.range().key().isEmpty()) {
            return Refusal.EMPTY_KEY;
        }
        if (query.order() == Query.Order.UNKNOWN || query.target() == Query.Target.UNKNOWN) {
            return Refusal.INVALID_SORT_OPTION;
        }
        return null;
    }

    public static @Nullable Refusal put(Command.Put put) {
        if (put.key().isEmpty()) {
            return Refusal.EMPTY_KEY;
        }
        if (put.ignoreValue() && !put.value().isEmpty()) {
            return Refusal.VALUE_PROVIDED;
        }
        if (put.ignoreLease() && put.lease() != 0) {
            return Refusal.LEASE_PROVIDED;
        }
        return null;
    }

    public static @Nullable Refusal delete(Command.DeleteRange delete) {
        return delete.range().key().isEmpty() ? Refusal.EMPTY_KEY : null;
    }

    /** The form of the whole transaction first, then whether two steps would write the same key. */
    public static @Nullable Refusal txn(Command.Txn txn, int opsMax) {
        Refusal form = form(txn, opsMax);
        if (form != null) {
            return form;
        }
        boolean disjoint = Writes.of(txn.success()) != null && Writes.of(txn.failure()) != null;
        return disjoint ? null : Refusal.DUPLICATE_KEY;
    }

    /** A transaction inside another may have as many steps as this one left over, so the depth is bounded too. */
    private static @Nullable Refusal form(Command.Txn txn, int opsMax) {
        int ops = Math.max(txn.compares().size(), Math.max(txn.success().size(), txn.failure().size()));
        if (ops > opsMax) {
            return Refusal.TOO_MANY_OPS;
        }
        for (Compare compare : txn.compares()) {
            if (compare.range().key().isEmpty()) {
                return Refusal.EMPTY_KEY;
            }
        }
        Refusal success = form(txn.success(), opsMax - ops);
        return success != null ? success : form(txn.failure(), opsMax - ops);
    }

    private static @Nullable Refusal form(List<Op> ops, int opsLeft) {
        for (Op op : ops) {
            Refusal refusal = switch (op) {
                case Op.Range(Query query) -> range(query);
                case Op.Put(Command.Put put) -> put(put);
                case Op.Delete(Command.DeleteRange delete) -> delete(delete);
                case Op.Txn(Command.Txn txn) -> form(txn, opsLeft);
                case Op.Unset() -> Refusal.KEY_NOT_FOUND;
            };
            if (refusal != null) {
                return refusal;
            }
        }
        return null;
    }

    /**
     * What a list of steps may write, as far as etcd looks when it searches for keys that are written twice. It looks at
     * the deletions of a level first, then at the transactions in it, in order, and at the puts last. So these pass: a
     * put in one inner transaction and a deletion of its key in a later one; and every put in the range of a deletion
     * without end, whose end etcd takes literally here, as the smallest key of all.
     */
    private record Writes(TreeSet<Bytes> puts, Spans deletes) {

        /** Null if a key is written twice. */
        static @Nullable Writes of(List<Op> ops) {
            Writes writes = new Writes(new TreeSet<>(), new Spans());
            for (Op op : ops) {
                if (op instanceof Op.Delete(Command.DeleteRange delete) && !delete.range().isUnbounded()) {
                    writes.deletes.add(delete.range());
                }
            }
            for (Op op : ops) {
                if (op instanceof Op.Txn(Command.Txn txn) && !writes.addInner(txn)) {
                    return null;
                }
            }
            for (Op op : ops) {
                if (op instanceof Op.Put(Command.Put put) && !writes.addPut(put.key())) {
                    return null;
                }
            }
            return writes;
        }

        private boolean addInner(Command.Txn txn) {
            Writes success = of(txn.success());
            Writes failure = success == null ? null : of(txn.failure());
            if (success == null || failure == null) {
                return false;
            }
            for (Bytes key : success.puts) {
                if (!addPut(key)) {
                    return false;
                }
            }
            for (Bytes key : failure.puts) {
                // Only one of the two branches will be taken, so both may put the same key.
                boolean taken = puts.contains(key) && !success.puts.contains(key);
                if (taken || deletes.contains(key)) {
                    return false;
                }
                puts.add(key);
            }
            deletes.addAll(success.deletes);
            deletes.addAll(failure.deletes);
            return true;
        }

        private boolean addPut(Bytes key) {
            return !deletes.contains(key) && puts.add(key);
        }
    }
}
