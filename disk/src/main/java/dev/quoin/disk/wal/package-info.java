/**
 * etcd's write-ahead log, to the byte: what etcd 3.4 to 3.7 wrote can be read, and etcd can read what is written here.
 *
 * <p>A log is a directory of segments named {@code <number>-<index of the first entry it may hold>.wal}. A segment is a row
 * of frames: a length, a protobuf record, padding to 8 bytes. A record is metadata, an entry, a hard state, a snapshot mark
 * or a checksum, and carries the CRC-32C of the data of <i>all</i> records so far, across segments. Later entries replace
 * earlier ones from their index on. Closed segments end where their last record ends; the last one is zero-filled ahead,
 * because syncing bytes inside a file is cheaper than lengthening it.
 *
 * <p>What etcd leaves open, a mark beside the segments closes: {@link dev.quoin.disk.wal.SyncedMark} knows up to where the
 * log was synced, so that damage can be told from a write that power cut short.
 */
@NullMarked
package dev.quoin.disk.wal;

import org.jspecify.annotations.NullMarked;
