package dev.quoin.member;

import java.time.Duration;

/**
 * Whether a member is too far behind to take more requests: more entries are committed and not applied than there may be, and
 * have been for a second. etcd refuses at once (etcdserver/v3_server.go processInternalRaftRequestOnce); but what it
 * applies in a quarter of a second is done here in less than a tenth, and a member that stands still for so long, with the others
 * going on, is not overloaded. Single owner: the raft loop.
 */
final class Backlog {
    static final long PATIENCE_NANOS = Duration.ofSeconds(1).toNanos();

    private final int entriesMax;
    private boolean isLong;
    private long longSinceNanos;
    private boolean isTooMuch;

    Backlog(int entriesMax) {
        this.entriesMax = entriesMax;
    }

    /** Told once in every turn how many entries wait. */
    void look(long entries, long nowNanos) {
        boolean wasLong = isLong;
        isLong = entries > entriesMax;
        if (isLong && !wasLong) {
            longSinceNanos = nowNanos;
        }
        isTooMuch = isLong && nowNanos - longSinceNanos >= PATIENCE_NANOS;
    }

    boolean isTooMuch() {
        return isTooMuch;
    }
}
