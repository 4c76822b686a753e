package dev.quoin.disk.ledger;

/** The end of a batch, and what its segment held by then: where a checkpoint stands in the ledger. */
public final class Mark {
    private final long position;
    private final Ledger.Commit commit;
    private final long records;
    private final long recordBytes;

    Mark(long position, Ledger.Commit commit, long records, long recordBytes) {
        this.position = position;
        this.commit = commit;
        this.records = records;
        this.recordBytes = recordBytes;
    }

    /** Where the batch ends. */
    public long position() {
        return position;
    }

    public Ledger.Commit commit() {
        return commit;
    }

    int segment() {
        return Format.segment(position);
    }

    /** Of its segment, before it. */
    long records() {
        return records;
    }

    /** Of its segment, before it. */
    long recordBytes() {
        return recordBytes;
    }
}
