package dev.quoin.member;

import dev.quoin.base.Clock;

/**
 * The thread that writes the store's records behind: every so often what has gathered is written and synced. Nothing
 * waits for it but an apply loop that got too far ahead; what is acknowledged lies in the write-ahead log.
 */
final class LedgerWriter implements Actor {
    private final Mailbox<Object> doorbell = new Mailbox<>();
    private final StoreInForce inForce;
    private final long flushNanos;
    private final Clock clock;
    private final MemberMetrics metrics;
    private Runnable onFlushed = () -> {};

    LedgerWriter(StoreInForce inForce, long flushNanos, Clock clock, MemberMetrics metrics) {
        this.inForce = inForce;
        this.flushNanos = flushNanos;
        this.clock = clock;
        this.metrics = metrics;
    }

    /** Called after each flush that wrote something. Set before the first turn. */
    void onFlushed(Runnable action) {
        onFlushed = action;
    }

    @Override
    public long turn() {
        long begun = clock.nanos();
        if (inForce.ledger().flush()) {
            metrics.ledgerFlushed(clock.nanos() - begun);
            onFlushed.run();
        }
        return flushNanos;
    }

    @Override
    public Mailbox<?> mailbox() {
        return doorbell;
    }
}
