package dev.quoin.member;

import java.time.Duration;

import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.wal.Wal;

/** Makes the next segment of the write-ahead log ahead of need, off the thread that promises. Owns nothing. */
final class LogPreparer implements Actor {
    private static final long LOOK_NANOS = Duration.ofMillis(50).toNanos();
    /** Each try takes what room there is and gives it back. */
    private static final long RETRY_NANOS = Duration.ofSeconds(5).toNanos();

    private final Mailbox<Object> doorbell = new Mailbox<>();
    private final Wal wal;
    private final DiskRoom room;

    LogPreparer(Wal wal, DiskRoom room) {
        this.wal = wal;
        this.room = room;
    }

    @Override
    public long turn() {
        if (!wal.nextIsWanted()) {
            return LOOK_NANOS;
        }
        try {
            wal.prepareNext();
            room.taken(DiskRoom.Part.LOG_AHEAD);
            return LOOK_NANOS;
        } catch (DiskFailure failure) {
            room.refused(DiskRoom.Part.LOG_AHEAD, failure);
            return RETRY_NANOS;
        }
    }

    @Override
    public Mailbox<Object> mailbox() {
        return doorbell;
    }
}
