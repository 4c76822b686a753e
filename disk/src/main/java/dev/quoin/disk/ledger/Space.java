package dev.quoin.disk.ledger;

import java.util.concurrent.atomic.AtomicLong;

/** What the ledger holds and takes. Each figure is changed by one thread; any thread may ask for the sums. */
final class Space {
    /** Bytes of records that were ever appended. The apply loop's. */
    private final AtomicLong appended = new AtomicLong();
    /** Bytes of segments that were ever written. The writer's. */
    private final AtomicLong written = new AtomicLong();
    /** Of {@link #appended}: what is not in use any more. The housekeeper's, as are the rest. */
    private final AtomicLong dead = new AtomicLong();
    /** Of {@link #written}: what is not on the disk any more. */
    private final AtomicLong freed = new AtomicLong();
    private final AtomicLong checkpoint = new AtomicLong();

    void append(long bytes) {
        appended.lazySet(appended.get() + bytes);
    }

    void write(long bytes) {
        written.lazySet(written.get() + bytes);
    }

    void bury(long bytes) {
        dead.lazySet(dead.get() + bytes);
    }

    void free(long bytes) {
        freed.lazySet(freed.get() + bytes);
    }

    void checkpoint(long bytes) {
        checkpoint.set(bytes);
    }

    /** Records that are not known to be dead, and the checkpoint, which stands for what is known of them. */
    long inUse() {
        return appended.get() - dead.get() + checkpoint.get();
    }

    long total() {
        return written.get() - freed.get() + checkpoint.get();
    }
}
