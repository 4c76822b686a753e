package dev.quoin.store;

import java.util.List;

import dev.quoin.base.Bytes;

/** What the cluster has agreed to do to the keys. */
public sealed interface Command {
    /**
     * Gives a key a value, and with it a new revision even if the value is the old one.
     *
     * @param lease the lease to attach the key to; 0 detaches it
     * @param prevKv answer with what was there before
     * @param ignoreValue keep the value that is there
     * @param ignoreLease keep the lease that is there
     */
    record Put(Bytes key, Bytes value, long lease, boolean prevKv, boolean ignoreValue, boolean ignoreLease)
            implements
                Command {
        public static Put of(Bytes key, Bytes value) {
            return new Put(key, value, 0, false, false, false);
        }
    }

    /** Deletes all keys of a range, in key order; {@code prevKv} answers with what they were. */
    record DeleteRange(KeyRange range, boolean prevKv) implements Command {}

    /** If all conditions hold, does everything in {@code success}, otherwise everything in {@code failure}. */
    record Txn(List<Compare> compares, List<Op> success, List<Op> failure) implements Command {
        public Txn {
            compares = List.copyOf(compares);
            success = List.copyOf(success);
            failure = List.copyOf(failure);
        }

        /** Whether it can only read, and so needs no agreement. One that holds another transaction counts as a write. */
        public boolean isReadOnly() {
            return success.stream().allMatch(Op.Range.class::isInstance)
                    && failure.stream().allMatch(Op.Range.class::isInstance);
        }

        /** Whether a possibly stale state will do: it can only read, and every read in it says so. */
        public boolean isSerializable() {
            return success.stream().allMatch(Txn::isSerializableRead)
                    && failure.stream().allMatch(Txn::isSerializableRead);
        }

        private static boolean isSerializableRead(Op op) {
            return op instanceof Op.Range(Query query) && query.serializable();
        }
    }

    /**
     * Gives up all history before a revision. For now it only forbids to read there: the index and the records keep what
     * nobody can see any more.
     */
    record Compact(long revision) implements Command {}

    /** An entry that does nothing to the keys. */
    record Nothing() implements Command {}
}
