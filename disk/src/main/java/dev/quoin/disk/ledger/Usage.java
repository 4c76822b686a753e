package dev.quoin.disk.ledger;

import dev.quoin.base.Invariant;

/**
 * How many records a file holds and how many of them nobody refers to any more. While the file is a segment that grows, the
 * apply loop counts up the former; whoever else reads it learned of the records later, from a flush. The latter are the
 * housekeeper's.
 *
 * <p>A checkpoint keeps the dead as they were when it was begun: what is forgotten after that is forgotten again by whoever
 * starts from it.
 */
final class Usage {
    private long records;
    private long recordBytes;
    private long deadRecords;
    private long deadBytes;
    private long deadRecordsAtCheckpoint;
    private long deadBytesAtCheckpoint;

    Usage() {}

    Usage(long records, long recordBytes, long deadRecords, long deadBytes) {
        Invariant.check(deadRecords <= records && deadBytes <= recordBytes, "%d of %d bytes are dead", deadBytes,
                recordBytes);
        this.records = records;
        this.recordBytes = recordBytes;
        this.deadRecords = deadRecords;
        this.deadBytes = deadBytes;
    }

    Usage copy() {
        return new Usage(records, recordBytes, deadRecords, deadBytes);
    }

    void add(long bytes) {
        records++;
        recordBytes += bytes;
    }

    /** Counts a record as dead, unless it is gone and has no bytes; how many that made a difference of. */
    long bury(long bytes) {
        if (bytes == 0) {
            return 0;
        }
        long buried = Math.min(bytes, recordBytes - deadBytes);
        deadRecords += deadRecords < records ? 1 : 0;
        deadBytes += buried;
        return buried;
    }

    long records() {
        return records;
    }

    long recordBytes() {
        return recordBytes;
    }

    long liveRecords() {
        return records - deadRecords;
    }

    long liveBytes() {
        return recordBytes - deadBytes;
    }

    void beginCheckpoint() {
        deadRecordsAtCheckpoint = deadRecords;
        deadBytesAtCheckpoint = deadBytes;
    }

    long deadRecordsAtCheckpoint() {
        return deadRecordsAtCheckpoint;
    }

    long deadBytesAtCheckpoint() {
        return deadBytesAtCheckpoint;
    }
}
