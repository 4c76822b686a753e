package dev.quoin.member;

import dev.quoin.disk.ledger.Ledger;

/**
 * The thread that writes the store's records behind: every so often what has gathered is written and synced. Nothing
 * waits for it but an apply loop that got too far ahead; what is acknowledged lies in the write-ahead log.
 */
final class LedgerWriter implements Actor {
    private final Mailbox<Object> doorbell = new Mailbox<>();
    private final Ledger ledger;
    private final long flushNanos;
    private Runnable onFlushed = () -> {};

    LedgerWriter(Ledger ledger, long flushNanos) {
        this.ledger = ledger;
        this.flushNanos = flushNanos;
    }

    /** Called after each flush that wrote something. Set before the first turn. */
    void onFlushed(Runnable action) {
        onFlushed = action;
    }

    @Override
    public long turn() {
        if (ledger.flush()) {
            onFlushed.run();
        }
        return flushNanos;
    }

    @Override
    public Mailbox<?> mailbox() {
        return doorbell;
    }
}
