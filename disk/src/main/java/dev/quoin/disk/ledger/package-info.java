/**
 * The store's own log: every record it ever needs to read again, in the order in which it was applied. Records come in
 * batches that are there as a whole or not at all, together with the index of the last log entry they hold the effects of.
 *
 * <p><b>A record is named by its position</b>, a segment and an offset in it, for ever. Records are appended to segments.
 * Once a segment is full and nobody refers to some of its records any more, the others are copied, byte for byte, into a
 * packed file that stands for a range of segments and has a table from positions to places. Whoever knows a position never
 * hears of that.
 *
 * <p><b>A checkpoint</b> is the state of the store at one batch. What lies before it is for readers only: it is not read
 * when the ledger is opened, it may be rewritten, and damage in it costs the records it hits and no more. What lies behind
 * it is replayed, to the last record.
 *
 * <p>The ledger may lag behind: what it lost is applied again from the write-ahead log, starting at the index it reports.
 * What it confirmed and the disk then damaged is named, never skipped over. A record is given up only once its death is
 * durable, for a ledger that came back from before that would need it.
 *
 * <p>Begin with {@link dev.quoin.disk.ledger.Ledger}; then {@code Format} and {@code PackedFormat}, what is on the disk;
 * {@code Segments} and {@code LedgerFile}, what readers see; {@code Recovery} and {@code Replay}, what an open does; {@code
 * Rewrite}.
 */
@NullMarked
package dev.quoin.disk.ledger;

import org.jspecify.annotations.NullMarked;
