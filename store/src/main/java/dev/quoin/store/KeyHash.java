package dev.quoin.store;

/**
 * What members compare to find out whether they hold the same: a checksum over all records that can still be asked for.
 *
 * @param hash the 32 bits of it
 * @param compactRevision the compaction it looked across; -1 if there was none
 * @param revision the newest revision in it
 */
public record KeyHash(int hash, long compactRevision, long revision) {}
