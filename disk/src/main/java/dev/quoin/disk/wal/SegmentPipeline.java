package dev.quoin.disk.wal;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;

/**
 * Makes the next segment ahead of need: a file of synced zeros, so that the writer only ever overwrites blocks that exist.
 * Filling 64 MB takes longer than any write may wait, so it is done by a thread of its own.
 *
 * <p>It is made once an eighth of the segment before is in use, and not sooner: a member that starts, and three on one disk above all,
 * waits for its own first syncs, which would stand in line behind these zeros; and a member that is hardly used keeps the space.
 *
 * <p>Two threads meet here: a helper calls {@link #prepare}, the owner of the log calls {@link #take} and {@link #filled}. All they
 * share is one reference to a finished file, and whether one is due. Both may be making a file at the same time; a counter keeps the
 * names apart.
 */
final class SegmentPipeline {
    /** What is left must take longer to fill than the next takes to make, at the speed at which members have been seen to write. */
    private static final int DUE_FRACTION = 8;
    private static final Pattern TEMPORARY = Pattern.compile("[0-9]+\\.tmp");

    private final Disk disk;
    private final Path directory;
    private final long segmentBytes;
    private final AtomicReference<@Nullable DiskFile> ready = new AtomicReference<>();
    private final AtomicInteger made = new AtomicInteger();
    private volatile boolean due; // written by the owner alone

    SegmentPipeline(Disk disk, Path directory, long segmentBytes) {
        this.disk = disk;
        this.directory = directory;
        this.segmentBytes = segmentBytes;
    }

    /** Removes what an earlier process was making: its zeros may not all be on the disk. */
    void deleteLeftovers() {
        for (String name : disk.list(directory)) {
            if (TEMPORARY.matcher(name).matches()) {
                disk.delete(directory.resolve(name));
            }
        }
    }

    void prepare() {
        if (ready.get() != null) {
            return;
        }
        DiskFile file = create();
        boolean done = false;
        try {
            file.zero(0, segmentBytes);
            file.sync();
            done = true;
        } finally {
            if (!done) {
                // Most likely the disk is full, so that every try would take more of it.
                discard(file);
            }
        }
        ready.set(file);
    }

    /**
     * The owner's: so much of the segment at hand is in use, of what it is filled to. What is due stays so until it has been made
     * and taken: whoever was told that there is no room for it is told when there is.
     */
    void filled(long usedBytes, long fillBytes) {
        if (!due && usedBytes >= fillBytes / DUE_FRACTION) {
            due = true;
        }
    }

    boolean wanted() {
        return due && ready.get() == null;
    }

    /** The prepared file, or an empty one if none is ready: a slower segment is better than a writer that waits. */
    DiskFile take() {
        DiskFile file = ready.getAndSet(null);
        if (file == null) {
            return create();
        }
        due = false;
        return file;
    }

    /** Gives up a file that was taken and has no name of a segment yet. */
    void discard(DiskFile taken) {
        taken.close();
        disk.delete(taken.path());
    }

    void close() {
        DiskFile file = ready.getAndSet(null);
        if (file != null) {
            file.close();
        }
    }

    private DiskFile create() {
        return disk.create(directory.resolve(made.getAndIncrement() + ".tmp"));
    }
}
