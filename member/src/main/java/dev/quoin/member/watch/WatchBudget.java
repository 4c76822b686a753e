package dev.quoin.member.watch;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What all watchers of a member may take of the heap, about. Shared by all hubs; any thread.
 */
public final class WatchBudget {
    /** What a watcher takes beside the ends of its range, with all that knows it. */
    static final int WATCHER_BYTES = 512;

    private final long bytesMax;
    private final AtomicLong taken = new AtomicLong();

    public WatchBudget(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    boolean take(long bytes) {
        if (taken.addAndGet(bytes) <= bytesMax) {
            return true;
        }
        taken.addAndGet(-bytes);
        return false;
    }

    void give(long bytes) {
        taken.addAndGet(-bytes);
    }

    public long bytesMax() {
        return bytesMax;
    }
}
