package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.store.KeyRange;

/**
 * Wakes those who wait for a change of a range. Many threads register, the apply loop looks through them whenever there is
 * something new: that costs it a search for each change, and nothing while nobody waits.
 */
final class Wakings implements ChangeFeed.Listener {
    private final ChangeFeed feed;
    private final ReentrantLock lock = new ReentrantLock();
    private final RangeMap<List<Runnable>> waiting = new RangeMap<>();

    Wakings(ChangeFeed feed) {
        this.feed = feed;
    }

    /** From now on {@code wake} is run whenever a key of the range may have changed; it must not block. */
    void register(KeyRange range, Runnable wake) {
        lock.lock();
        try {
            if (waiting.size() == 0) {
                feed.listen(this);
            }
            waiting.obtain(range, made -> new ArrayList<>(1)).add(wake);
        } finally {
            lock.unlock();
        }
    }

    void forget(KeyRange range, Runnable wake) {
        lock.lock();
        try {
            List<Runnable> all = waiting.find(range);
            if (all == null || !all.remove(wake)) {
                return;
            }
            if (all.isEmpty()) {
                waiting.remove(range);
            }
            if (waiting.size() == 0) {
                feed.forget(this);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void grew(@Nullable FeedBatch batch) {
        lock.lock();
        try {
            if (batch == null) {
                waiting.values().forEach(Wakings::wakeAll);
                return;
            }
            for (int at = 0; at < batch.size(); at++) {
                Bytes key = batch.key(at);
                waiting.forEachAt(key, Wakings::wakeAll);
            }
        } finally {
            lock.unlock();
        }
    }

    private static void wakeAll(List<Runnable> all) {
        all.forEach(Runnable::run);
    }
}
