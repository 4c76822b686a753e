package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

import dev.quoin.store.Outcome;

/**
 * Who waits for which request. Whoever takes a proposal out answers it, so each is answered once. Any thread.
 *
 * <p>Also the bound on what clients wait for: their proposals are counted in bytes here, where they begin and end. What
 * is in memory longer than anybody waits, the raft loop counts.
 */
final class Waiters {
    private final Map<Long, Proposal> waiting = new ConcurrentHashMap<>();
    private final AtomicLong bytes = new AtomicLong();
    private final long bytesMax;

    Waiters(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Takes the proposal up, unless too much is under way. */
    boolean add(Proposal proposal) {
        int size = proposal.data().length();
        if (bytes.addAndGet(size) > bytesMax) {
            bytes.addAndGet(-size);
            return false;
        }
        waiting.put(proposal.id(), proposal);
        return true;
    }

    /** Takes up a proposal of the member's own, which is small and must not be crowded out by clients. */
    void addOwn(Proposal proposal) {
        bytes.addAndGet(proposal.data().length());
        waiting.put(proposal.id(), proposal);
    }

    boolean isWaiting(long id) {
        return waiting.containsKey(id);
    }

    void complete(long id, Outcome outcome) {
        Proposal proposal = remove(id);
        if (proposal != null) {
            proposal.answer().outcome(outcome);
        }
    }

    void fail(long id, Failure failure) {
        Proposal proposal = remove(id);
        if (proposal != null) {
            proposal.answer().failed(failure);
        }
    }

    /** Fails those whose time is over. */
    void expire(long nowNanos) {
        List<Long> late = new ArrayList<>();
        for (Proposal proposal : waiting.values()) {
            if (proposal.deadlineNanos() - nowNanos < 0) {
                late.add(proposal.id());
            }
        }
        late.sort(Long::compareUnsigned);
        late.forEach(id -> fail(id, Failure.TIMEOUT));
    }

    void failAll(Failure failure) {
        List.copyOf(waiting.keySet()).forEach(id -> fail(id, failure));
    }

    private @Nullable Proposal remove(long id) {
        Proposal proposal = waiting.remove(id);
        if (proposal != null) {
            bytes.addAndGet(-proposal.data().length());
        }
        return proposal;
    }
}
