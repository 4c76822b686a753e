package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.store.KeyRange;
import dev.quoin.store.View;

/**
 * All watchers of one thread, which owns it: every method is called there, except where it says otherwise. It has no lock,
 * no clock and no thread of its own.
 *
 * <p>Most watchers have been told everything: they are <b>in step</b>. For all of them there is one {@link #position}, the
 * revision up to which they have been told, so that a change costs work for those alone whom it concerns. When the feed has
 * grown, {@link #drain} takes what is new, finds for each change the ranges that hold its key, and sends to each watcher of
 * these ranges one message with all its news. A watcher that cannot be sent its message falls behind: it keeps the revision
 * that it needs next, and nothing else; its {@link WatchStream} lets it catch up.
 *
 * <p>A delivery is one step for whoever looks from outside, but it lets others use the thread in between. While one is
 * under way the position is still the old one, and a watcher comes into step only if it needs nothing of it
 * ({@link #horizon}): so no order of events can make one miss a change, or see it twice.
 */
public final class WatchHub {
    /** The watchers of one range. */
    static final class Node {
        private final KeyRange range;
        private final List<Watcher> watchers = new ArrayList<>(1);
        /** The changes of the delivery under way that concern the range, as numbers of {@link Delivery}. */
        private int[] hits = {};
        private int hitCount;

        Node(KeyRange range) {
            this.range = range;
        }

        private void hit(int number) {
            if (hitCount == hits.length) {
                hits = Arrays.copyOf(hits, Math.max(4, 2 * hits.length));
            }
            hits[hitCount++] = number;
        }

        private void forgetHits() {
            hits = new int[0];
            hitCount = 0;
        }
    }

    /** News on their way to those whom they concern. */
    private static final class Delivery {
        private final List<FeedBatch> batches;
        /** The number of the first change of each batch. */
        private final int[] offsets;
        private final long upTo;
        private final Set<Node> touched = new LinkedHashSet<>();
        /** Where the search for those whom it concerns has come to. */
        private int batch;
        private int at;
        /** Where the sending has come to. */
        private @Nullable List<Node> nodes;
        private int node;
        private @Nullable List<Watcher> watchers;
        private int watcher;
        private final WatchEvents.@Nullable Whole[] shared = new WatchEvents.Whole[8];

        Delivery(List<FeedBatch> batches, int first) {
            this.batches = batches;
            offsets = new int[batches.size()];
            int sum = 0;
            for (int i = 0; i < offsets.length; i++) {
                offsets[i] = sum;
                sum += batches.get(i).size();
            }
            at = first;
            upTo = batches.getLast().last();
        }

        private int batchOf(int number) {
            int found = Arrays.binarySearch(offsets, number);
            return found >= 0 ? found : -2 - found;
        }

        private long main(int number) {
            int in = batchOf(number);
            return batches.get(in).main(number - offsets[in]);
        }
    }

    private static final long NO_NEWS = -1;

    private final ChangeFeed feed;
    private final Supplier<View> views;
    private final WatchHost host;
    private final WatchLimits limits;
    private final WatchBudget budget;
    private final CatchUp catchUp;
    private final WatchMetrics metrics;
    private final ChangeFeed.Listener listener = batch -> drainSoon();
    private final AtomicBoolean isDrainDue = new AtomicBoolean();

    private final RangeMap<Node> inStep = new RangeMap<>();
    private final Set<WatchStream> asking = new LinkedHashSet<>();
    private final Set<WatchStream> notified = new LinkedHashSet<>();
    private int watcherCount;
    private volatile long position;
    private @Nullable Delivery delivery;

    WatchHub(ChangeFeed feed, Supplier<View> views, CatchUp catchUp, WatchHost host, WatchBudget budget,
            WatchLimits limits, WatchMetrics metrics) {
        this.feed = feed;
        this.metrics = metrics;
        this.views = views;
        this.catchUp = catchUp;
        this.host = host;
        this.budget = budget;
        this.limits = limits;
    }

    /**
     * A new stream of watchers.
     *
     * @param watchersMax how many it may have at a time
     * @param partBytesMax how large a message may become for a watcher that wants it in parts then
     * @param progressNanos how often watchers that asked for it are told how far they are
     * @param nowNanos a time that goes on, as in {@link #tick}
     */
    public WatchStream open(WatchOutlet outlet, int watchersMax, long partBytesMax, long progressNanos, long nowNanos) {
        return new WatchStream(this, outlet, watchersMax, partBytesMax, progressNanos, nowNanos);
    }

    /** The time is this: tells those how far they are who asked for it and have heard nothing for long enough. */
    public void tick(long nowNanos) {
        if (delivery == null) {
            List.copyOf(notified).forEach(stream -> stream.tick(nowNanos));
        }
    }

    /** Any thread: how many revisions those who are in step have still to be told, if there are such. */
    public long untold() {
        return Math.max(0, feed.newest() - position);
    }

    /** Up to here all who are in step have been told. */
    long position() {
        return position;
    }

    /** Who needs nothing up to here may come into step. */
    long horizon() {
        return delivery == null ? position : delivery.upTo;
    }

    boolean isDelivering() {
        return delivery != null;
    }

    View view() {
        return views.get();
    }

    CatchUp catchUp() {
        return catchUp;
    }

    WatchHost host() {
        return host;
    }

    WatchLimits limits() {
        return limits;
    }

    WatchBudget budget() {
        return budget;
    }

    /** To be told when the next delivery is over. */
    void ask(WatchStream stream) {
        asking.add(stream);
    }

    void wantsTicks(WatchStream stream, boolean isWanted) {
        if (isWanted) {
            notified.add(stream);
        } else {
            notified.remove(stream);
        }
    }

    // ---- who watches

    /** One more; before anything is asked of the view for it. */
    void added() {
        if (watcherCount == 0) {
            feed.listen(listener);
            // What the view has by now may never be told: nobody listened. What it does not have is told from now on.
            position = Math.max(position, views.get().revision());
        }
        watcherCount++;
        metrics.watchers(1);
    }

    void removed(Watcher watcher) {
        leave(watcher);
        watcherCount--;
        metrics.watchers(-1);
        if (watcherCount == 0) {
            feed.forget(listener);
        }
    }

    /** It needs nothing up to {@link #horizon}. */
    void enter(Watcher watcher) {
        Invariant.check(watcher.node == null && watcher.next > horizon(),
                "a watcher that needs %d comes into step at %d",
                watcher.next, horizon());
        Node node = inStep.obtain(watcher.range, Node::new);
        watcher.node = node;
        watcher.slot = node.watchers.size();
        node.watchers.add(watcher);
        metrics.inStep(1);
    }

    private void leave(Watcher watcher) {
        Node node = watcher.node;
        if (node == null) {
            return;
        }
        Watcher last = node.watchers.removeLast();
        if (last != watcher) {
            node.watchers.set(watcher.slot, last);
            last.slot = watcher.slot;
        }
        watcher.node = null;
        metrics.inStep(-1);
        if (node.watchers.isEmpty()) {
            inStep.remove(node.range);
        }
    }

    private void fallBehind(Watcher watcher) {
        leave(watcher);
        watcher.next = Math.max(watcher.next, position + 1);
        watcher.stream.fellBehind(watcher);
    }

    // ---- news

    /** Any thread: the feed has grown. */
    private void drainSoon() {
        if (isDrainDue.compareAndSet(false, true)) {
            host.execute(this::drain);
        }
    }

    /** Delivers what is new; some of it, if it is much, and then the rest after others have used the thread. */
    private void drain() {
        isDrainDue.set(false);
        int left = limits.messagesPerTurnMax();
        while (true) {
            Delivery current = delivery == null ? begin() : delivery;
            delivery = current;
            if (current == null) {
                answerAsking();
                return;
            }
            left = find(current) ? send(current, left) : 0;
            if (left == 0) {
                drainSoon();
                return;
            }
            position = current.upTo;
            delivery = null;
            answerAsking();
        }
    }

    private void answerAsking() {
        List<WatchStream> told = List.copyOf(asking);
        asking.clear();
        told.forEach(WatchStream::answerProgress);
    }

    /** The next news; null if there are none. */
    private @Nullable Delivery begin() {
        long newest = feed.newest();
        if (newest <= position) {
            return null;
        }
        if (inStep.size() == 0) {
            position = newest;
            return null;
        }
        List<FeedBatch> batches = new ArrayList<>();
        int changes = 0;
        FeedBatch batch = feed.with(position + 1);
        while (batch != null && changes < limits.changesPerDrainMax()) {
            batches.add(batch);
            changes += batch.size();
            batch = feed.with(batch.last() + 1);
        }
        if (batches.isEmpty()) {
            loseStep(newest);
            return begin();
        }
        return new Delivery(batches, batches.getFirst().indexOf(position + 1));
    }

    /** The feed does not have what comes next: everybody has to look for themselves. */
    private void loseStep(long newest) {
        for (Node node : inStep.values()) {
            for (Watcher watcher : List.copyOf(node.watchers)) {
                if (watcher.next <= newest) {
                    fallBehind(watcher);
                }
            }
        }
        position = newest;
    }

    /** Finds whom the changes concern; false if there is more to find. */
    private boolean find(Delivery current) {
        int left = limits.changesPerDrainMax();
        for (; current.batch < current.batches.size(); current.batch++) {
            FeedBatch batch = current.batches.get(current.batch);
            for (; current.at < batch.size(); current.at++) {
                if (left-- == 0) {
                    return false;
                }
                int number = current.offsets[current.batch] + current.at;
                inStep.forEachAt(batch.key(current.at), node -> {
                    node.hit(number);
                    current.touched.add(node);
                });
            }
            current.at = 0;
        }
        return true;
    }

    /** Tells those whom it concerns; how many of the messages that may be sent are left, 0 if it has to go on later. */
    private int send(Delivery current, int messagesMax) {
        int left = messagesMax;
        List<Node> nodes = current.nodes == null ? List.copyOf(current.touched) : current.nodes;
        current.nodes = nodes;
        for (; current.node < nodes.size(); current.node++) {
            Node node = nodes.get(current.node);
            List<Watcher> watchers = current.watchers == null ? List.copyOf(node.watchers) : current.watchers;
            current.watchers = watchers;
            for (; current.watcher < watchers.size(); current.watcher++) {
                if (left == 0) {
                    return 0;
                }
                Watcher watcher = watchers.get(current.watcher);
                if (watcher.node == node) {
                    tell(current, node, watcher);
                    left--;
                }
            }
            node.forgetHits();
            current.watchers = null;
            current.watcher = 0;
            Arrays.fill(current.shared, null);
        }
        // A delivery that has used all that there was is done all the same.
        return Math.max(1, left);
    }

    private void tell(Delivery current, Node node, Watcher watcher) {
        long last = lastNews(current, node, watcher);
        if (last == NO_NEWS) {
            return;
        }
        if (!watcher.stream.isReady()) {
            fallBehind(watcher);
            return;
        }
        WatchEvents.Whole events;
        try {
            events = news(current, node, watcher);
        } catch (Damaged lost) {
            watcher.stream.lost(watcher, lost);
            return;
        }
        if (events.bytes() > limits.liveMessageBytesMax()) {
            fallBehind(watcher);
            return;
        }
        watcher.next = last + 1;
        watcher.stream.tell(watcher, last, events);
    }

    /** The revision of the last of a watcher's news. */
    private static long lastNews(Delivery current, Node node, Watcher watcher) {
        for (int hit = node.hitCount - 1; hit >= 0; hit--) {
            int number = node.hits[hit];
            int in = current.batchOf(number);
            FeedBatch batch = current.batches.get(in);
            int at = number - current.offsets[in];
            if (batch.main(at) < watcher.next) {
                return NO_NEWS;
            }
            if (watcher.options.wants(batch.isDeletion(at))) {
                return batch.main(at);
            }
        }
        return NO_NEWS;
    }

    /** A watcher's news; those who want the same share them. */
    private WatchEvents.Whole news(Delivery current, Node node, Watcher watcher) {
        if (watcher.next > current.main(node.hits[0])) {
            return gather(current, node, watcher);
        }
        WatchOptions options = watcher.options;
        int kind = (options.previous() ? 1 : 0) + (options.noPuts() ? 2 : 0) + (options.noDeletes() ? 4 : 0);
        WatchEvents.Whole known = current.shared[kind];
        WatchEvents.Whole news = known == null ? gather(current, node, watcher) : known;
        current.shared[kind] = news;
        return news;
    }

    private WatchEvents.Whole gather(Delivery current, Node node, Watcher watcher) {
        while (true) {
            long compacted = views.get().compactedRevision();
            try {
                return gather(current, node, watcher, compacted);
            } catch (Gone gone) {
                // What was before has been compacted this moment.
                if (views.get().compactedRevision() == compacted) {
                    throw gone;
                }
            }
        }
    }

    private static WatchEvents.Whole gather(Delivery current, Node node, Watcher watcher, long compacted) {
        EventRuns runs = new EventRuns();
        for (int hit = 0; hit < node.hitCount; hit++) {
            int number = node.hits[hit];
            int in = current.batchOf(number);
            FeedBatch batch = current.batches.get(in);
            int at = number - current.offsets[in];
            if (batch.main(at) >= watcher.next && watcher.options.wants(batch.isDeletion(at))) {
                runs.add(batch, at, watcher.options.previous() && batch.hasPrevious(at)
                        && batch.main(at) - 1 >= compacted);
            }
        }
        return runs.finish();
    }
}
