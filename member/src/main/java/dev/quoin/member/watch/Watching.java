package dev.quoin.member.watch;

import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.store.KeyRange;
import dev.quoin.store.View;

/**
 * Watches a range for one thread, which asks for what is new whenever it likes. Holds a cursor and nothing else, however
 * long it is not asked. For a thread that may wait; only {@link #close} may be called by others.
 */
public final class Watching implements AutoCloseable {
    /** What should be told has been given up: the reader has to begin anew with what is there now. */
    public static final class Compacted extends Exception {
        private static final long serialVersionUID = 1L;
        private final long revision;

        Compacted(long revision) {
            super("compacted at " + revision, null, false, false);
            this.revision = revision;
        }

        /** The first revision that can still be told. */
        public long revision() {
            return revision;
        }
    }

    private final KeyRange range;
    private final CatchUp catchUp;
    private final Wakings wakings;
    private final Semaphore woken = new Semaphore(0);
    private final Runnable wake = woken::release;
    private long next;

    Watching(KeyRange range, long from, CatchUp catchUp, Wakings wakings, Supplier<View> views) {
        this.range = new KeyRange(range.key().compact(), range.rangeEnd().compact());
        this.catchUp = catchUp;
        this.wakings = wakings;
        wakings.register(this.range, wake);
        // After that: what this view does not have is told.
        next = from == 0 ? views.get().revision() + 1 : from;
    }

    /**
     * What has happened since it was asked before, in order, whole revisions; some of it, if it is much. Waits until there is
     * something.
     *
     * @return nothing if the time is over
     * @throws dev.quoin.disk.Damaged if a record is lost
     */
    public List<KeyChange> await(long timeout, TimeUnit unit) throws InterruptedException, Compacted {
        long deadline = System.nanoTime() + unit.toNanos(timeout);
        while (true) {
            woken.drainPermits();
            List<KeyChange> changes = read();
            if (!changes.isEmpty()) {
                return changes;
            }
            if (!woken.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return List.of();
            }
        }
    }

    private List<KeyChange> read() throws InterruptedException, Compacted {
        while (true) {
            long from = next;
            switch (catchUp.slice(new CatchUp.Wanted(range, from, false, WatchOptions.NONE))) {
                case CatchUp.Slice.Compacted(long revision) -> throw new Compacted(revision);
                case CatchUp.Slice.Lost(var why) -> throw why;
                case CatchUp.Slice.Told(WatchEvents events, long after, long revision) -> {
                    List<KeyChange> changes = changes(events);
                    next = after;
                    if (!changes.isEmpty() || after == from) {
                        return changes;
                    }
                }
            }
        }
    }

    private static List<KeyChange> changes(WatchEvents events) {
        ProtoWriter all = new ProtoWriter(Math.toIntExact(events.bytes()));
        events.writeTo((bytes, offset, length) -> {
            all.raw(bytes, offset, length);
            return true;
        });
        return new WatchEvents.Whole(List.of(Bytes.of(all.buffer(), 0, all.size())), events.count(), events.bytes())
                .changes();
    }

    @Override
    public void close() {
        wakings.forget(range, wake);
    }
}
