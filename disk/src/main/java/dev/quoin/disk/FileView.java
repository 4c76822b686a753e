package dev.quoin.disk;

/**
 * The bytes of a file for readers on any thread, none of whom can hurt the others: interrupting a reader does not close the
 * file. Bytes are always copied to the heap before anyone looks at them.
 */
public interface FileView extends AutoCloseable {
    long length();

    /**
     * Copies {@code length} bytes from {@code position}.
     *
     * @throws Damaged if the file no longer has them or the device cannot read them
     */
    void read(long position, byte[] target, int offset, int length);

    /** Nobody may be reading, and nobody may read afterwards. */
    @Override
    void close();
}
