package dev.quoin.member;

/** Where the bytes of a {@link SnapshotState} go. What it throws ends the writing and reaches whoever began it. */
@FunctionalInterface
public interface SnapshotOutput {
    /** Takes the next bytes, all of them; the array may change afterwards. */
    void write(byte[] bytes, int offset, int length);
}
