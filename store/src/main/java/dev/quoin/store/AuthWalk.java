package dev.quoin.store;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * The one walk over a command that finds out what it touches: in a transaction all conditions and both branches, whichever
 * will be taken, and the same in those inside it. Rights follow from what is touched, never from what a request is called,
 * so a step means the same at every depth.
 */
final class AuthWalk {
    /** Is told what a command touches, and ends the walk by a refusal. */
    interface Guard {
        /** The answer tells of these keys, or depends on them. */
        @Nullable
        Refusal reads(KeyRange range);

        /** These keys may change. */
        @Nullable
        Refusal writes(KeyRange range);

        /** Who may revoke the lease may delete what is attached to it: so it touches all that is. */
        @Nullable
        Refusal writesAttached(long lease);
    }

    private final Guard guard;

    private AuthWalk(Guard guard) {
        this.guard = guard;
    }

    static @Nullable Refusal of(Command command, Guard guard) {
        AuthWalk walk = new AuthWalk(guard);
        return switch (command) {
            case Command.Put put -> walk.put(put);
            case Command.DeleteRange delete -> walk.delete(delete);
            case Command.Txn txn -> walk.txn(txn);
            case Command.LeaseRevoke(long lease) -> guard.writesAttached(lease);
            // Etcd looks at the caller of these before it proposes them, and never again.
            case Command.Compact _,Command.Alarm _,Command.LeaseGrant _,Command.LeaseCheckpoint _ -> null;
            case Command.Auth _,Command.Nothing() -> null;
        };
    }

    private @Nullable Refusal put(Command.Put put) {
        KeyRange key = KeyRange.single(put.key());
        Refusal refusal = guard.writes(key);
        if (refusal == null && put.lease() != 0) {
            refusal = guard.writesAttached(put.lease());
        }
        if (refusal == null && put.prevKv()) {
            refusal = guard.reads(key);
        }
        return refusal;
    }

    private @Nullable Refusal delete(Command.DeleteRange delete) {
        Refusal refusal = guard.writes(delete.range());
        if (refusal == null && delete.prevKv()) {
            refusal = guard.reads(delete.range());
        }
        return refusal;
    }

    private @Nullable Refusal txn(Command.Txn txn) {
        for (Compare compare : txn.compares()) {
            Refusal refusal = guard.reads(compare.range());
            if (refusal != null) {
                return refusal;
            }
        }
        Refusal success = steps(txn.success());
        return success != null ? success : steps(txn.failure());
    }

    private @Nullable Refusal steps(List<Op> ops) {
        for (Op op : ops) {
            Refusal refusal = switch (op) {
                case Op.Range(Query query) -> guard.reads(query.range());
                case Op.Put(Command.Put put) -> put(put);
                case Op.Delete(Command.DeleteRange delete) -> delete(delete);
                case Op.Txn(Command.Txn txn) -> txn(txn);
                case Op.Unset() -> null;
            };
            if (refusal != null) {
                return refusal;
            }
        }
        return null;
    }
}
