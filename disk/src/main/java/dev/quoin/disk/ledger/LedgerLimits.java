package dev.quoin.disk.ledger;

/**
 * The bounds of the ledger.
 *
 * @param segmentBytes a segment that reached this size is followed by a new one at the next batch
 * @param chunkBytes how much heap is taken at a time for what is not written yet
 * @param unwrittenBytesMax from which backlog on {@link Ledger#isBacklogged} asks the apply loop to wait
 */
public record LedgerLimits(long segmentBytes, int chunkBytes, long unwrittenBytesMax) {
    public static final LedgerLimits DEFAULT = new LedgerLimits(64 << 20, 256 << 10, 32 << 20);
}
