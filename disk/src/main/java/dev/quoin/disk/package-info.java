/**
 * The seam between Quoin and the disk. {@link dev.quoin.disk.Disk} and {@link dev.quoin.disk.DiskFile} are all that the
 * write-ahead log and the ledger know of files, so that the same code runs on a real disk ({@link
 * dev.quoin.disk.RealDisk}) and in the simulator on one that loses power
 * ({@link dev.quoin.disk.memory.FaultyDisk}).
 *
 * <p>Two ways to fail, never mixed: {@link dev.quoin.disk.DiskFailure} says that an operation did not happen, {@link
 * dev.quoin.disk.Damaged} that what is stored is not what was written. Neither is ever retried here.
 */
@NullMarked
package dev.quoin.disk;

import org.jspecify.annotations.NullMarked;
