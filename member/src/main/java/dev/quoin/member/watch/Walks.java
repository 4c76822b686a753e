package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

import dev.quoin.store.ChangeWalk;
import dev.quoin.store.KeyRange;
import dev.quoin.store.View;

/**
 * Walks over the history of ranges, shared by all who need the same: of a hundred watchers that come back after a pause,
 * one walks, and the others wait for it. A walk begins a little before what it was asked for, so that it serves those who
 * are a little further behind as well. At most so many are at work at the same time, and the last few are kept.
 *
 * <p>Any thread that may wait. A walk never grows stale: it says how far it reaches.
 */
final class Walks {
    /** A walk begins up to an eighth of its length early, and never more than this many revisions. */
    private static final long EARLY_REVISIONS_MAX = 8_192;
    private static final int EARLY_SHARE = 8;
    private static final int STEP_VISITS = 4_096;

    private record Underway(KeyRange range, long from) {}

    private final WatchLimits limits;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Underway> underway = new ArrayList<>();
    /** The one that was used last is the last. */
    private final List<ChangeWalk.Result> kept = new ArrayList<>();
    private long made;

    Walks(WatchLimits limits) {
        this.limits = limits;
    }

    /**
     * A walk of this range that has the changes from this revision on, of this view or a newer one. The revision must not
     * be compacted in it.
     */
    ChangeWalk.Result find(KeyRange range, long from, View view) throws InterruptedException {
        Underway mine;
        lock.lock();
        try {
            while (true) {
                ChangeWalk.Result found = kept(range, from, view);
                if (found != null) {
                    return found;
                }
                if (underway.size() < limits.walksMax() && !isUnderway(range, from)) {
                    mine = new Underway(range, early(from, view));
                    underway.add(mine);
                    made++;
                    break;
                }
                changed.await();
            }
        } finally {
            lock.unlock();
        }
        ChangeWalk.Result result = null;
        try {
            result = walk(mine, from, view);
            return result;
        } finally {
            done(mine, result);
        }
    }

    /** How many walks were made, for tests. */
    long made() {
        lock.lock();
        try {
            return made;
        } finally {
            lock.unlock();
        }
    }

    private static long early(long from, View view) {
        long step = Math.min(EARLY_REVISIONS_MAX, Long.highestOneBit(1 + (view.revision() - from) / EARLY_SHARE));
        return Math.max(view.compactedRevision(), from - from % step);
    }

    private ChangeWalk.Result walk(Underway mine, long from, View view) {
        ChangeWalk.Result early = run(view.changes(mine.range, mine.from, limits.walkChangesMax()));
        return early.end() > from ? early : run(view.changes(mine.range, from, limits.walkChangesMax()));
    }

    /** A virtual thread that computes gives its carrier back only if it says so. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static ChangeWalk.Result run(ChangeWalk walk) {
        while (!walk.step(STEP_VISITS)) {
            Thread.yield();
        }
        return walk.result();
    }

    private void done(Underway mine, ChangeWalk.@Nullable Result result) {
        lock.lock();
        try {
            underway.remove(mine);
            if (result != null) {
                kept.removeIf(one -> one.range().equals(mine.range) && one.from() >= result.from()
                        && one.end() <= result.end());
                kept.add(result);
                if (kept.size() > limits.walksKeptMax()) {
                    kept.removeFirst();
                }
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean isUnderway(KeyRange range, long from) {
        return underway.stream().anyMatch(one -> one.from <= from && one.range.equals(range));
    }

    /** One that serves; those of a store that is not in force any more do not. */
    private ChangeWalk.@Nullable Result kept(KeyRange range, long from, View view) {
        kept.removeIf(one -> !one.records().equals(view.records()));
        for (int at = kept.size() - 1; at >= 0; at--) {
            ChangeWalk.Result one = kept.get(at);
            if (one.from() <= from && one.end() > from && one.range().equals(range)) {
                kept.remove(at);
                kept.add(one);
                return one;
            }
        }
        return null;
    }
}
