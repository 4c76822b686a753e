package dev.quoin.member;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Ids for requests, unique in the cluster without asking it. As etcd makes them (pkg/idutil/id.go), so that members of
 * both kinds can share a log: two bytes of the member's id, five of the milliseconds since 1970 at its start, one that
 * counts; the count may run over into the time. Any thread.
 */
public final class RequestIds {
    private static final long LOW_48_BITS = (1L << 48) - 1;

    private final long prefix;
    private final AtomicLong suffix;

    public RequestIds(long memberId, long startMillis) {
        prefix = memberId << 48;
        suffix = new AtomicLong((startMillis & ((1L << 40) - 1)) << 8);
    }

    /** The next id, never given out before by this object. */
    public long next() {
        return prefix | (suffix.incrementAndGet() & LOW_48_BITS);
    }
}
