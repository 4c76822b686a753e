package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * Which branch a transaction takes, and every transaction on that branch, decided on the state before any of them writes.
 *
 * @param ops the steps of the branch taken
 * @param inner the decisions for the transactions among the steps, in order
 */
record Decision(boolean succeeded, List<Op> ops, List<Decision> inner) {

    static Decision of(Command.Txn txn, Reading before) {
        boolean succeeded = holdAll(txn.compares(), before);
        List<Op> ops = succeeded ? txn.success() : txn.failure();
        List<Decision> inner = List.of();
        for (Op op : ops) {
            if (op instanceof Op.Txn(Command.Txn nested)) {
                inner = inner.isEmpty() ? new ArrayList<>() : inner;
                inner.add(of(nested, before));
            }
        }
        return new Decision(succeeded, ops, inner);
    }

    private static boolean holdAll(List<Compare> compares, Reading before) {
        for (Compare compare : compares) {
            if (!before.holds(compare)) {
                return false;
            }
        }
        return true;
    }

    /** Why the steps of the branches taken cannot be done, or null. Looked at before the first of them is done. */
    @Nullable
    Refusal refusal(Reading before, long compacted, Leases leases) {
        return new StepCheck(before, compacted, leases).check(this);
    }

    /**
     * Goes through the steps in order. Like etcd it asks the state before the transaction whether a put that keeps value
     * or lease finds its key. If a step before it has deleted that key, etcd finds out when it is too late, and crashes on
     * every member; here it is refused as well. So deletions on the way are remembered, and puts that undo them.
     */
    private static final class StepCheck {
        private final Reading before;
        private final long compacted;
        private final Leases leases;
        private @Nullable Spans deleted;
        private final TreeSet<Bytes> putAgain = new TreeSet<>();

        private StepCheck(Reading before, long compacted, Leases leases) {
            this.before = before;
            this.compacted = compacted;
            this.leases = leases;
        }

        private @Nullable Refusal check(Decision decision) {
            int next = 0;
            for (Op op : decision.ops) {
                Refusal refusal = switch (op) {
                    case Op.Range(Query query) -> range(query);
                    case Op.Put(Command.Put put) -> put(put);
                    case Op.Delete(Command.DeleteRange delete) -> delete(delete);
                    case Op.Txn inner -> check(decision.inner.get(next++));
                    // etcd crashes on it, and never lets a client propose it.
                    case Op.Unset() -> Refusal.KEY_NOT_FOUND;
                };
                if (refusal != null) {
                    return refusal;
                }
            }
            return null;
        }

        /**
         * Unlike outside of transactions a negative revision is one like any other, and so before the last compaction;
         * only -1 passes for the newest as long as nothing was compacted.
         */
        private @Nullable Refusal range(Query query) {
            if (query.revision() == 0) {
                return null;
            }
            if (query.revision() > before.revision()) {
                return Refusal.FUTURE_REVISION;
            }
            return query.revision() < compacted ? Refusal.COMPACTED : null;
        }

        private @Nullable Refusal put(Command.Put put) {
            if (put.lease() != 0 && !leases.exists(put.lease())) {
                return Refusal.LEASE_NOT_FOUND;
            }
            if ((put.ignoreValue() || put.ignoreLease()) && (!before.isLive(put.key()) || isDeleted(put.key()))) {
                return Refusal.KEY_NOT_FOUND;
            }
            if (put.ignoreValue()) {
                // If what the put depends on is lost, that must show before the first step is done.
                before.newest(put.key());
            }
            if (deleted != null) {
                putAgain.add(put.key());
            }
            return null;
        }

        private boolean isDeleted(Bytes key) {
            return deleted != null && deleted.contains(key) && !putAgain.contains(key);
        }

        private @Nullable Refusal delete(Command.DeleteRange delete) {
            deleted = deleted == null ? new Spans() : deleted;
            deleted.add(delete.range());
            forget(delete.range());
            return null;
        }

        private void forget(KeyRange range) {
            if (range.isSingle()) {
                putAgain.remove(range.key());
            } else if (range.isUnbounded()) {
                putAgain.tailSet(range.key()).clear();
            } else if (range.key().compareTo(range.rangeEnd()) < 0) {
                putAgain.subSet(range.key(), range.rangeEnd()).clear();
            }
        }
    }
}
