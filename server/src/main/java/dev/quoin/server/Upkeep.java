package dev.quoin.server;

import dev.quoin.net.StatusException;

/**
 * What Maintenance asks of this member's store, beside what every service asks of the member. Called on virtual threads;
 * each method may take as long as it takes.
 */
interface Upkeep {
    /**
     * A checksum of the keys' history, which all members with the same compacted revision share.
     *
     * @param hash CRC-32C
     * @param storeRevision of the store when it was made
     * @param compactedRevision what had been compacted then; -1 for nothing
     * @param hashedRevision what it was asked for, or the store's if that was 0
     */
    record KvHash(int hash, long storeRevision, long compactedRevision, long hashedRevision) {}

    /**
     * What the store takes on the disk.
     *
     * @param total its files
     * @param inUse what of them is live or history that can still be read
     * @param quota what it may take before writes are refused
     */
    record Bytes(long total, long inUse, long quota) {}

    /**
     * Hashes history up to {@code revision}, 0 for all of it.
     *
     * @throws StatusException if the revision is compacted or not there yet
     */
    KvHash hashKv(long revision) throws StatusException, InterruptedException;

    /** Gives back to the file system what can be given back; returns when it is done. */
    void defragment() throws StatusException, InterruptedException;

    Bytes bytes();
}
