package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;

/**
 * The store's log. Four parties meet here, and none of them waits for another.
 *
 * <ul>
 * <li>The <b>apply loop</b> appends records and commits batches, in memory: into {@link Chunk}s, each a piece of the file
 * that is to be.
 * <li>The <b>writer</b>, one other thread, {@linkplain #flush writes} what was committed to the files and syncs them.
 * <li><b>Readers</b>, on any thread, {@linkplain #read read} records by their position.
 * <li>The <b>housekeeper</b>, one more thread, is told what {@linkplain #forget nobody needs any more}, {@linkplain
 * #nextRewrite rewrites} files without it, keeps {@linkplain #checkpoint checkpoints} and {@linkplain #scrub looks for
 * damage}.
 * </ul>
 *
 * <p>A position is a name for ever: rewriting moves records, never their positions ({@link Segments}).
 *
 * <p>How a record passes from the heap to the file under the eyes of its readers: {@code flushed} is a position; what lies
 * before it is durable and read through a view of its file, what lies behind it is read from its chunk. The writer raises
 * {@code flushed} after the sync, and only then drops chunks that lie before it altogether. So a reader that finds {@code
 * flushed} too low for its record and then no chunk either came between the two, and need only look at {@code flushed}
 * again. That the bytes themselves are seen is the doing of whoever handed over the position: a reader has it from a root
 * that the apply loop published after it had appended, and the writer has it from {@code closed}.
 *
 * <p>A segment ends between batches, so a batch lies in one file, and an incomplete one is always at the end of the last.
 */
public final class Ledger implements AutoCloseable {
    /** Gets what a ledger holds when it is opened: the image of its checkpoint, then every record behind that, in order. */
    @FunctionalInterface
    public interface Visitor {
        /** {@code payload} is a slice of something larger: what is to be kept for long is copied. */
        void record(long position, long main, int sub, int kind, Bytes payload);

        /** A block of the checkpoint, as it was {@linkplain CheckpointWriter#add added}. Its payload is a slice too. */
        default void image(int kind, Bytes payload) {
            throw Invariant.violation("there is a checkpoint, and nobody who can read it");
        }
    }

    /** The end of a batch: the ledger holds the effects of all log entries up to {@code appliedIndex}. */
    public record Commit(long appliedIndex, long term, Bytes configuration) {}

    /**
     * A ledger that was opened.
     *
     * @param last the last batch it holds, if it holds one
     * @param repaired what was damaged and set aside, to be applied again; null if nothing was
     * @param damage what else was found that keeps nobody from starting: some reads will say so
     */
    public record Recovered(Ledger ledger, @Nullable Commit last, @Nullable String repaired, List<Damaged> damage) {}

    /** The end of the last batch that was committed. */
    private record Boundary(long position, @Nullable Commit commit) {
        long appliedIndex() {
            return commit == null ? 0 : commit.appliedIndex();
        }
    }

    /** What rewriting a file must give back, as a share of it, to be worth it. */
    public static final double DEAD_SHARE = 0.25;
    static final int FIRST_SEGMENT = 1;
    static final int PIECE_BYTES = 64 << 10;

    private final Path directory;
    private final LedgerLimits limits;
    private final Space space;

    // Shared: written by one party each, as said above.
    private final ConcurrentSkipListMap<Long, Chunk> chunks = new ConcurrentSkipListMap<>();
    private final Segments segments;
    private volatile Boundary closed;
    private volatile long flushed;
    private volatile @Nullable Commit durable;
    private final AtomicLong appendedBytes = new AtomicLong();
    private final AtomicLong writtenBytes = new AtomicLong();

    // The apply loop's.
    private Chunk chunk;
    private @Nullable Commit last;
    private boolean batchIsOpen;
    /** The last thing in the ledger is a commit that confirms everything before it. */
    private boolean complete;

    private final SegmentWriter writer;
    /** The writer's. */
    private boolean poisoned;

    private final Housekeeping housekeeping;

    private Ledger(Disk disk, Path directory, LedgerLimits limits, Recovery recovery, Replay.@Nullable Tail tail) {
        this.directory = directory;
        this.limits = limits;
        space = recovery.space();
        last = recovery.replay().last();
        complete = recovery.replay().lastIsComplete();
        durable = last;
        segments = new Segments(directory, recovery.files());
        writer = new SegmentWriter(disk, directory, limits, segments);
        housekeeping = new Housekeeping(this, disk, directory, limits, segments, space, recovery.checkpointed());
        int segment = tail == null ? FIRST_SEGMENT : tail.segment();
        flushed = Format.position(segment, tail == null ? 0 : tail.end());
        closed = new Boundary(flushed, last);
        chunk = addChunk(flushed, limits.chunkBytes(), tail == null ? new Usage() : tail.usage());
        if (tail == null) {
            beginSegment(FIRST_SEGMENT);
        } else {
            writer.resume(segment, tail.file(), tail.end(), tail.usage());
        }
    }

    /** Opens the ledger as the other {@code open} does, for somebody who has no log to repair it from. */
    public static Recovered open(Disk disk, Path directory, LedgerLimits limits, Visitor visitor) {
        return open(disk, directory, limits, visitor, Long.MAX_VALUE);
    }

    /**
     * Opens the ledger in {@code directory}, which is made if need be, and replays it.
     *
     * @param logReachesBackTo whoever opens it can apply again everything behind this index. If damage lies behind a
     *        batch with at least this applied index, the ledger is cut there. Long.MAX_VALUE for never
     * @throws Damaged if something it had confirmed is not there; nothing was changed then
     */
    public static Recovered open(Disk disk, Path directory, LedgerLimits limits, Visitor visitor,
            long logReachesBackTo) {
        disk.createDirectories(directory);
        // Made by a process that was killed at once, it need not be durable.
        disk.syncDirectory(Disk.parentOf(directory));
        Recovery recovery = new Recovery(disk, directory, visitor);
        Replay.Tail tail = recovery.run(logReachesBackTo);
        Ledger ledger = new Ledger(disk, directory, limits, recovery, tail);
        return new Recovered(ledger, ledger.last, recovery.replay().repaired(), List.copyOf(recovery.notes()));
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
        int padded = finish(position, main, sub, kind, payload.length());
        chunk.usage.add(padded);
        space.append(padded);
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

    /** The end of the batch that was just committed, for a {@link #checkpoint} of the state that goes with it. */
    public Mark mark() {
        Commit commit = last;
        if (commit == null || batchIsOpen) {
            throw Invariant.violation("there is no end of a batch here");
        }
        return new Mark(closed.position, commit, chunk.usage.records(), chunk.usage.recordBytes());
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
            chunk = addChunk(Format.position(next, 0), limits.chunkBytes(), new Usage());
            beginSegment(next);
        }
        return makeRoom(length);
    }

    private long makeRoom(int length) {
        int padded = Math.toIntExact(Format.padded(Format.RECORD_HEAD + (long) length));
        if (padded > chunk.bytes.length - chunk.used) {
            chunk = addChunk(chunk.end(), Math.max(padded, limits.chunkBytes()), chunk.usage);
        }
        Invariant.check(Format.offset(chunk.end()) + padded < 1L << 32, "a batch of more than 4 GiB");
        return chunk.end();
    }

    /** Ends the segment with a record that says so: one that was cut short at a commit would look whole otherwise. */
    private void seal() {
        finish(makeRoom(0), 0, 0, Format.SEAL, 0);
    }

    private int finish(long position, long main, int sub, int kind, int length) {
        Format.finishRecord(chunk.bytes, chunk.used, position, main, sub, kind, length);
        int padded = (int) Format.padded(Format.RECORD_HEAD + length);
        chunk.used += padded;
        appendedBytes.lazySet(appendedBytes.get() + padded);
        return padded;
    }

    private void beginSegment(int segment) {
        Format.writeHead(chunk.bytes, chunk.used, segment);
        chunk.used += Format.HEAD;
        appendedBytes.lazySet(appendedBytes.get() + Format.HEAD);
    }

    private Chunk addChunk(long start, int capacity, Usage usage) {
        Chunk added = new Chunk(start, Math.max(capacity, Format.HEAD), usage);
        chunks.put(start, added);
        return added;
    }

    // --- the writer -------------------------------------------------------------------------------------------------

    /**
     * Writes every batch that was committed and makes it durable; false if there was none. If it fails nobody knows what
     * is on the disk, so every later call fails as well; but not if there only {@linkplain DiskFailure#isNoSpace was no
     * space}: then nothing is lost, and it is to be tried again.
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
            long written = writer.write(chunks, from, target.position);
            writtenBytes.lazySet(writtenBytes.get() + written);
            space.write(written);
            flushed = target.position;
            durable = target.commit;
            dropChunks(target.position);
            done = true;
            return true;
        } catch (DiskFailure failure) {
            done = failure.isNoSpace();
            throw failure;
        } finally {
            poisoned = !done;
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

    // --- any thread -------------------------------------------------------------------------------------------------

    /** The last batch that is durable, or null if none is. */
    public @Nullable Commit durable() {
        return durable;
    }

    /** The applied index of {@link #durable}, 0 for none. */
    public long durableIndex() {
        Commit commit = durable;
        return commit == null ? 0 : commit.appliedIndex();
    }

    /** What the files take on the disk. */
    public long totalBytes() {
        return space.total();
    }

    /** What is not known to be dead: records, those that are not written yet too, and the checkpoint. */
    public long inUseBytes() {
        return space.inUse();
    }

    /**
     * The payload of the record at {@code position}, verified.
     *
     * @throws Damaged if what is there is not what was written
     * @throws Gone if it was forgotten, and its file rewritten
     */
    public Bytes read(long position) {
        Chunk holder = unflushed(position);
        if (holder != null) {
            return LedgerFile.verified(holder.bytes, (int) (position - holder.start), position, path(position),
                    Format.offset(position));
        }
        LedgerFile file = held(position);
        try {
            return file.read(position);
        } finally {
            file.release();
        }
    }

    /** Takes a payload in pieces. */
    @FunctionalInterface
    public interface Pieces {
        /**
         * Takes the next piece, which is overwritten when this has returned.
         *
         * @return false if the rest is not wanted
         */
        boolean take(byte[] bytes, int offset, int length);
    }

    /**
     * The payload of the record at {@code position}, in pieces: no more of it is in memory than one of them, and nothing of
     * the ledger is held while they are taken, so that may last. Only when all is read it is known whether it is what was
     * written; the last piece is given only then.
     *
     * @return false if not all of it was wanted
     * @throws Damaged if what is there is not what was written
     * @throws Gone if it was forgotten, and its file rewritten, before the reading or while it lasted
     */
    public boolean read(long position, Pieces to) {
        if (unflushed(position) != null) {
            Bytes whole = read(position);
            return to.take(whole.array(), whole.offset(), whole.length());
        }
        int size = payloadLength(position) + Format.RECORD_HEAD;
        int padded = (int) Format.padded(size);
        byte[] piece = new byte[Math.min(padded, PIECE_BYTES)];
        CRC32C crc = new CRC32C();
        int checksum = 0;
        for (int from = 0; from < padded; from += piece.length) {
            int count = Math.min(piece.length, padded - from);
            copy(position, from, piece, count);
            if (from == 0) {
                checksum = Format.intAt(piece, 0);
            }
            int checked = from == 0 ? Integer.BYTES : 0;
            crc.update(piece, checked, count - checked);
            if (from + count == padded && checksum != Format.checksum((int) crc.getValue(), position)) {
                throw new Damaged(path(position), Format.offset(position), "the record there fails its checksum");
            }
            int begin = from == 0 ? Format.RECORD_HEAD : 0;
            // Records begin and end at multiples of eight bytes, and so do pieces: the last one is never padding alone.
            if (!to.take(piece, begin, Math.min(count, size - from) - begin)) {
                return false;
            }
        }
        return true;
    }

    private void copy(long position, int from, byte[] to, int length) {
        LedgerFile file = held(position);
        try {
            file.copy(position, from, to, length);
        } finally {
            file.release();
        }
    }

    /**
     * How long the payload of the record at {@code position} is, for who must say so before sending it. What it says of a
     * damaged record, reading it will show to be wrong.
     *
     * @throws Damaged if it cannot be told
     * @throws Gone if it was forgotten, and its file rewritten
     */
    public int payloadLength(long position) {
        Chunk holder = unflushed(position);
        if (holder != null) {
            return Format.sizeAt(holder.bytes, (int) (position - holder.start)) - Format.RECORD_HEAD;
        }
        LedgerFile file = held(position);
        try {
            return file.payloadLength(position);
        } finally {
            file.release();
        }
    }

    /** The chunk that holds a record; null if the record is in a file. */
    private @Nullable Chunk unflushed(long position) {
        while (true) {
            if (position < flushed) {
                return null;
            }
            Map.Entry<Long, Chunk> entry = chunks.floorEntry(position);
            if (entry != null && entry.getValue().holds(position)) {
                return entry.getValue();
            }
            Invariant.check(position < flushed, "nothing was appended at segment %d, byte %d",
                    Format.segment(position), Format.offset(position));
        }
    }

    private LedgerFile held(long position) {
        LedgerFile file = segments.acquire(Format.segment(position));
        if (file == null) {
            throw new Damaged(path(position), Format.offset(position), "the segment is not there");
        }
        return file;
    }

    private Path path(long position) {
        return directory.resolve(FileName.segment(Format.segment(position)));
    }

    // --- the housekeeper --------------------------------------------------------------------------------------------

    /**
     * Counts records as dead: nobody will ask for them any more but readers of an older state of the store. Each is to be
     * forgotten once. Those that are gone or damaged already do not matter.
     *
     * @return how many bytes that may give back
     */
    public long forget(long[] positions, int count) {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += forget(positions[i]);
        }
        return bytes;
    }

    private long forget(long position) {
        Chunk holder = unflushed(position);
        if (holder != null) {
            long length = Format.padded(Format.sizeAt(holder.bytes, (int) (position - holder.start)));
            return housekeeping.bury(position, holder.usage, length);
        }
        LedgerFile file = segments.acquire(Format.segment(position));
        if (file == null) {
            return 0;
        }
        try {
            return housekeeping.bury(position, file.usage(), file.lengthOf(position));
        } catch (Damaged e) {
            return 0;
        } finally {
            file.release();
        }
    }

    /**
     * Begins a checkpoint: the state of the store as of {@code mark}, so that an opened ledger starts from it and reads only
     * what lies behind it. It keeps what was forgotten up to now: so that must be just what is not in the state any more,
     * and whoever starts from it forgets again what is forgotten from now on.
     */
    public CheckpointWriter checkpoint(Mark mark) {
        return housekeeping.checkpoint(mark);
    }

    /** How many bytes an opened ledger would have to read behind the checkpoint. Rewriting does not touch these. */
    public long replayBytes() {
        return housekeeping.replayBytes();
    }

    /**
     * Begins to rewrite the files that are most worth it without their dead records; null if none is.
     *
     * @param minDeadShare what rewriting must give back of a file, {@link #DEAD_SHARE} unless there is need or time
     */
    public @Nullable Rewrite nextRewrite(double minDeadShare, Liveness liveness) {
        return housekeeping.nextRewrite(minDeadShare, liveness);
    }

    /** Begins a round through all files that do not change any more; each damage is reported once. */
    public Scrub scrub(Consumer<Damaged> onDamage) {
        return housekeeping.scrub(false, onDamage);
    }

    /** The same, with the file that is written last: for a ledger that nobody appends to meanwhile. */
    public Scrub scrubStill(Consumer<Damaged> onDamage) {
        return housekeeping.scrub(true, onDamage);
    }

    /** Whether everything up to the mark is durable, so that a checkpoint of it may be finished. For any thread. */
    public boolean isDurable(Mark mark) {
        return isDurable(mark.position());
    }

    boolean isDurable(long position) {
        return position <= flushed;
    }

    long flushedTo() {
        return flushed;
    }

    /** The end of the last batch that was committed. */
    long committedTo() {
        return closed.position;
    }

    /** Of the segments that are not altogether in files yet. */
    List<Usage> unflushedUsages() {
        List<Usage> usages = new ArrayList<>();
        chunks.values().forEach(holder -> usages.add(holder.usage));
        return usages;
    }

    /**
     * Writes what was committed and closes. All others must have stopped. A commit that confirms everything is left at the
     * end, so that after an orderly stop any damage is known for what it is.
     */
    @Override
    public void close() {
        try {
            if (!poisoned) {
                housekeeping.close();
                flush();
                Commit end = last;
                if (end != null && !batchIsOpen && !complete) {
                    commit(end.appliedIndex(), end.term(), end.configuration());
                    flush();
                }
            }
        } finally {
            poisoned = true;
            writer.close();
            segments.close();
        }
    }
}
