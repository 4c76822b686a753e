package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

/**
 * Who waits for which entry. Whoever takes one out answers it, so each is answered once. Any thread.
 *
 * <p>Also the bound on what clients wait for: their proposals are counted in bytes here, where they begin and end. What
 * is in memory longer than anybody waits, the raft loop counts.
 *
 * <p>And what is known of an entry's fate: it was handed over in some term, to be appended here or passed on to the leader
 * of that term. Once an entry of a later term is applied, and it was not, only a leader that has lost its office could
 * still bring it into the log.
 */
final class Waiters {
    /** An entry that no leader has been told of yet. */
    private static final long NOT_HANDED_OVER = 0;

    private record Waiter(Waiting waiting, long term) {}

    private final Map<Long, Waiter> waiters = new ConcurrentHashMap<>();
    private final AtomicLong bytes = new AtomicLong();
    private final long bytesMax;
    private final Consumer<Failure> onFailed;

    /** @param onFailed told of each that gets no outcome, for whoever counts */
    Waiters(long bytesMax, Consumer<Failure> onFailed) {
        this.bytesMax = bytesMax;
        this.onFailed = onFailed;
    }

    /** How many wait. */
    int count() {
        return waiters.size();
    }

    /** Takes one up, unless too much is under way. */
    boolean add(Waiting waiting) {
        int size = waiting.data().length();
        if (bytes.addAndGet(size) > bytesMax) {
            bytes.addAndGet(-size);
            return false;
        }
        waiters.put(waiting.id(), new Waiter(waiting, NOT_HANDED_OVER));
        return true;
    }

    /** Takes up one of the member's own, which is small and must not be crowded out by clients. */
    void addOwn(Waiting waiting) {
        bytes.addAndGet(waiting.data().length());
        waiters.put(waiting.id(), new Waiter(waiting, NOT_HANDED_OVER));
    }

    boolean isWaiting(long id) {
        return waiters.containsKey(id);
    }

    /** A leader is about to be told. To be called before it is. */
    void handedOver(long id, long term) {
        waiters.computeIfPresent(id, (same, waiter) -> new Waiter(waiter.waiting(), term));
    }

    /** No leader was told after all. */
    void takenBack(long id) {
        handedOver(id, NOT_HANDED_OVER);
    }

    /** The one with this id, which waits no more; null if nobody does. */
    @Nullable
    Waiting take(long id) {
        Waiter waiter = waiters.remove(id);
        if (waiter == null) {
            return null;
        }
        bytes.addAndGet(-waiter.waiting().data().length());
        return waiter.waiting();
    }

    void fail(long id, Failure failure) {
        Waiting waiting = take(id);
        if (waiting != null) {
            onFailed.accept(failure);
            waiting.failed(failure);
        }
    }

    /** Fails those whose time is over, each for the reason that {@code why} sees. */
    void expire(long nowNanos, Function<Waiting, Failure> why) {
        for (Waiting late : find((waiting, term) -> waiting.deadlineNanos() - nowNanos < 0)) {
            fail(late.id(), why.apply(late));
        }
    }

    /** Fails those that a leader of a term before this one was told of: what becomes of them, nobody knows. */
    void failOlderThan(long term) {
        find((waiting, told) -> told != NOT_HANDED_OVER && Long.compareUnsigned(told, term) < 0)
                .forEach(lost -> fail(lost.id(), Failure.LEADER_LOST));
    }

    /** Fails all that a leader was told of. */
    void failHandedOver(Failure failure) {
        find((waiting, told) -> told != NOT_HANDED_OVER).forEach(lost -> fail(lost.id(), failure));
    }

    void failAll(Failure failure) {
        find((waiting, told) -> true).forEach(left -> fail(left.id(), failure));
    }

    /** In the order of their ids, so that what is done with them does not depend on a hash. */
    private List<Waiting> find(BiPredicate<Waiting, Long> condition) {
        List<Waiting> found = new ArrayList<>();
        for (Waiter waiter : waiters.values()) {
            if (condition.test(waiter.waiting(), waiter.term())) {
                found.add(waiter.waiting());
            }
        }
        found.sort((a, b) -> Long.compareUnsigned(a.id(), b.id()));
        return found;
    }
}
