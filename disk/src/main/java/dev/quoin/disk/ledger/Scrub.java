package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * One round through everything that does not change any more, to find damage before a reader does: each record of each full
 * segment and packed file, their tables, and the checkpoint, all read from the disk. Reports each thing it finds once and
 * changes nothing. The housekeeper drives it in steps; a file that rewriting deletes meanwhile was no longer needed.
 */
public final class Scrub {
    private final Disk disk;
    private final Path directory;
    private final Segments segments;
    private final Consumer<Damaged> onDamage;
    /** Whether nobody appends, so that the last segment can be looked at, too. */
    private final boolean isStill;

    /** The first segment that was not looked at. */
    private int next = 1;
    private @Nullable LedgerFile subject;
    private @Nullable DiskFile file;
    private @Nullable RecordScan scan;
    private @Nullable CheckpointScan checkpoint;
    private boolean ended;

    Scrub(Disk disk, Path directory, Segments segments, boolean isStill, Consumer<Damaged> onDamage) {
        this.disk = disk;
        this.directory = directory;
        this.segments = segments;
        this.isStill = isStill;
        this.onDamage = onDamage;
    }

    /** Goes on, for about as many bytes; true if the round is over. */
    public boolean step(int bytesBudget) {
        long budget = bytesBudget;
        while (!ended && budget > 0) {
            budget -= subject == null ? begin() : turn(subject);
        }
        return ended;
    }

    /** Leaves it at that. */
    public void abandon() {
        ended = true;
        closeFile();
    }

    /** Begins with the next file, or else with the checkpoint; how many bytes that took. */
    private long begin() {
        if (checkpoint != null) {
            return checkpointTurn(checkpoint);
        }
        for (LedgerFile candidate : segments.all()) {
            if (candidate.last() >= next && (isStill || !grows(candidate))) {
                next = candidate.last() + 1;
                return open(candidate);
            }
        }
        return openCheckpoint();
    }

    private static boolean grows(LedgerFile file) {
        return file instanceof LedgerFile.Segment segment && segment.grows();
    }

    private long open(LedgerFile candidate) {
        try {
            DiskFile opened = disk.open(candidate.path());
            file = opened;
            subject = candidate;
            return switch (candidate) {
                case LedgerFile.Segment segment -> openSegment(segment, opened);
                case LedgerFile.Packed packed -> openPacked(packed, opened);
                case LedgerFile.Unreadable unreadable -> openUnreadable(unreadable, opened);
            };
        } catch (Damaged damage) {
            report(damage);
        } catch (DiskFailure e) {
            report(new Damaged(candidate.path(), 0, "it cannot be opened: " + e.reason(), e));
        }
        return FileWindow.BYTES;
    }

    private long openSegment(LedgerFile.Segment segment, DiskFile opened) {
        SegmentScan begun = new SegmentScan(opened, segment.first(), Math.min(segment.length(), opened.size()));
        if (begun.version() != Format.VERSION) {
            onDamage.accept(new Damaged(segment.path(), 0, "it does not begin with the head of a segment"));
            begun.from(Format.HEAD);
        }
        scan = begun;
        return Format.HEAD;
    }

    /** The table in memory tells where records are; the one on the disk is looked at for its own sake. */
    private long openPacked(LedgerFile.Packed packed, DiskFile opened) {
        scan = packed.scan(opened);
        try {
            PackedFormat.read(opened, packed.first(), packed.last());
        } catch (Damaged damage) {
            onDamage.accept(damage);
        }
        return PackedFormat.fileBytes(packed.table().records(), 0);
    }

    private long openUnreadable(LedgerFile.Unreadable unreadable, DiskFile opened) {
        PackedFormat.read(opened, unreadable.first(), unreadable.last());
        closeFile();
        return FileWindow.BYTES;
    }

    /** Looks at one record; how many bytes that took. */
    private long turn(LedgerFile of) {
        RecordScan running = scan;
        if (running == null) {
            closeFile();
            return 0;
        }
        try {
            long from = running.end();
            if (!running.next()) {
                return problem(of, running, from);
            }
            return running.end() - from;
        } catch (DiskFailure e) {
            report(new Damaged(of.path(), running.end(), "it cannot be read: " + e.reason(), e));
            return FileWindow.BYTES;
        }
    }

    private long problem(LedgerFile of, RecordScan running, long from) {
        String problem = running.problem();
        if (problem == null && (running.isOver() || grows(of))) {
            closeFile();
            return 1;
        }
        String what = problem == null ? "the segment ends too early" : problem;
        if (problem != null && running.skip()) {
            onDamage.accept(new Damaged(of.path(), from, what));
            return running.length();
        }
        report(new Damaged(of.path(), from, what + "; where the records behind it begin is not known"));
        return 1;
    }

    private long openCheckpoint() {
        Path path = directory.resolve(FileName.CHECKPOINT);
        if (!disk.exists(path)) {
            abandon();
            return 0;
        }
        try {
            DiskFile opened = disk.open(path);
            file = opened;
            checkpoint = new CheckpointScan(opened);
        } catch (Damaged damage) {
            report(damage);
            ended = true;
        } catch (DiskFailure e) {
            report(new Damaged(path, 0, "it cannot be opened: " + e.reason(), e));
            ended = true;
        }
        return CheckpointFormat.HEAD;
    }

    private long checkpointTurn(CheckpointScan running) {
        long from = running.offset();
        try {
            if (!running.next()) {
                abandon();
            }
        } catch (Damaged damage) {
            report(damage);
            ended = true;
        }
        return Math.max(1, running.offset() - from);
    }

    /** Reports what makes the rest of the file a riddle. */
    private void report(Damaged damage) {
        closeFile();
        onDamage.accept(damage);
    }

    private void closeFile() {
        DiskFile open = file;
        file = null;
        subject = null;
        scan = null;
        if (open != null) {
            open.close();
        }
    }
}
