package dev.quoin.disk.wal;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.wal.SyncedMark.Place;

/**
 * The log that holds the promise: what was appended and synced here is still there after any crash.
 *
 * <p>One thread owns it and calls everything but {@link #prepareNext}, {@link #nextIsWanted} and {@link #scrub}, which another
 * one may call at any time. An operation that fails poisons the log: nobody knows then what is on the disk, so every later call
 * refuses, and the member must be started again. The one exception is a disk without space, before anything was synced.
 */
public final class Wal implements AutoCloseable {
    private static final String BROKEN = ".broken";
    private static final String TEMPORARY = ".tmp";
    /** What the first segment of a new log is filled to, if others are filled to more: nobody waits for more zeros at a start. */
    private static final long FIRST_SEGMENT_BYTES = 8L << 20;

    private final Disk disk;
    private final Path directory;
    private final WalLimits limits;
    private final Bytes metadata;
    private final SegmentPipeline pipeline;
    private final FrameWriter frames;
    private final SyncedMark mark;
    /** Oldest first; the last one is the one that is written. */
    private final List<SegmentName> segments;
    private DiskFile tail;
    /** What it is filled to. */
    private long fillBytes;
    /** Where the next frame goes. */
    private long end;
    private long syncedEnd;
    private long writtenBytes;
    /** Where the mark was last synced itself. */
    private long markSyncedEnd;
    private WalState state;
    private long lastIndex;
    private long lastSnapshotIndex;
    private boolean poisoned;
    /** Whether the change at hand has synced nothing yet. */
    private boolean isUndoable;

    /**
     * What {@link #open} found: {@code snapshot} is the newest mark that the committed state covers, {@code entries} follow
     * it without a gap, {@code state} is the last one written.
     */
    public record Recovered(Wal wal, Bytes metadata, WalState state, WalSnapshot snapshot, List<WalEntry> entries) {}

    private Wal(Disk disk, Path directory, WalLimits limits, Bytes metadata, SyncedMark mark,
            List<SegmentName> segments, DiskFile tail, int crc, long end) {
        this.disk = disk;
        this.directory = directory;
        this.limits = limits;
        this.metadata = metadata;
        this.mark = mark;
        this.segments = segments;
        this.tail = tail;
        fillBytes = Math.min(tail.size(), limits.segmentBytes());
        this.end = end;
        state = WalState.EMPTY;
        frames = new FrameWriter(crc);
        pipeline = new SegmentPipeline(disk, directory, limits.segmentBytes());
        pipeline.filled(end, fillBytes);
        syncedEnd = end;
        markSyncedEnd = end;
    }

    /** Whether there is a log in {@code directory}, whole or not. */
    public static boolean exists(Disk disk, Path directory) {
        return disk.exists(directory) && disk.list(directory).stream().anyMatch(name -> name.endsWith(".wal"));
    }

    /**
     * Makes a new log: under another name first, so that it is there as a whole or not at all. {@code directory} must not
     * hold a log; its parent must exist.
     */
    public static Wal create(Disk disk, Path directory, Bytes metadata, WalLimits limits) {
        if (exists(disk, directory)) {
            throw new DiskFailure("create log", directory, "there is one already", null);
        }
        Path temporary = directory.resolveSibling(directory.getFileName() + TEMPORARY);
        disk.deleteDirectory(temporary);
        disk.createDirectory(temporary);

        SegmentName name = new SegmentName(0, 0);
        FrameWriter head = new FrameWriter(0);
        head.crcRecord();
        head.metadata(metadata);
        head.snapshot(WalSnapshot.ZERO);
        try (DiskFile file = disk.create(temporary.resolve(name.toString()))) {
            file.zero(0, firstSegmentBytes(limits));
            file.writeFully(0, head.buffer(), 0, head.size());
            file.sync();
        }
        SyncedMark.create(disk, temporary, new Place(0, 0), new Place(0, head.size())).close();
        disk.syncDirectory(temporary);
        disk.deleteDirectory(directory);
        disk.rename(temporary, directory);
        disk.syncDirectory(Disk.parentOf(directory));
        return open(disk, directory, limits).wal();
    }

    private static long firstSegmentBytes(WalLimits limits) {
        return Math.min(FIRST_SEGMENT_BYTES, limits.segmentBytes());
    }

    /**
     * Opens a log for appending. Nothing on the disk changes unless the log is whole; then what a crash left behind its end
     * is cleared away, with a copy of the segment kept as {@code .broken} if a record was cut short.
     *
     * @throws Damaged if the log is not what was written and confirmed
     */
    public static Recovered open(Disk disk, Path directory, WalLimits limits) {
        List<SegmentName> segments = segments(disk, directory);
        DiskFile tail = disk.open(directory.resolve(segments.getLast().toString()));
        SyncedMark mark = null;
        boolean done = false;
        try {
            tail.lock();
            mark = SyncedMark.open(disk, directory);
            Recovered recovered = recover(disk, directory, limits, segments, tail, mark);
            done = true;
            return recovered;
        } finally {
            if (!done) {
                tail.close();
                if (mark != null) {
                    mark.close();
                }
            }
        }
    }

    private static List<SegmentName> segments(Disk disk, Path directory) {
        List<SegmentName> segments = new ArrayList<>();
        for (String file : disk.list(directory)) {
            SegmentName name = SegmentName.parse(file);
            if (name == null) {
                continue;
            }
            if (!segments.isEmpty() && segments.getLast().number() + 1 != name.number()) {
                throw missing(directory, segments.getLast().number() + 1);
            }
            segments.add(name);
        }
        if (segments.isEmpty()) {
            throw new DiskFailure("open log", directory, "there is none", null);
        }
        return segments;
    }

    private static Damaged missing(Path directory, long number) {
        return new Damaged(directory, 0, "segment " + number + " of the log is missing.\n" + Damaged.REMEDY);
    }

    private static Recovered recover(Disk disk, Path directory, WalLimits limits, List<SegmentName> segments,
            DiskFile tail, @Nullable SyncedMark foundMark) {
        if (foundMark != null && foundMark.synced().segment() > segments.getLast().number()) {
            throw missing(directory, foundMark.synced().segment());
        }
        Contents contents = readAll(disk, directory, segments, tail, foundMark);
        LogReader.End end = contents.end;
        WalSnapshot snapshot = contents.snapshot;

        if (end.torn() != null) {
            keepBroken(disk, tail);
        }
        if (!contents.isClean) {
            // Two steps, two syncs: were the zeros to reach the disk in part while the cut did not, the leftovers would
            // look like damage next time.
            tail.truncate(end.offset());
            tail.sync();
        }
        // A log that is just one clean segment may be a new one's first, and needs no more room than that has.
        long filledBytes = segments.size() == 1 && contents.isClean ? firstSegmentBytes(limits) : limits.segmentBytes();
        if (tail.size() < filledBytes) {
            tail.zero(tail.size(), limits.segmentBytes());
        }
        // What was read may not be durable, neither bytes nor names: a process that was killed, or whose last sync failed,
        // left it to the page cache.
        tail.rewrite(confirmedIn(segments.getLast(), foundMark), end.offset());
        tail.sync();
        disk.syncDirectory(directory);
        disk.syncDirectory(Disk.parentOf(directory));
        Place place = new Place(segments.getLast().number(), end.offset());
        SyncedMark mark = foundMark;
        if (mark == null) {
            mark = SyncedMark.create(disk, directory, place, place);
        } else {
            mark.advance(place);
            mark.sync();
        }
        Wal wal = new Wal(disk, directory, limits, end.metadata(), mark, segments, tail, end.crc(), end.offset());
        wal.state = contents.state;
        wal.lastIndex = snapshot.index() + contents.entries.size();
        wal.lastSnapshotIndex = snapshot.index();
        wal.pipeline.deleteLeftovers();
        return new Recovered(wal, end.metadata(), contents.state, snapshot, contents.entries);
    }

    /**
     * What a log holds.
     *
     * @param isClean whether nothing but zeros follows its end
     */
    private record Contents(LogReader.End end, boolean isClean, WalState state, WalSnapshot snapshot,
            List<WalEntry> entries) {}

    private static Contents readAll(Disk disk, Path directory, List<SegmentName> segments, DiskFile tail,
            @Nullable SyncedMark mark) {
        LogReader reader = new LogReader(disk, directory, segments, tail, mark);
        Survey survey = new Survey();
        LogReader.End end = reader.read(0, tail.size(), survey);
        boolean isClean = end.torn() == null && reader.isZeroFrom(end.offset());
        WalSnapshot snapshot = survey.newestValid();
        if (snapshot == null) {
            throw new Damaged(directory.resolve(segments.getFirst().toString()), 0,
                    "it has no snapshot mark that its committed state covers, so nobody knows where to start.\n"
                            + Damaged.REMEDY);
        }
        Collector collector = new Collector(snapshot, reader);
        int start = startFor(snapshot.index(), segments);
        if (start < 0) {
            throw new Damaged(directory, 0,
                    "no segment reaches back to the snapshot at index " + snapshot.index() + ".\n" + Damaged.REMEDY);
        }
        reader.read(start, end.offset(), collector);
        return new Contents(end, isClean, survey.state, snapshot, List.copyOf(collector.entries));
    }

    /**
     * A log that was read and not changed, and that nobody else can open for writing until this is closed.
     *
     * @param torn what a crash has left behind its end, which {@link #open} would cut off; null if nothing
     */
    public record Held(Bytes metadata, WalState state, WalSnapshot snapshot, List<WalEntry> entries,
            @Nullable String torn, DiskFile tail) implements AutoCloseable {
        /** The index of its last entry, or of the mark it begins at if there is none. */
        public long lastIndex() {
            return snapshot.index() + entries.size();
        }

        @Override
        public void close() {
            tail.close();
        }
    }

    /**
     * Reads the log of an etcd, by its rules, and keeps every etcd from it.
     *
     * @throws Damaged if it is not what was written
     * @throws DiskFailure if an etcd runs on it
     */
    public static Held hold(Disk disk, Path directory) {
        List<SegmentName> segments = segments(disk, directory);
        DiskFile tail = disk.open(directory.resolve(segments.getLast().toString()));
        boolean done = false;
        try {
            tail.lock();
            Contents contents = readAll(disk, directory, segments, tail, null);
            BadRecord torn = contents.end.torn();
            Held held = new Held(contents.end.metadata(), contents.state, contents.snapshot, contents.entries,
                    torn == null ? null : tail.path() + " from byte " + torn.offset + ": " + torn.what(), tail);
            done = true;
            return held;
        } finally {
            if (!done) {
                tail.close();
            }
        }
    }

    /**
     * Leaves a log that is closed to etcd, which appends to it without saying how far: a mark of ours would take what etcd has
     * appended for damage. Durable on return.
     */
    public static void leaveToEtcd(Disk disk, Path directory) {
        disk.delete(directory.resolve(SyncedMark.NAME));
        disk.syncDirectory(directory);
    }

    /** Whether the log in {@code directory}, if one is there, is an etcd's alone: no log of ours is without its synced mark. */
    public static boolean isEtcds(Disk disk, Path directory) {
        return exists(disk, directory) && !disk.exists(directory.resolve(SyncedMark.NAME));
    }

    /** How much of the segment is known to be durable. */
    private static long confirmedIn(SegmentName segment, @Nullable SyncedMark mark) {
        return mark != null && mark.synced().segment() == segment.number() ? mark.synced().offset() : 0;
    }

    /**
     * The last segment that begins at or before a mark, -1 if none does: everything the restart needs is in it and behind
     * it. Where the log has begun anew, one before it may be named beyond it.
     */
    private static int startFor(long index, List<SegmentName> segments) {
        int start = segments.size() - 1;
        while (start >= 0 && segments.get(start).index() > index) {
            start--;
        }
        return start;
    }

    private static void keepBroken(Disk disk, DiskFile tail) {
        Path broken = tail.path().resolveSibling(tail.path().getFileName() + BROKEN);
        if (disk.exists(broken)) {
            disk.delete(broken);
        }
        try (DiskFile copy = disk.create(broken)) {
            ByteBuffer buffer = ByteBuffer.allocate(256 * 1024);
            for (long at = 0; tail.readFully(at, buffer.clear()) > 0; at += buffer.limit()) {
                copy.writeFully(at, buffer.flip());
            }
        }
    }

    /** First pass: which snapshot mark to start from, and where things stand at the end. */
    private static final class Survey implements LogReader.Sink {
        private final List<WalSnapshot> snapshots = new ArrayList<>();
        private WalState state = WalState.EMPTY;

        @Override
        public void entry(WalEntry entry) {}

        @Override
        public void state(WalState newState) {
            state = newState;
        }

        @Override
        public void snapshot(WalSnapshot snapshot) {
            snapshots.add(snapshot);
        }

        /** A mark beyond the committed index may describe a state that never came to be. */
        @Nullable
        WalSnapshot newestValid() {
            return snapshots.reversed().stream().filter(snapshot -> snapshot.index() <= state.commit()).findFirst()
                    .orElse(null);
        }
    }

    /** Second pass: the entries behind that mark. */
    private static final class Collector implements LogReader.Sink {
        private final WalSnapshot start;
        private final LogReader reader;
        private final List<WalEntry> entries = new ArrayList<>();
        /** The term of the entry at the mark, as far as it was read; 0: it was not there. */
        private long termAtStart;

        Collector(WalSnapshot start, LogReader reader) {
            this.start = start;
            this.reader = reader;
        }

        @Override
        public void entry(WalEntry entry) throws BadRecord {
            if (entry.index() <= start.index()) {
                // It takes away what was read behind it, as any entry does.
                termAtStart = entry.index() == start.index() ? entry.term() : 0;
                entries.clear();
                return;
            }
            long position = entry.index() - start.index() - 1;
            if (position > entries.size()) {
                throw reader.refused("entry " + entry.index() + " follows entry " + (start.index() + entries.size()));
            }
            // A later entry replaces the one written before it and takes away all that followed that one.
            entries.subList((int) position, entries.size()).clear();
            entries.add(new WalEntry(entry.type(), entry.term(), entry.index(), Bytes.of(entry.data().toByteArray())));
        }

        @Override
        public void state(WalState state) {}

        @Override
        public void snapshot(WalSnapshot snapshot) throws BadRecord {
            if (snapshot.index() == start.index() && snapshot.term() != start.term()) {
                throw reader.refused("two snapshot marks at index " + start.index() + ", of terms " + start.term()
                        + " and " + snapshot.term());
            }
            // Either it marks what the log holds, or the log began anew behind it: then what was read is of another history,
            // which etcd would take for the entries behind the mark.
            if (snapshot.index() == start.index() && snapshot.term() != termAtStart) {
                termAtStart = snapshot.term();
                entries.clear();
            }
        }
    }

    /**
     * Writes entries, then the state if there is one. Not durable before {@link #sync}, though it may become so on its own:
     * a segment that is full is synced and the next one begun. Entries may replace earlier ones but leave no gap.
     *
     * @throws DiskFailure if it fails; if only because there {@linkplain DiskFailure#isNoSpace is no space}, the log is as it
     *         was
     */
    public void append(List<WalEntry> entries, @Nullable WalState newState) {
        change(() -> {
            for (WalEntry entry : entries) {
                Invariant.check(entry.index() > 0 && entry.index() <= lastIndex + 1, "entry %d behind entry %d",
                        entry.index(), lastIndex);
                frames.entry(entry);
                lastIndex = entry.index();
                if (frames.size() >= limits.writeBytes()) {
                    write();
                }
            }
            if (newState != null && !newState.equals(WalState.EMPTY)) {
                state = newState;
                frames.state(newState);
            }
            write();
            if (end >= fillBytes) {
                beginSegment(lastIndex + 1, null);
            }
            pipeline.filled(end, fillBytes);
        });
    }

    /** Makes everything that was appended durable. */
    public void sync() {
        check();
        boolean done = false;
        try {
            syncTail();
            done = true;
        } finally {
            poisoned = !done;
        }
    }

    /**
     * Marks that the state up to the snapshot is safe elsewhere, durably. A restart starts from it once a state with a commit
     * index at or beyond it was written.
     *
     * @throws DiskFailure as {@link #append}
     */
    public void saveSnapshot(WalSnapshot snapshot) {
        Invariant.check(snapshot.index() >= lastSnapshotIndex, "a snapshot mark at %d behind one at %d",
                snapshot.index(), lastSnapshotIndex);
        change(() -> {
            frames.snapshot(snapshot);
            lastIndex = Math.max(lastIndex, snapshot.index());
            lastSnapshotIndex = snapshot.index();
            write();
            isUndoable = false;
            syncTail();
        });
    }

    /**
     * Lets the log begin behind a snapshot that came from elsewhere, whatever it holds: the snapshot lies beyond the last
     * entry, or that entry belongs to another history. The next entry is the one behind the snapshot. Durable on return;
     * and if power goes before that, the log has begun anew or is as it was, never half: the mark and the state that makes
     * it valid are in the head of a new segment, which has its name only once that is durable.
     *
     * @throws DiskFailure as {@link #append}
     */
    public void beginAnew(WalSnapshot snapshot, WalState newState) {
        Invariant.check(snapshot.index() > state.commit() && snapshot.index() <= newState.commit(),
                "a log with commit index %d begins anew at %d with commit index %d", state.commit(), snapshot.index(),
                newState.commit());
        change(() -> {
            state = newState;
            lastIndex = snapshot.index();
            lastSnapshotIndex = snapshot.index();
            // Named after the snapshot itself: who starts from a mark begins with the last segment not named beyond it.
            beginSegment(snapshot.index(), snapshot);
        });
    }

    /** What a change that the disk has no space for is taken back to. */
    private record Before(long end, int crc, WalState state, long lastIndex, long lastSnapshotIndex) {}

    private void change(Runnable change) {
        check();
        Before before = new Before(end, frames.crc(), state, lastIndex, lastSnapshotIndex);
        isUndoable = true;
        boolean whole = false;
        try {
            change.run();
            whole = true;
        } catch (DiskFailure failure) {
            if (failure.isNoSpace() && isUndoable) {
                undo(before);
                whole = true;
            }
            throw failure;
        } finally {
            poisoned = !whole;
        }
    }

    /**
     * What is in the file already becomes zeros again, which takes no space; and durably, so that no crash mixes it with what
     * is written there next.
     */
    private void undo(Before before) {
        long dirtyEnd = Math.min(tail.size(), end + frames.size());
        if (dirtyEnd > before.end) {
            tail.zero(before.end, dirtyEnd);
            tail.sync();
        }
        end = before.end;
        frames.rewind(before.crc);
        state = before.state;
        lastIndex = before.lastIndex;
        lastSnapshotIndex = before.lastSnapshotIndex;
    }

    /**
     * Deletes the oldest segments that hold nothing beyond {@code index} until {@code segmentsMax} are left (0: deletes
     * none, as etcd). A snapshot mark at or beyond {@code index} must have been saved: etcd does not start from a log
     * without one.
     */
    public void release(long index, int segmentsMax) {
        check();
        Invariant.check(index <= lastSnapshotIndex, "released up to %d, but the last snapshot mark is at %d", index,
                lastSnapshotIndex);
        if (segmentsMax == 0) {
            return;
        }
        boolean done = false;
        try {
            boolean deleted = false;
            for (int first = startFor(index, segments); first > 0 && segments.size() > segmentsMax; first--) {
                disk.delete(directory.resolve(segments.getFirst().toString()));
                segments.removeFirst();
                deleted = true;
            }
            if (deleted) {
                disk.syncDirectory(directory);
            }
            done = true;
        } finally {
            poisoned = !done;
        }
    }

    /** Begins a round through the full segments. For one other thread, at any time, and so what it returns. */
    public LogScrub scrub(Consumer<Damaged> onDamage) {
        return new LogScrub(disk, directory, metadata, mark.ours(), onDamage);
    }

    /** Whether {@link #prepareNext} has something to do. For any thread. */
    public boolean nextIsWanted() {
        return pipeline.wanted();
    }

    /** Makes the next segment ahead of need, which takes a while. For one other thread, at any time. */
    public void prepareNext() {
        pipeline.prepare();
    }

    /** The index of the last entry in the log, or of the last snapshot mark if that is beyond it. */
    public long lastIndex() {
        return lastIndex;
    }

    /** The index of the newest snapshot mark, from which a restart begins once it is committed. */
    public long lastSnapshotIndex() {
        return lastSnapshotIndex;
    }

    /** Records that were written since it was opened, heads of segments aside. For its owner. */
    public long writtenBytes() {
        return writtenBytes;
    }

    public int segmentCount() {
        return segments.size();
    }

    /** Syncs, unless the log is poisoned, and closes. {@link #prepareNext} must not be running. */
    @Override
    public void close() {
        try {
            if (!poisoned) {
                sync();
                mark.sync();
            }
        } finally {
            poisoned = true;
            pipeline.close();
            mark.close();
            tail.close();
        }
    }

    private void check() {
        if (poisoned) {
            throw new DiskFailure("use log", directory, "it is closed, or an operation on it failed before", null);
        }
    }

    private void write() {
        if (frames.size() == 0) {
            return;
        }
        tail.writeFully(end, frames.buffer(), 0, frames.size());
        end += frames.size();
        writtenBytes += frames.size();
        frames.reset(2 * limits.writeBytes());
    }

    private void syncTail() {
        if (syncedEnd == end) {
            return;
        }
        tail.sync();
        syncedEnd = end;
        mark.advance(new Place(segments.getLast().number(), end));
        if (end - markSyncedEnd >= limits.markSyncBytes()) {
            mark.sync();
            markSyncedEnd = end;
        }
    }

    /**
     * Ends the segment and begins the next, which has its name only once its head is durable, and what came before it is,
     * too. What may need space comes first.
     */
    private void beginSegment(long index, @Nullable WalSnapshot snapshot) {
        SegmentName name = new SegmentName(segments.getLast().number() + 1, index);
        DiskFile next = withHead(pipeline.take(), snapshot);
        isUndoable = false;
        tail.truncate(end);
        syncedEnd = -1;
        syncTail();
        next.renameTo(directory.resolve(name.toString()));
        disk.syncDirectory(directory);
        tail.close();
        tail = next;
        fillBytes = limits.segmentBytes();
        end = frames.size();
        pipeline.filled(end, fillBytes);
        frames.reset(2 * limits.writeBytes());
        segments.add(name);
        syncedEnd = end;
        markSyncedEnd = end;
        mark.advance(new Place(name.number(), end));
        mark.sync();
    }

    private DiskFile withHead(DiskFile next, @Nullable WalSnapshot snapshot) {
        boolean done = false;
        try {
            next.lock();
            frames.crcRecord();
            frames.metadata(metadata);
            if (!state.equals(WalState.EMPTY)) {
                frames.state(state);
            }
            if (snapshot != null) {
                frames.snapshot(snapshot);
            }
            next.writeFully(0, frames.buffer(), 0, frames.size());
            next.sync();
            done = true;
            return next;
        } finally {
            if (!done) {
                pipeline.discard(next);
            }
        }
    }
}
