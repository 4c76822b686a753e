package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * Opens what is on the disk: hands every record of a committed batch to a visitor, and cuts off what a crash left behind the
 * last one.
 *
 * <p>A segment that has a successor was synced before that was begun, so whatever is wrong with it is damage. At the end
 * of the last segment a batch may be incomplete, or a hole may have been left where sectors did not reach the disk. It may
 * be cut off unless a commit behind it says that it had been confirmed.
 */
final class Recovery {
    private static final String CURE = "\n" + Damaged.REMEDY;

    /** The last segment, open and cut, or nothing when the ledger is empty. */
    record Tail(int segment, DiskFile file, long end) {}

    private final Disk disk;
    private final Path directory;
    private final Ledger.Visitor visitor;
    private final List<Integer> sealed = new ArrayList<>();
    /** A segment behind the last one in which nothing was ever confirmed, or 0. */
    private int leftover;
    private Ledger.@Nullable Commit last;
    /** Whether the last commit says that everything before it was synced. */
    private boolean lastIsComplete;
    /** The position up to which the ledger was synced, as far as its commits know. */
    private long confirmed;

    Recovery(Disk disk, Path directory, Ledger.Visitor visitor) {
        this.disk = disk;
        this.directory = directory;
        this.visitor = visitor;
    }

    Ledger.@Nullable Commit last() {
        return last;
    }

    boolean lastIsComplete() {
        return lastIsComplete;
    }

    /** The segments before the last. */
    List<Integer> sealed() {
        return sealed;
    }

    @Nullable
    Tail run() {
        List<Integer> segments = segments();
        if (!segments.isEmpty() && wasNeverBegun(segments.getLast())) {
            leftover = segments.removeLast();
        }
        for (int segment : segments.subList(0, Math.max(0, segments.size() - 1))) {
            try (DiskFile file = disk.open(path(segment))) {
                replaySealed(segment, file);
            }
            sealed.add(segment);
        }
        if (segments.isEmpty()) {
            deleteLeftover();
            return null;
        }
        return openTail(segments.getLast());
    }

    private void deleteLeftover() {
        if (leftover != 0) {
            disk.delete(path(leftover));
            disk.syncDirectory(directory);
        }
    }

    private Path path(int segment) {
        return directory.resolve(Format.name(segment));
    }

    private List<Integer> segments() {
        List<Integer> segments = new ArrayList<>();
        for (String name : disk.list(directory)) {
            Integer segment = Format.segmentOf(name);
            if (segment == null) {
                continue;
            }
            if (!segments.isEmpty() && segments.getLast() + 1 != segment) {
                throw new Damaged(directory, 0, "segment " + (segments.getLast() + 1) + " of the ledger is missing."
                        + CURE);
            }
            segments.add(segment);
        }
        return segments;
    }

    /** Whether power went before the head of this segment was synced, so that nothing in it was confirmed. */
    private boolean wasNeverBegun(int segment) {
        try (DiskFile file = disk.open(path(segment))) {
            SegmentScan scan = new SegmentScan(file, segment, file.size());
            return scan.version() == 0 && !scan.wasConfirmed(0);
        }
    }

    private SegmentScan scan(int segment, DiskFile file, long size) {
        SegmentScan scan = new SegmentScan(file, segment, size);
        int version = scan.version();
        if (version == 0) {
            throw damaged(segment, 0, "it does not begin with the head of a segment");
        }
        if (version != Format.VERSION) {
            throw new DiskFailure("open", path(segment), "written in format " + version
                    + " by a newer Quoin; this one reads format " + Format.VERSION, null);
        }
        return scan;
    }

    private void replaySealed(int segment, DiskFile file) {
        SegmentScan scan = scan(segment, file, file.size());
        boolean sealedAtEnd = replay(scan);
        if (!sealedAtEnd || scan.end() != file.size()) {
            String problem = scan.problem();
            throw damaged(segment, scan.end(), problem == null ? "the segment ends too early" : problem);
        }
    }

    private Tail openTail(int segment) {
        DiskFile file = disk.open(path(segment));
        boolean done = false;
        try {
            long size = file.size();
            SegmentScan scan = scan(segment, file, size);
            long committed = scan.end();
            boolean hasSeal = false;
            while (scan.next()) {
                committed = scan.kind() == Format.COMMIT ? scan.end() : committed;
                hasSeal = scan.kind() == Format.SEAL;
            }
            String problem = scan.problem();
            if (scan.wasConfirmed(scan.end()) || (leftover != 0 && !hasSeal)) {
                throw damaged(segment, scan.end(), problem == null ? "records are missing" : problem);
            }
            boolean clean = scan.isZeroFrom(committed);
            replay(scan(segment, file, committed));
            // Nothing was changed so far. A successor must be gone before the seal may go.
            deleteLeftover();
            if (!clean) {
                file.truncate(committed);
            }
            // What was read may not be durable, neither bytes nor names: a process that was killed, or whose last sync
            // failed, left it to the page cache.
            file.rewrite(Format.segment(confirmed) == segment ? Format.offset(confirmed) : 0, committed);
            file.sync();
            disk.syncDirectory(directory);
            done = true;
            return new Tail(segment, file, committed);
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

    /** Hands over the records, all of which are committed; whether the last thing in the segment is a seal. */
    private boolean replay(SegmentScan scan) {
        boolean hasSeal = false;
        while (scan.next()) {
            hasSeal = scan.kind() == Format.SEAL;
            switch (scan.kind()) {
                case Format.SEAL -> {}
                case Format.COMMIT -> commit(scan);
                default -> visitor.record(scan.position(), scan.main(), scan.sub(), scan.kind(), scan.payload());
            }
        }
        return hasSeal;
    }

    private void commit(SegmentScan scan) {
        Bytes payload = scan.payload();
        long term = Format.longAt(payload.array(), payload.offset());
        long bound = Format.longAt(payload.array(), payload.offset() + 8);
        Bytes configuration = payload.slice(Format.COMMIT_HEAD, payload.length() - Format.COMMIT_HEAD);
        last = new Ledger.Commit(scan.main(), term, configuration);
        lastIsComplete = bound == scan.position();
        confirmed = Math.max(confirmed, bound);
    }

    private Damaged damaged(int segment, long offset, String problem) {
        String from = last == null ? "nothing in it" : "nothing applied after index " + last.appliedIndex();
        return new Damaged(path(segment), offset, from + " can be trusted (" + problem + ")." + CURE);
    }
}
