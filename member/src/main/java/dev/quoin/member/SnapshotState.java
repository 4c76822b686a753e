package dev.quoin.member;

import dev.quoin.base.Bytes;
import dev.quoin.raft.SnapshotMeta;

/**
 * The state of a member at one moment, as etcd's database file; to be closed when it has been sent, or not. Reads every
 * record there is: never for a loop. One thread at a time.
 */
public interface SnapshotState extends AutoCloseable {
    /** Where the file goes. What it throws ends the writing and reaches whoever began it. */
    @FunctionalInterface
    interface Output {
        /** Takes the next bytes, all of them; the array may change afterwards. */
        void write(byte[] bytes, int offset, int length);
    }

    /** Which state it is. */
    SnapshotMeta meta();

    /** The version that the file says it is made for, {@code 3.7.0}; empty before 3.6, as long as a cluster has not agreed. */
    String storageVersion();

    /**
     * Who belongs to the cluster, once more, as an etcd of up to 3.6 wants it in the message that comes before the file: it stops
     * where that is missing.
     */
    Bytes oldStore();

    /** The newest revision of its keys. */
    long revision();

    /**
     * The hash of all that is in the file, keys and all else: the one that etcd gives of its whole database
     * ({@link dev.quoin.disk.snapshot.DatabaseHash}). Reads all of it.
     *
     * @throws dev.quoin.disk.Damaged if a record is lost
     * @throws dev.quoin.disk.ledger.Gone if this took so long that the records were not kept any longer
     */
    int hash();

    /** How many bytes {@link #writeTo} writes. The first time it walks over all keys. */
    long lengthBytes();

    /**
     * Writes the file, from its beginning to its end; may be called again, for the same bytes.
     *
     * @throws dev.quoin.disk.Damaged if a record is lost
     * @throws dev.quoin.disk.ledger.Gone if this took so long that the records were not kept any longer
     */
    void writeTo(Output output);

    /** From now on records may be given up. Once is enough, more do no harm. */
    @Override
    void close();
}
