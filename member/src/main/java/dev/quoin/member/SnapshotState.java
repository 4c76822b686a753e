package dev.quoin.member;

import dev.quoin.raft.SnapshotMeta;

/**
 * All of a member's state at one moment, to be written as the database file of an etcd. Walking it takes its time: never
 * on a loop, and by one thread at a time. What it refers to is kept on the disk until it is closed.
 */
public interface SnapshotState extends AutoCloseable {
    /** Where a file goes. What it throws ends the writing and reaches whoever began it. */
    @FunctionalInterface
    interface Output {
        /** Takes the next bytes, all of them; the array may change afterwards. */
        void write(byte[] bytes, int offset, int length);
    }

    /** Its place in the log. */
    SnapshotMeta meta();

    /** How long the file is. */
    long lengthBytes();

    /**
     * Writes the file.
     *
     * @throws dev.quoin.disk.Damaged if a record is lost
     */
    void writeTo(Output output);

    @Override
    void close();
}
