package dev.quoin.store;

import java.util.List;

import dev.quoin.base.Bytes;

/** What the cluster has agreed to do. */
public sealed interface Command {
    /** What a key costs beside its bytes and those of its value. */
    long PUT_OVERHEAD_BYTES = 256;
    long LEASE_BYTES = 64;

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
     * Gives up all history before a revision: at once nobody may read there any more; what that leaves over is taken out
     * later, see {@link CompactionWalk}.
     *
     * @param physical whether who asked waits until then; not the store's business
     */
    record Compact(long revision, boolean physical) implements Command {}

    /** Grants a lease for {@code ttl} seconds. */
    record LeaseGrant(long id, long ttl) implements Command {}

    /** Takes a lease back, and with it deletes the keys that are attached to it. */
    record LeaseRevoke(long id) implements Command {}

    /** Notes how much of their time leases have left. */
    record LeaseCheckpoint(List<Remaining> remaining) implements Command {
        public record Remaining(long id, long ttl) {}

        public LeaseCheckpoint {
            remaining = List.copyOf(remaining);
        }
    }

    /** Lists, raises or takes back alarms. {@code type} is a number of {@code AlarmType}, see {@link AlarmMember}. */
    record Alarm(Action action, long memberId, int type) implements Command {
        /** The numbers of {@code AlarmRequest.AlarmAction}, and one for all that are not among them. */
        public enum Action {
            GET,
            ACTIVATE,
            DEACTIVATE,
            UNKNOWN;

            public static Action of(int number) {
                return switch (number) {
                    case 0 -> GET;
                    case 1 -> ACTIVATE;
                    case 2 -> DEACTIVATE;
                    default -> UNKNOWN;
                };
            }
        }
    }

    /** An entry that does nothing to the keys. */
    record Nothing() implements Command {}

    /**
     * How many bytes etcd charges for it against the quota, before it is proposed and again when it is applied. Of a
     * transaction the dearer branch counts. What costs something is refused while the alarm about space is raised.
     */
    default long cost() {
        return switch (this) {
            case Put put -> PUT_OVERHEAD_BYTES + put.key().length() + put.value().length();
            case Txn txn -> Math.max(cost(txn.success()), cost(txn.failure()));
            case LeaseGrant grant -> LEASE_BYTES;
            case DeleteRange delete -> 0;
            case Compact compact -> 0;
            case LeaseRevoke revoke -> 0;
            case LeaseCheckpoint checkpoint -> 0;
            case Alarm alarm -> 0;
            case Nothing nothing -> 0;
        };
    }

    private static long cost(List<Op> ops) {
        long cost = 0;
        for (Op op : ops) {
            cost += switch (op) {
                case Op.Put(Put put) -> put.cost();
                case Op.Txn(Txn txn) -> txn.cost();
                case Op.Range range -> 0;
                case Op.Delete delete -> 0;
                case Op.Unset unset -> 0;
            };
        }
        return cost;
    }
}
