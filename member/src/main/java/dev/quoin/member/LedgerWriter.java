package dev.quoin.member;

import java.time.Duration;

import dev.quoin.base.Clock;
import dev.quoin.disk.DiskFailure;

/**
 * The thread that writes the store's records behind: every so often what has gathered is written and synced. Nothing
 * waits for it but an apply loop that got too far ahead; what is acknowledged lies in the write-ahead log. So what finds no
 * space on the disk is written later.
 */
final class LedgerWriter implements Actor {
    private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

    private final Mailbox<Object> doorbell = new Mailbox<>();
    private final StoreInForce inForce;
    private final DiskRoom room;
    private final long flushNanos;
    private final Clock clock;
    private final MemberMetrics metrics;
    private Runnable onFlushed = () -> {};

    LedgerWriter(StoreInForce inForce, DiskRoom room, long flushNanos, Clock clock, MemberMetrics metrics) {
        this.inForce = inForce;
        this.room = room;
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
        try {
            if (inForce.ledger().flush()) {
                metrics.ledgerFlushed(clock.nanos() - begun);
                onFlushed.run();
            }
            room.taken(DiskRoom.Part.LEDGER);
            return flushNanos;
        } catch (DiskFailure failure) {
            room.refused(DiskRoom.Part.LEDGER, failure);
            return RETRY_NANOS;
        }
    }

    @Override
    public Mailbox<?> mailbox() {
        return doorbell;
    }
}
