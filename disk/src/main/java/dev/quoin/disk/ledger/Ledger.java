package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.FileView;

/**
 * The store's log. Three parties meet here, and none of them waits for another.
 *
 * <ul>
 * <li>The <b>apply loop</b> appends records and commits batches, in memory: into {@link Chunk}s, each a piece of the file
 * that is to be.
 * <li>The <b>writer</b>, one other thread, {@linkplain #flush writes} what was committed to the files and syncs them.
 * <li><b>Readers</b>, on any thread, {@linkplain #read read} records by their position.
 * </ul>
 *
 * <p>How a record passes from the heap to the file under the eyes of its readers: {@code flushed} is a position; what lies
 * before it is durable and read through a view of its file, what lies behind it is read from its chunk. The writer raises
 * {@code flushed} after the sync, and only then drops chunks that lie before it altogether. So a reader that finds {@code
 * flushed} too low for its record and then no chunk either came between the two, and need only look at {@code flushed}
 * again. That the bytes themselves are seen is the doing of whoever handed over the position: a reader has it from a root
 * that the apply loop published after it had appended, and the writer has it from {@code closed}.
 *
 * <p>A segment ends between batches, so a batch lies in one file, and an incomplete one is always at the end of the last.
 * The file of the segment being written is longer than what it holds, by zeros that take no space, so that one view of it
 * will do.
 */
public final class Ledger implements AutoCloseable {
    /** Gets every record of a committed batch when a ledger is opened, in the order in which it was appended. */
    @FunctionalInterface
    public interface Visitor {
        /** {@code payload} is a slice of something larger: what is to be kept for long is copied. */
        void record(long position, long main, int sub, int kind, Bytes payload);
    }

    /** The end of a batch: the ledger holds the effects of all log entries up to {@code appliedIndex}. */
    public record Commit(long appliedIndex, long term, Bytes configuration) {}

    /** A ledger that was opened, and the last batch it holds, if it holds one. */
    public record Recovered(Ledger ledger, @Nullable Commit last) {}

    /** The end of the last batch that was committed. */
    private record Boundary(long position, @Nullable Commit commit) {
        long appliedIndex() {
            return commit == null ? 0 : commit.appliedIndex();
        }
    }

    private static final int FIRST_SEGMENT = 1;

    private final Disk disk;
    private final Path directory;
    private final LedgerLimits limits;

    // Shared: written by one party each, as said above.
    private final ConcurrentSkipListMap<Long, Chunk> chunks = new ConcurrentSkipListMap<>();
    private final Map<Integer, FileView> views = new ConcurrentHashMap<>();
    private volatile Boundary closed;
    private volatile long flushed;
    private volatile @Nullable Commit durable;
    private volatile long totalBytes;
    private final AtomicLong appendedBytes = new AtomicLong();
    private final AtomicLong writtenBytes = new AtomicLong();

    // The apply loop's.
    private Chunk chunk;
    private @Nullable Commit last;
    private boolean batchIsOpen;
    /** The last thing in the ledger is a commit that confirms everything before it. */
    private boolean complete;

    // The writer's.
    private @Nullable DiskFile file;
    private int fileSegment;
    private long fileCapacity;
    private long sealedBytes;
    private boolean poisoned;
    private final List<FileView> outgrown = new ArrayList<>();

    private Ledger(Disk disk, Path directory, LedgerLimits limits, Recovery recovery, Recovery.@Nullable Tail tail) {
        this.disk = disk;
        this.directory = directory;
        this.limits = limits;
        last = recovery.last();
        complete = recovery.lastIsComplete();
        durable = last;
        for (int segment : recovery.sealed()) {
            try (DiskFile sealed = disk.open(path(segment))) {
                sealedBytes += sealed.size();
                views.put(segment, sealed.view(sealed.size()));
            }
        }
        if (tail == null) {
            flushed = Format.position(FIRST_SEGMENT, 0);
            closed = new Boundary(flushed, last);
            chunk = addChunk(flushed, limits.chunkBytes());
            beginSegment(FIRST_SEGMENT);
        } else {
            flushed = Format.position(tail.segment(), tail.end());
            closed = new Boundary(flushed, last);
            chunk = addChunk(flushed, limits.chunkBytes());
            file = tail.file();
            fileSegment = tail.segment();
            grow(Math.max(limits.segmentBytes(), tail.end()));
        }
        totalBytes = sealedBytes + Format.offset(flushed);
    }

    /**
     * Opens the ledger in {@code directory}, which is made if need be, and replays it.
     *
     * @throws Damaged if something it had confirmed is not there; nothing was changed then
     */
    public static Recovered open(Disk disk, Path directory, LedgerLimits limits, Visitor visitor) {
        disk.createDirectories(directory);
        // Made by a process that was killed at once, it need not be durable.
        disk.syncDirectory(Disk.parentOf(directory));
        Recovery recovery = new Recovery(disk, directory, visitor);
        Recovery.Tail tail = recovery.run();
        return new Recovered(new Ledger(disk, directory, limits, recovery, tail), recovery.last());
    }

    // --- the apply loop ---------------------------------------------------------------------------------------------

    /**
     * Adds a record to the batch that is open. It can be read at once by whoever is told its position.
     *
     * @param kind what the record is to the store; not 0
     * @return its position, which is never 0
     */
    public long append(long main, int sub, int kind, Bytes payload) {
        Invariant.check(kind > 0, "record kind %d", kind);
        long position = reserve(payload.length());
        payload.copyTo(chunk.bytes, chunk.used + Format.RECORD_HEAD);
        finish(position, main, sub, kind, payload.length());
        batchIsOpen = true;
        return position;
    }

    /**
     * Closes the batch: from now on {@link #flush} may write it. The log entries up to {@code appliedIndex} are in the
     * ledger with it, or not at all.
     */
    public void commit(long appliedIndex, long term, Bytes configuration) {
        Invariant.check(appliedIndex >= closed.appliedIndex(), "applied index %d after %d", appliedIndex,
                closed.appliedIndex());
        Invariant.check(configuration.length() <= Format.CONFIGURATION_MAX, "a configuration of %d bytes",
                configuration.length());
        int length = Format.COMMIT_HEAD + configuration.length();
        long position = reserve(length);
        int payload = chunk.used + Format.RECORD_HEAD;
        // It may be older than the truth by the time this is written, which only makes it more cautious.
        long bound = flushed;
        Format.putLong(chunk.bytes, payload, term);
        Format.putLong(chunk.bytes, payload + 8, bound);
        configuration.copyTo(chunk.bytes, payload + Format.COMMIT_HEAD);
        finish(position, appliedIndex, 0, Format.COMMIT, length);
        last = new Commit(appliedIndex, term, configuration);
        complete = bound == position;
        batchIsOpen = false;
        closed = new Boundary(chunk.end(), last);
    }

    /** Bytes that were appended and are not durable yet. */
    public long unwrittenBytes() {
        return appendedBytes.get() - writtenBytes.get();
    }

    /** Whether the writer is so far behind that the apply loop should wait for it. */
    public boolean isBacklogged() {
        return unwrittenBytes() >= limits.unwrittenBytesMax();
    }

    /** Finds room for a record, in a new segment if this one is full and a batch begins; its position. */
    private long reserve(int length) {
        if (!batchIsOpen && Format.offset(chunk.end()) >= limits.segmentBytes()) {
            int next = Format.segment(chunk.end()) + 1;
            seal();
            chunk = addChunk(Format.position(next, 0), limits.chunkBytes());
            beginSegment(next);
        }
        return makeRoom(length);
    }

    private long makeRoom(int length) {
        int padded = Math.toIntExact(Format.padded(Format.RECORD_HEAD + (long) length));
        if (padded > chunk.bytes.length - chunk.used) {
            chunk = addChunk(chunk.end(), Math.max(padded, limits.chunkBytes()));
        }
        Invariant.check(Format.offset(chunk.end()) + padded < 1L << 32, "a batch of more than 4 GiB");
        return chunk.end();
    }

    /** Ends the segment with a record that says so: one that was cut short at a commit would look whole otherwise. */
    private void seal() {
        finish(makeRoom(0), 0, 0, Format.SEAL, 0);
    }

    private void finish(long position, long main, int sub, int kind, int length) {
        Format.finishRecord(chunk.bytes, chunk.used, position, main, sub, kind, length);
        int padded = (int) Format.padded(Format.RECORD_HEAD + length);
        chunk.used += padded;
        appendedBytes.lazySet(appendedBytes.get() + padded);
    }

    private void beginSegment(int segment) {
        Format.writeHead(chunk.bytes, chunk.used, segment);
        chunk.used += Format.HEAD;
        appendedBytes.lazySet(appendedBytes.get() + Format.HEAD);
    }

    private Chunk addChunk(long start, int capacity) {
        Chunk added = new Chunk(start, Math.max(capacity, Format.HEAD));
        chunks.put(start, added);
        return added;
    }

    // --- the writer -------------------------------------------------------------------------------------------------

    /**
     * Writes every batch that was committed and makes it durable; false if there was none. If it fails nobody knows what
     * is on the disk, so every later call fails as well.
     */
    public boolean flush() {
        if (poisoned) {
            throw new DiskFailure("flush ledger", directory, "it is closed, or a flush failed before", null);
        }
        Boundary target = closed;
        long from = flushed;
        if (target.position == from) {
            return false;
        }
        boolean done = false;
        try {
            long written = write(from, target.position);
            writtenBytes.lazySet(writtenBytes.get() + written);
            flushed = target.position;
            durable = target.commit;
            totalBytes = sealedBytes + Format.offset(target.position);
            dropChunks(target.position);
            done = true;
            return true;
        } finally {
            poisoned = !done;
        }
    }

    /** The last batch that is durable, or null if none is. For any thread. */
    public @Nullable Commit durable() {
        return durable;
    }

    /** The applied index of {@link #durable}, 0 for none. For any thread. */
    public long durableIndex() {
        Commit commit = durable;
        return commit == null ? 0 : commit.appliedIndex();
    }

    /** What the files take on the disk. For any thread. */
    public long totalBytes() {
        return totalBytes;
    }

    /** Writes the chunks from {@code from} to {@code to} and syncs; how many bytes. */
    private long write(long from, long to) {
        long written = 0;
        boolean named = true;
        for (Chunk piece : chunks.tailMap(chunks.floorKey(from), true).values()) {
            long start = Math.max(from, piece.start);
            // It may be filling up still, but not before the boundary.
            long end = Math.min(to, piece.end());
            if (piece.start >= to) {
                break;
            }
            if (start == end) {
                continue;
            }
            if (file == null || Format.segment(start) != fileSegment) {
                nextFile(Format.segment(start));
                named = false;
            }
            DiskFile current = currentFile();
            long offset = Format.offset(start);
            int length = (int) (end - start);
            if (offset + length > fileCapacity) {
                grow(Math.max(offset + length, fileCapacity + limits.segmentBytes() / 4));
            }
            current.writeFully(offset, piece.bytes, (int) (start - piece.start), length);
            written += length;
        }
        currentFile().sync();
        if (!named) {
            disk.syncDirectory(directory);
        }
        return written;
    }

    private DiskFile currentFile() {
        DiskFile current = file;
        if (current == null) {
            throw Invariant.violation("no segment is being written");
        }
        return current;
    }

    /** Ends the segment that is being written, for good, and only then begins the next one. */
    private void nextFile(int segment) {
        DiskFile full = file;
        if (full != null) {
            long size = Format.offset(lastEndIn(fileSegment));
            full.truncate(size);
            full.sync();
            full.close();
            sealedBytes += size;
        }
        file = null;
        file = disk.create(path(segment));
        fileSegment = segment;
        fileCapacity = 0;
        grow(limits.segmentBytes());
    }

    /** Where the last chunk of {@code segment} ends; the next segment has begun, so it will not grow. */
    private long lastEndIn(int segment) {
        Map.Entry<Long, Chunk> entry = chunks.lowerEntry(Format.position(segment + 1, 0));
        Invariant.check(entry != null && Format.segment(entry.getKey()) == segment, "segment %d has no end", segment);
        return entry.getValue().end();
    }

    /** Lengthens the file by zeros that take no space, and replaces its view by a longer one. */
    private void grow(long capacity) {
        DiskFile current = currentFile();
        if (current.size() < capacity) {
            current.truncate(capacity);
        }
        fileCapacity = capacity;
        FileView before = views.put(fileSegment, current.view(capacity));
        if (before != null) {
            // Somebody may be reading it.
            outgrown.add(before);
        }
    }

    /** Drops what readers now find in the files. The last chunk is the apply loop's. */
    private void dropChunks(long position) {
        while (true) {
            Map.Entry<Long, Chunk> first = chunks.firstEntry();
            Long next = chunks.higherKey(first.getKey());
            if (next == null || next > position) {
                return;
            }
            chunks.remove(first.getKey());
        }
    }

    // --- readers ----------------------------------------------------------------------------------------------------

    /**
     * The payload of the record at {@code position}, verified. For any thread.
     *
     * @throws Damaged if what is there is not what was written
     */
    public Bytes read(long position) {
        while (true) {
            if (position < flushed) {
                return readFile(position);
            }
            Map.Entry<Long, Chunk> entry = chunks.floorEntry(position);
            if (entry != null && entry.getValue().holds(position)) {
                Chunk holder = entry.getValue();
                return verified(holder.bytes, (int) (position - holder.start), position);
            }
            Invariant.check(position < flushed, "nothing was appended at segment %d, byte %d",
                    Format.segment(position), Format.offset(position));
        }
    }

    private Bytes readFile(long position) {
        int segment = Format.segment(position);
        long offset = Format.offset(position);
        FileView view = views.get(segment);
        if (view == null) {
            throw new Damaged(path(segment), offset, "the segment is not there");
        }
        byte[] start = new byte[8];
        checkInside(view, position, start.length);
        view.read(offset, start, 0, start.length);
        int size = Format.sizeAt(start, 0);
        if (!Format.fits(size, view.length() - offset)) {
            throw new Damaged(path(segment), offset, "a record cannot have " + Integer.toUnsignedString(size)
                    + " bytes there");
        }
        byte[] record = new byte[(int) Format.padded(size)];
        view.read(offset, record, 0, record.length);
        // The bytes may have changed between the two copies: what counts is the second one.
        if (Format.sizeAt(record, 0) != size) {
            throw new Damaged(path(segment), offset, "a record changes while it is read");
        }
        return verified(record, 0, position);
    }

    private void checkInside(FileView view, long position, int length) {
        if (Format.offset(position) + length > view.length()) {
            throw new Damaged(path(Format.segment(position)), Format.offset(position),
                    "the record lies behind the end of the file");
        }
    }

    private Bytes verified(byte[] bytes, int at, long position) {
        if (!Format.verifies(bytes, at, position)) {
            throw new Damaged(path(Format.segment(position)), Format.offset(position),
                    "the record there fails its checksum");
        }
        return Format.payloadAt(bytes, at);
    }

    private Path path(int segment) {
        return directory.resolve(Format.name(segment));
    }

    /**
     * Writes what was committed and closes. The apply loop, the writer and all readers must have stopped. A commit that
     * confirms everything is left at the end, so that after an orderly stop any damage is known for what it is.
     */
    @Override
    public void close() {
        try {
            if (!poisoned) {
                flush();
                Commit end = last;
                if (end != null && !batchIsOpen && !complete) {
                    commit(end.appliedIndex(), end.term(), end.configuration());
                    flush();
                }
            }
        } finally {
            poisoned = true;
            if (file != null) {
                file.close();
            }
            views.values().forEach(FileView::close);
            outgrown.forEach(FileView::close);
        }
    }
}
