package dev.quoin.store;

/**
 * A compaction that has been agreed on and whose leftovers have not been taken out yet.
 *
 * @param revision history before it is given up
 * @param previous the revision of the compaction before it; -1 if there was none
 * @param hashed whether its hash is to be kept: only if the one before had been finished, for only then does the hash
 *        cover the same records on every member
 */
public record Compaction(long revision, long previous, boolean hashed) {}
