package dev.quoin.server;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.net.Status;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.View;

/** The newest view, whenever asked, and what it says about a read that has failed on an older one. Any thread. */
final class Views {
    private static final Logger LOG = LoggerFactory.getLogger(Views.class);

    private final Supplier<View> newest;
    /** What was logged last: a client that asks again and again fills no disk. */
    private final AtomicReference<String> logged = new AtomicReference<>("");

    Views(Supplier<View> newest) {
        this.newest = newest;
    }

    View newest() {
        return newest.get();
    }

    /** The revision that a query of {@code view} is about. */
    static long revision(View view, Query query) {
        return query.revision() <= 0 ? view.revision() : query.revision();
    }

    /**
     * Why a record could not be read at {@code revision}: a compaction has passed by since the view was taken, and its records
     * may be given up; otherwise something is lost that should be there.
     *
     * @param unreadable a {@link dev.quoin.disk.Damaged} or a {@link dev.quoin.disk.ledger.Gone}
     */
    Status status(RuntimeException unreadable, long revision) {
        if (revision < newest().compactedRevision()) {
            return Errors.of(Refusal.COMPACTED);
        }
        Status lost = Errors.lost(unreadable);
        // A client whose list was begun already may see no more than that it was cut short.
        if (!lost.message().equals(logged.getAndSet(lost.message()))) {
            LOG.error("a record cannot be read", unreadable);
        }
        return lost;
    }
}
