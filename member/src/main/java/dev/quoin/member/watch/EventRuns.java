package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/** Joins events of the feed that stand side by side, as they come. */
final class EventRuns {
    private final List<Bytes> runs = new ArrayList<>();
    private int count;
    private long bytes;
    /** The run that may still grow. */
    private @Nullable FeedBatch batch;
    private int from;
    private int to;

    /**
     * The next event.
     *
     * @throws dev.quoin.disk.Damaged if it is to tell what was before, and that is lost
     * @throws dev.quoin.disk.ledger.Gone if it is given up
     */
    void add(FeedBatch of, int at, boolean withPrevious) {
        count++;
        if (withPrevious) {
            cut();
            add(of.eventWithPrevious(at));
        } else if (batch == of && to == at) {
            to++;
        } else {
            cut();
            batch = of;
            from = at;
            to = at + 1;
        }
    }

    private void add(Bytes run) {
        runs.add(run);
        bytes += run.length();
    }

    private void cut() {
        if (batch != null) {
            add(batch.events(from, to));
            batch = null;
        }
    }

    WatchEvents.Whole finish() {
        cut();
        return new WatchEvents.Whole(runs, count, bytes);
    }
}
