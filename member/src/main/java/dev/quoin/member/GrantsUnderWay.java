package dev.quoin.member;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.quoin.base.Bytes;
import dev.quoin.raft.Entry;
import dev.quoin.store.Command;

/**
 * Leases that entries of this leader grant and of which its lessor has not been told yet. What the lessor has found out about a lease
 * of such an id was about the one before, which somebody has revoked meanwhile: it must not come behind the grant, where it would
 * end the new one. Owned by the raft loop.
 */
final class GrantsUnderWay {
    private record Grant(long lease, long index) {}

    private final Deque<Grant> inOrder = new ArrayDeque<>();
    /** The last entry that grants it, by the lease. */
    private final Map<Long, Long> indexes = new HashMap<>();

    /** The leader has appended these. */
    void appended(List<Entry> entries) {
        for (Entry entry : entries) {
            if (Requests.isOf(entry.data(), Requests.Kind.LEASE_GRANT)
                    && command(entry.data()) instanceof Command.LeaseGrant(long id, long _)) {
                inOrder.add(new Grant(id, entry.index()));
                indexes.put(id, entry.index());
            }
        }
    }

    /** The lessor knows what all entries up to this one do; and what it had asked for before that has been taken. */
    void told(long index) {
        while (!inOrder.isEmpty() && inOrder.getFirst().index() <= index) {
            Grant grant = inOrder.removeFirst();
            indexes.remove(grant.lease(), grant.index());
        }
    }

    /** This member does not lead any more. */
    void clear() {
        inOrder.clear();
        indexes.clear();
    }

    /** Whether an entry that the lessor asks for is about one of these. */
    boolean concerns(Bytes entry) {
        if (indexes.isEmpty()) {
            return false;
        }
        return switch (command(entry)) {
            case Command.LeaseRevoke(long id) -> indexes.containsKey(id);
            case Command.LeaseCheckpoint(List<Command.LeaseCheckpoint.Remaining> remaining) ->
                remaining.stream().anyMatch(one -> indexes.containsKey(one.id()));
            default -> false;
        };
    }

    private static Command command(Bytes entry) {
        return Requests.logged(entry) instanceof Requests.Logged.ToStore request
                ? request.command()
                : new Command.Nothing();
    }
}
