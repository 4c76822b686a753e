package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.store.Change;
import dev.quoin.store.ChangeWalk;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Records;
import dev.quoin.store.View;

/**
 * Finds for one watcher what it has not been told yet, a slice at a time: of so many revisions and bytes, never a part of a
 * revision. From the feed, if it reaches back that far, else from a walk over the history. Any thread that may wait for the
 * disk and for others who walk.
 */
final class CatchUp {
    /** Changes of the feed that are looked at for one slice, whomever they concern. */
    private static final int LOOKS_MAX = 50_000;

    /**
     * What is asked for.
     *
     * @param next the first revision that was not told
     * @param isNew nothing was told yet: then a revision that is compacted is refused, even if it could still be told
     */
    record Wanted(KeyRange range, long next, boolean isNew, WatchOptions options) {}

    /** What comes of it. */
    sealed interface Slice {
        /**
         * Something, or nothing so far.
         *
         * @param events may be none
         * @param next the first revision that was not looked at
         * @param revision of the store when it was looked at, as clients are told
         */
        record Told(WatchEvents events, long next, long revision) implements Slice {}

        /** What is asked for has been given up: {@code revision} can still be told. */
        record Compacted(long revision) implements Slice {}

        /** A record is lost. */
        record Lost(Damaged why) implements Slice {}
    }

    private final ChangeFeed feed;
    private final Walks walks;
    private final Supplier<View> views;
    private final WatchLimits limits;

    CatchUp(ChangeFeed feed, Supplier<View> views, WatchLimits limits) {
        this.feed = feed;
        this.views = views;
        this.limits = limits;
        walks = new Walks(limits);
    }

    /** The next slice. */
    Slice slice(Wanted wanted) throws InterruptedException {
        while (true) {
            View view = views.get();
            boolean isCompacted = wanted.next < view.compactedRevision();
            boolean isInFeed = feed.with(wanted.next) != null;
            if (isCompacted && (wanted.isNew || !isInFeed)) {
                return new Slice.Compacted(view.compactedRevision());
            }
            try {
                return isInFeed && (isCompacted || isFeedBetter(wanted, view))
                        ? fromFeed(wanted, view, Long.MAX_VALUE)
                        : fromHistory(wanted, view);
            } catch (Damaged lost) {
                return new Slice.Lost(lost);
            } catch (Gone gone) {
                // Compacted since the view was taken.
                if (views.get().compactedRevision() == view.compactedRevision()) {
                    throw gone;
                }
            }
        }
    }

    /** The feed has the changes of all keys, the history those of the range alone. */
    private boolean isFeedBetter(Wanted wanted, View view) {
        long distance = feed.newest() - wanted.next;
        return distance < limits.sliceRevisionsMax() || view.keyCount(wanted.range) > distance;
    }

    /** A slice of what the feed has, up to {@code last}, for somebody who may not wait for long. */
    Slice near(Wanted wanted, long last) {
        while (true) {
            View view = views.get();
            try {
                return fromFeed(wanted, view, last);
            } catch (Gone gone) {
                if (views.get().compactedRevision() == view.compactedRevision()) {
                    throw gone;
                }
            }
        }
    }

    /** A slice of what the feed has, and of nothing behind {@code last}. */
    private Slice fromFeed(Wanted wanted, View view, long last) {
        Gathering gathering = new Gathering(wanted, view.compactedRevision());
        List<FeedBatch> batches = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        int looks = 0;
        long next = wanted.next;
        FeedBatch batch = feed.with(next);
        while (batch != null && next <= last) {
            for (int at = batch.indexOf(next); at < batch.size() && batch.main(at) <= last; at++) {
                looks++;
                if (looks > LOOKS_MAX && (at == 0 || batch.main(at) != batch.main(at - 1))) {
                    return told(gathering, batches, places, batch.main(at), view);
                }
                if (wanted.range.contains(batch.key(at)) && wanted.options.wants(batch.isDeletion(at))) {
                    if (!gathering.takes(batch.found(at), batch.payloadLength(at), batch.records())) {
                        return told(gathering, batches, places, gathering.next(), view);
                    }
                    batches.add(batch);
                    places.add(at);
                }
            }
            next = Math.min(last, batch.last()) + 1;
            batch = feed.with(next);
        }
        return told(gathering, batches, places, next, view);
    }

    private Slice told(Gathering gathering, List<FeedBatch> batches, List<Integer> places, long next, View view) {
        boolean mayBeGone = gathering.wanted.next < view.compactedRevision();
        if (gathering.bytes > limits.wholeMessageBytesMax() && !mayBeGone) {
            return new Slice.Told(gathering.stored(batches.getFirst().records()), next, revision(next, view));
        }
        EventRuns runs = new EventRuns();
        for (int at = 0; at < gathering.changes.size(); at++) {
            runs.add(batches.get(at), places.get(at), gathering.previousLengths[at] != EventCodec.NO_PREVIOUS);
        }
        return new Slice.Told(runs.finish(), next, revision(next, view));
    }

    /** The feed may be ahead of a view that was taken before. */
    private static long revision(long next, View view) {
        return Math.max(view.revision(), next - 1);
    }

    private Slice fromHistory(Wanted wanted, View view) throws InterruptedException {
        if (wanted.next > view.revision()) {
            return new Slice.Told(WatchEvents.NONE, wanted.next, view.revision());
        }
        ChangeWalk.Result walk = walks.find(wanted.range, wanted.next, view);
        long revision = Math.max(view.revision(), walk.revision());
        Gathering gathering = new Gathering(wanted, view.compactedRevision());
        List<ChangeWalk.Found> changes = walk.changes();
        for (int at = indexOf(changes, wanted.next); at < changes.size(); at++) {
            ChangeWalk.Found change = changes.get(at);
            if (wanted.options.wants(change.isDeletion())
                    && !gathering.takes(change, walk.records().length(change.position()), walk.records())) {
                return told(gathering, walk.records(), gathering.next(), revision);
            }
        }
        return told(gathering, walk.records(), walk.end(), revision);
    }

    private static int indexOf(List<ChangeWalk.Found> changes, long revision) {
        int low = 0;
        int high = changes.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (changes.get(middle).main() < revision) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private Slice told(Gathering gathering, Records records, long next, long revision) {
        if (gathering.changes.isEmpty()) {
            return new Slice.Told(WatchEvents.NONE, next, revision);
        }
        WatchEvents.Stored stored = gathering.stored(records);
        return new Slice.Told(gathering.bytes > limits.wholeMessageBytesMax() ? stored : stored.whole(), next,
                revision);
    }

    /** The changes of a slice in the making. */
    private final class Gathering {
        private final Wanted wanted;
        private final long compacted;
        private final List<ChangeWalk.Found> changes = new ArrayList<>();
        private int[] payloadLengths = new int[16];
        private int[] previousLengths = new int[16];
        private long bytes;
        private int revisions;
        /** The revision that was taken last: how many changes and bytes there were before it. */
        private long last;
        private int changesBefore;
        private long bytesBefore;

        Gathering(Wanted wanted, long compacted) {
            this.wanted = wanted;
            this.compacted = compacted;
        }

        /** Whether this change still belongs to the slice; if not, what it had of the same revision has been taken out. */
        boolean takes(ChangeWalk.Found change, int payloadLength, Records records) {
            if (change.main() != last) {
                last = change.main();
                changesBefore = changes.size();
                bytesBefore = bytes;
                if (revisions == limits.sliceRevisionsMax()) {
                    return false;
                }
                revisions++;
            }
            int previousLength = previousLength(change, records);
            long more = EventCodec.length(change.isDeletion(), change.main(), payloadLength, previousLength);
            if (revisions > 1 && bytes + more > limits.sliceBytesMax()) {
                changes.subList(changesBefore, changes.size()).clear();
                bytes = bytesBefore;
                return false;
            }
            if (changes.size() == payloadLengths.length) {
                payloadLengths = Arrays.copyOf(payloadLengths, 2 * payloadLengths.length);
                previousLengths = Arrays.copyOf(previousLengths, 2 * previousLengths.length);
            }
            payloadLengths[changes.size()] = payloadLength;
            previousLengths[changes.size()] = previousLength;
            changes.add(change);
            bytes += more;
            return true;
        }

        private int previousLength(ChangeWalk.Found change, Records records) {
            boolean isTold = wanted.options.previous() && change.previous() != Change.NONE
                    && change.main() - 1 >= compacted;
            return isTold ? records.length(change.previous()) : EventCodec.NO_PREVIOUS;
        }

        /** The revision that did not fit. */
        long next() {
            return last;
        }

        WatchEvents.Stored stored(Records records) {
            return new WatchEvents.Stored(changes, Arrays.copyOf(payloadLengths, changes.size()),
                    Arrays.copyOf(previousLengths, changes.size()), records);
        }
    }
}
