package dev.quoin.disk;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * An open file. Reads and writes name their position, so there is no cursor to share; still one thread at a time, unless
 * said otherwise. Every method throws {@link DiskFailure} when it could not do what it says.
 */
public interface DiskFile extends AutoCloseable {
    /** The name it was opened under, or was last given by {@link #renameTo}. */
    Path path();

    long size();

    /** Reads some bytes from {@code position}, fewer than asked for if it likes; how many, or -1 when there are none. */
    int read(long position, ByteBuffer target);

    /** Writes some of the bytes, at least one, from {@code position}; how many. The file grows as needed. */
    int write(long position, ByteBuffer source);

    /** Cuts the file, or lengthens it by zeros that may take no space yet. */
    void truncate(long size);

    /**
     * Makes bytes and length durable. When it fails nobody knows what is on the disk, and a second try would succeed
     * without having written anything: whoever depends on this file must stop.
     */
    void sync();

    /** Renames the open file, which keeps its lock. */
    void renameTo(Path target);

    /** Takes the whole file for this process until it is closed; fails at once when another one has it. */
    void lock();

    /** Whether another process has it locked. Takes and changes nothing; not for a process that has locked it itself. */
    boolean isLocked();

    /**
     * A view of the first {@code length} bytes, which the file must have. It outlives this file being closed, sees later
     * writes, and may be read by any thread.
     */
    FileView view(long length);

    @Override
    void close();

    /** Reads until {@code target} is full or the file ends; how many bytes. */
    default int readFully(long position, ByteBuffer target) {
        int total = 0;
        while (target.hasRemaining()) {
            int read = read(position + total, target);
            if (read < 0) {
                break;
            }
            total += read;
        }
        return total;
    }

    /** Writes all that remains in {@code source}. */
    default void writeFully(long position, ByteBuffer source) {
        long at = position;
        while (source.hasRemaining()) {
            at += write(at, source);
        }
    }

    default void writeFully(long position, byte[] bytes, int offset, int length) {
        writeFully(position, ByteBuffer.wrap(bytes, offset, length));
    }

    /** Writes zeros over [from, to): real ones, so that later writes there need no new blocks. */
    default void zero(long from, long to) {
        ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(Math.max(to - from, 0), 256 * 1024));
        for (long at = from; at < to;) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), to - at));
            int length = zeros.remaining();
            writeFully(at, zeros);
            at += length;
        }
    }

    /**
     * Writes [from, to) again as it reads now. For bytes of an earlier process of which nobody knows whether they were
     * synced: if that sync failed, they are in the page cache only, which takes them for written, and no sync brings them
     * to the disk unless they are written anew.
     */
    default void rewrite(long from, long to) {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(Math.max(to - from, 0), 256 * 1024));
        for (long at = from; at < to;) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), to - at));
            int length = readFully(at, buffer);
            if (length < buffer.limit()) {
                throw new DiskFailure("rewrite at byte " + at, path(), "the file became shorter", null);
            }
            writeFully(at, buffer.flip());
            at += length;
        }
    }
}
