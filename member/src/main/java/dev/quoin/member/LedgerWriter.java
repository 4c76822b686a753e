package dev.quoin.member;

/**
 * The thread that writes the store's records behind: every so often what has gathered is written and synced. Nothing
 * waits for it but an apply loop that got too far ahead; what is acknowledged lies in the write-ahead log.
 */
final class LedgerWriter implements Actor {
    private final Mailbox<Object> doorbell = new Mailbox<>();
    private final StoreInForce inForce;
    private final long flushNanos;
    private Runnable onFlushed = () -> {};

    LedgerWriter(StoreInForce inForce, long flushNanos) {
        this.inForce = inForce;
        this.flushNanos = flushNanos;
    }

    /** Called after each flush that wrote something. Set before the first turn. */
    void onFlushed(Runnable action) {
        onFlushed = action;
    }

    @Override
    public long turn() {
        if (inForce.ledger().flush()) {
            onFlushed.run();
        }
        return flushNanos;
    }

    @Override
    public Mailbox<?> mailbox() {
        return doorbell;
    }
}
