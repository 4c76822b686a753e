package dev.quoin.disk;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.NavigableMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

/**
 * The bytes of a file of an {@link OverlayDisk}: those of a file below, as many of them as were never cut off, with the blocks
 * that differ in their place. Whoever reads or writes brings an open file to read what lies below from.
 */
final class OverlayContents {
    private static final int BLOCK_BYTES = 4096;

    private final @Nullable Path source;
    /** How many bytes of the source still show; behind them are zeros. */
    private long sourceBytes;
    private long size;
    /** By their number: the first one holds the bytes from 0 on. */
    private final NavigableMap<Long, byte[]> changed = new TreeMap<>();

    /** As the file below is; or an empty one that is not there below. */
    OverlayContents(@Nullable Path source, long sourceBytes) {
        this.source = source;
        this.sourceBytes = sourceBytes;
        size = sourceBytes;
    }

    @Nullable
    Path source() {
        return source;
    }

    long size() {
        return size;
    }

    /** Whether the first {@code length} bytes are just those below. */
    boolean isUnchangedTo(long length) {
        return length <= sourceBytes && changed.headMap(Math.ceilDiv(length, BLOCK_BYTES)).isEmpty();
    }

    /** Reads some bytes; how many, or -1 at the end. */
    int read(@Nullable DiskFile below, long position, ByteBuffer target) {
        if (position >= size) {
            return -1;
        }
        long end = Math.min(size, position + target.remaining());
        long number = position / BLOCK_BYTES;
        byte[] block = changed.get(number);
        if (block != null) {
            int from = (int) (position % BLOCK_BYTES);
            int length = (int) Math.min(BLOCK_BYTES - from, end - position);
            target.put(block, from, length);
            return length;
        }
        Long next = changed.higherKey(number);
        return readUnchanged(below, position, next == null ? end : Math.min(end, next * BLOCK_BYTES), target);
    }

    private int readUnchanged(@Nullable DiskFile below, long position, long end, ByteBuffer target) {
        if (below == null || position >= sourceBytes) {
            int length = (int) Math.min(BLOCK_BYTES, end - position);
            target.put(new byte[length]);
            return length;
        }
        int limit = target.limit();
        target.limit(target.position() + (int) (Math.min(end, sourceBytes) - position));
        int read = below.read(position, target);
        target.limit(limit);
        if (read < 0) {
            throw new DiskFailure("read at byte " + position, below.path(), "the file became shorter", null);
        }
        return read;
    }

    /** Writes all of it. A block that stays as it is takes no memory. */
    void write(@Nullable DiskFile below, long position, ByteBuffer bytes) {
        long at = position;
        while (bytes.hasRemaining()) {
            int from = (int) (at % BLOCK_BYTES);
            int length = Math.min(BLOCK_BYTES - from, bytes.remaining());
            ByteBuffer part = bytes.slice(bytes.position(), length);
            bytes.position(bytes.position() + length);
            writePart(below, at / BLOCK_BYTES, from, part);
            at += length;
        }
        size = Math.max(size, at);
    }

    private void writePart(@Nullable DiskFile below, long number, int from, ByteBuffer part) {
        byte[] block = changed.get(number);
        if (block == null) {
            block = new byte[BLOCK_BYTES];
            load(below, number * BLOCK_BYTES, ByteBuffer.wrap(block));
            if (ByteBuffer.wrap(block, from, part.remaining()).mismatch(part) < 0) {
                return;
            }
            changed.put(number, block);
        }
        part.get(block, from, part.remaining());
    }

    private void load(@Nullable DiskFile below, long position, ByteBuffer block) {
        int read = 0;
        while (block.hasRemaining() && read >= 0) {
            read = read(below, position + block.position(), block);
        }
    }

    void resize(long newSize) {
        if (newSize < size) {
            changed.tailMap(Math.ceilDiv(newSize, BLOCK_BYTES)).clear();
            byte[] last = changed.get(newSize / BLOCK_BYTES);
            for (int at = (int) (newSize % BLOCK_BYTES); last != null && at < BLOCK_BYTES; at++) {
                last[at] = 0;
            }
            sourceBytes = Math.min(sourceBytes, newSize);
        }
        size = newSize;
    }
}
