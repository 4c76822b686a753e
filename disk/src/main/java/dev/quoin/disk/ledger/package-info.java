/**
 * The store's own log: every record it ever needs to read again, in the order in which it was applied, in segments that
 * are only appended to. A record is named by its position, a segment and an offset in it, which stays true for as long as
 * the segment lives. Records come in batches that are there as a whole or not at all, together with the index of the last
 * log entry they hold the effects of.
 *
 * <p>The ledger may lag behind: what it lost is applied again from the write-ahead log, starting at the index it reports.
 * What it confirmed and the disk then damaged is named, never skipped over.
 */
@NullMarked
package dev.quoin.disk.ledger;

import org.jspecify.annotations.NullMarked;
