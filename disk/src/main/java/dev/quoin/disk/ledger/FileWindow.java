package dev.quoin.disk.ledger;

import java.nio.ByteBuffer;

import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/** The bytes of a file by positional reads, through a window that moves over it. */
final class FileWindow {
    static final int BYTES = 1 << 20;

    private final DiskFile file;
    private final long size;
    /** Handed out in slices, so a new one is made each time. */
    private byte[] bytes = new byte[0];
    private long start;

    /** Over the first {@code size} bytes, which the file has. */
    FileWindow(DiskFile file, long size) {
        this.file = file;
        this.size = size;
    }

    long size() {
        return size;
    }

    byte[] bytes() {
        return bytes;
    }

    /** Where in {@link #bytes} the {@code length} bytes at {@code offset} are, all of which lie before {@code size}. */
    int load(long offset, int length) {
        if (offset < start || offset + length > start + bytes.length) {
            bytes = new byte[(int) Math.min(Math.max(length, BYTES), size - offset)];
            start = offset;
            if (file.readFully(offset, ByteBuffer.wrap(bytes)) < bytes.length) {
                bytes = new byte[0];
                throw new DiskFailure("read at byte " + offset, file.path(),
                        "the file became shorter while it was read", null);
            }
        }
        return (int) (offset - start);
    }
}
