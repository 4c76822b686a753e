package dev.quoin.member.watch;

import java.util.function.Supplier;

import dev.quoin.store.KeyRange;
import dev.quoin.store.View;

/** All that watches the keys of one member: the feed, and what those have in common who read from it. Any thread. */
public final class Watches {
    private final WatchLimits limits;
    private final Supplier<View> views;
    private final ChangeFeed feed;
    private final CatchUp catchUp;
    private final Wakings wakings;
    private final WatchMetrics metrics;

    /** @param views the newest view, whenever asked */
    public Watches(WatchLimits limits, Supplier<View> views, WatchMetrics metrics) {
        this.limits = limits;
        this.metrics = metrics;
        this.views = views;
        feed = new ChangeFeed(limits.feedBytesMax(), views.get().revision());
        catchUp = new CatchUp(feed, views, limits);
        wakings = new Wakings(feed);
    }

    /** What the apply loop appends to. */
    public ChangeFeed feed() {
        return feed;
    }

    /** A hub for the watchers of one thread. */
    public WatchHub hub(WatchHost host, WatchBudget budget) {
        return new WatchHub(feed, views, catchUp, host, budget, limits, metrics);
    }

    /** What the feed of recent changes takes, about. */
    public long feedBytes() {
        return feed.heldBytes();
    }

    /** That somebody is told of changes, until it is closed. Any thread. */
    public interface Waking extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Says from now on that a key of the range may have changed, and nothing else: for somebody who then looks at a view.
     *
     * @param changed run by whoever applies the log, once the view shows the change; must not block
     */
    public Waking wake(KeyRange range, Runnable changed) {
        KeyRange own = new KeyRange(range.key().compact(), range.rangeEnd().compact());
        wakings.register(own, changed);
        return () -> wakings.forget(own, changed);
    }
}
