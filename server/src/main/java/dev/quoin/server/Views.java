package dev.quoin.server;

import java.util.function.Supplier;

import dev.quoin.net.Status;
import dev.quoin.store.Query;
import dev.quoin.store.Refusal;
import dev.quoin.store.View;

/** The newest view, whenever asked, and what it says about a read that has failed on an older one. Any thread. */
final class Views {
    private final Supplier<View> newest;

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
        return revision < newest().compactedRevision()
                ? Errors.of(Refusal.COMPACTED)
                : Errors.lost(unreadable);
    }
}
