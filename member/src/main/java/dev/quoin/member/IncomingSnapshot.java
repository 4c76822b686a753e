package dev.quoin.member;

/** A state that is arriving. Used by one thread, which may block: it writes to a disk. Ends with one of the last two. */
public interface IncomingSnapshot {
    void write(byte[] bytes, int offset, int length);

    /**
     * That was all. Returns once the state is checked, on stable storage, and given to consensus.
     *
     * @throws SnapshotRefused if it is not what was announced, or damaged; it is gone then
     */
    void finish() throws SnapshotRefused;

    /** It broke off. */
    void abort();
}
