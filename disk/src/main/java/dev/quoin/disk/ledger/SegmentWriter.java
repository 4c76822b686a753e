package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.NavigableMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;

/**
 * Writes chunks to the files of their segments. The file being written is longer than what it holds, by zeros that take no
 * space, so that one view of it will do for long. Owned by the writer.
 */
final class SegmentWriter {
    private final Disk disk;
    private final Path directory;
    private final LedgerLimits limits;
    private final Segments segments;

    private @Nullable DiskFile file;
    private int segment;
    private long capacity;
    /** Whether the directory is known to have the name of the file durably. */
    private boolean isNamed = true;
    /** Up to here everything is in the files, durable or not: further than its caller knows, if a write found no space. */
    private long inFiles;
    /** Bytes that were written since the last sync. */
    private long unsyncedBytes;

    SegmentWriter(Disk disk, Path directory, LedgerLimits limits, Segments segments) {
        this.disk = disk;
        this.directory = directory;
        this.limits = limits;
        this.segments = segments;
    }

    /** Goes on behind {@code end} in the last segment of an earlier life. */
    void resume(int number, DiskFile tail, long end, Usage usage) {
        segment = number;
        file = tail;
        grow(Math.max(limits.segmentBytes(), end), usage);
    }

    /**
     * Writes what the chunks hold between two positions and syncs; how many bytes.
     *
     * @throws dev.quoin.disk.DiskFailure if it fails; if only because there is no space, the same may be written again
     */
    long write(NavigableMap<Long, Chunk> chunks, long from, long to) {
        inFiles = Math.max(inFiles, from);
        for (Chunk piece : chunks.tailMap(chunks.floorKey(inFiles), true).values()) {
            long start = Math.max(inFiles, piece.start);
            // It may be filling up still, but not before the boundary.
            long end = Math.min(to, piece.end());
            if (piece.start >= to) {
                break;
            }
            if (start == end) {
                continue;
            }
            if (file == null || Format.segment(start) != segment) {
                next(chunks, piece);
            }
            DiskFile current = current();
            long offset = Format.offset(start);
            int length = (int) (end - start);
            if (offset + length > capacity) {
                grow(Math.max(offset + length, capacity + limits.segmentBytes() / 4), piece.usage);
            }
            current.writeFully(offset, piece.bytes, (int) (start - piece.start), length);
            inFiles = end;
            unsyncedBytes += length;
        }
        current().sync();
        if (!isNamed) {
            disk.syncDirectory(directory);
            isNamed = true;
        }
        long written = unsyncedBytes;
        unsyncedBytes = 0;
        return written;
    }

    private DiskFile current() {
        DiskFile current = file;
        if (current == null) {
            throw Invariant.violation("no segment is being written");
        }
        return current;
    }

    /** Ends the segment that is being written, for good, and only then begins the next one, with {@code first}. */
    private void next(NavigableMap<Long, Chunk> chunks, Chunk first) {
        DiskFile full = file;
        if (full != null) {
            Chunk last = lastOf(segment, chunks);
            long size = Format.offset(last.end());
            full.truncate(size);
            full.sync();
            segments.put(new LedgerFile.Segment(full.path(), segment, full.view(size), last.usage, false));
            full.close();
        }
        file = null;
        segment = Format.segment(first.start);
        file = disk.create(directory.resolve(FileName.segment(segment)));
        isNamed = false;
        capacity = 0;
        grow(limits.segmentBytes(), first.usage);
    }

    /** The last chunk of a segment that has a successor, so it will not grow. */
    private static Chunk lastOf(int segment, NavigableMap<Long, Chunk> chunks) {
        Chunk last = chunks.lowerEntry(Format.position(segment + 1, 0)).getValue();
        Invariant.check(Format.segment(last.start) == segment, "segment %d has no end", segment);
        return last;
    }

    /** Lengthens the file by zeros that take no space, and replaces its view by a longer one. */
    private void grow(long newCapacity, Usage usage) {
        DiskFile current = current();
        if (current.size() < newCapacity) {
            current.truncate(newCapacity);
        }
        capacity = newCapacity;
        segments.put(new LedgerFile.Segment(current.path(), segment, current.view(newCapacity), usage, true));
    }

    void close() {
        DiskFile current = file;
        file = null;
        if (current != null) {
            current.close();
        }
    }
}
