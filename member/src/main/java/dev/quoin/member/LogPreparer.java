package dev.quoin.member;

import java.time.Duration;

import dev.quoin.disk.wal.Wal;

/** Makes the next segment of the write-ahead log ahead of need, off the thread that promises. Owns nothing. */
final class LogPreparer implements Actor {
    private static final long LOOK_NANOS = Duration.ofMillis(50).toNanos();

    private final Mailbox<Object> doorbell = new Mailbox<>();
    private final Wal wal;

    LogPreparer(Wal wal) {
        this.wal = wal;
    }

    @Override
    public long turn() {
        if (wal.nextIsWanted()) {
            wal.prepareNext();
        }
        return LOOK_NANOS;
    }

    @Override
    public Mailbox<Object> mailbox() {
        return doorbell;
    }
}
