package dev.quoin.member;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.wal.WalSnapshot;

/**
 * Decides when the beginning of the write-ahead log is no longer needed: once the ledger holds, durably, everything up to
 * an index some way behind the last such mark. Owned by the ledger writer's thread.
 */
final class LogRelease {
    private final Mailbox<LogWriter.Message> logWriter;
    private final int snapshotEntries;
    private final int walsMax;
    private long lastIndex;

    LogRelease(long lastIndex, MemberLimits limits, Mailbox<LogWriter.Message> logWriter) {
        this.lastIndex = lastIndex;
        this.snapshotEntries = limits.snapshotEntries();
        this.walsMax = limits.walsMax();
        this.logWriter = logWriter;
    }

    void consider(Ledger.@Nullable Commit durable) {
        if (durable == null || durable.appliedIndex() - lastIndex < snapshotEntries) {
            return;
        }
        lastIndex = durable.appliedIndex();
        WalSnapshot mark = new WalSnapshot(durable.appliedIndex(), durable.term(), durable.configuration());
        logWriter.put(new LogWriter.Message.Release(mark, walsMax));
    }
}
