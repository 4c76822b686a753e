package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * The part of a ledger that is read when it is opened: what lies behind the checkpoint's mark, or all of it. Checked as a
 * whole before any of it is told, and told before anything is changed.
 *
 * <p>A segment that has a successor was synced before that was begun, so whatever is wrong with it is damage. At the end
 * of the last segment a batch may be incomplete, or a hole may have been left where sectors did not reach the disk. It may
 * be cut off unless a commit behind it says that it had been confirmed.
 *
 * <p>Damage keeps the ledger from being opened, with one exception: if the write-ahead log still has every entry behind the
 * last good batch, the ledger is cut there and the entries are applied again. What is cut off is set aside, never deleted.
 */
final class Replay {
    private static final String CURE = Recovery.CURE;

    /** The last segment, open and cut. */
    record Tail(int segment, DiskFile file, long end, Usage usage) {}

    /** The last good batch: where it ends, and what its segment held by then. */
    private record Good(long position, Ledger.@Nullable Commit commit, boolean complete, Usage usage) {
        long appliedIndex() {
            return commit == null ? 0 : commit.appliedIndex();
        }
    }

    private final Disk disk;
    private final Path directory;
    private final @Nullable Mark mark;
    private final long asOf;
    private final boolean mayCut;
    private final List<Damaged> notes;

    private Good good;
    /** The position up to which the ledger was synced, as far as its commits know. */
    private long confirmed;
    private final List<Integer> segments = new ArrayList<>();
    /** Those behind the last one in which anything was confirmed: one at most. */
    private final List<Integer> leftover = new ArrayList<>();
    private final List<Integer> aside = new ArrayList<>();
    private final List<LedgerFile> sealed = new ArrayList<>();
    private final List<Usage> usages = new ArrayList<>();
    /** Where the last segment ends, and what it holds by then. */
    private long end;
    private Usage tailUsage = new Usage();
    /** Whether it holds nothing behind that. */
    private boolean clean = true;
    private @Nullable String repaired;

    /**
     * @param asOf the ledger must reach this position, for records were given up on the strength of what lies before it
     * @param mayCut whether that is known for certain
     */
    Replay(Disk disk, Path directory, @Nullable Mark mark, Usage usage, long asOf, boolean mayCut,
            List<Damaged> notes) {
        this.disk = disk;
        this.directory = directory;
        this.mark = mark;
        this.asOf = asOf;
        this.mayCut = mayCut;
        this.notes = notes;
        good = mark == null ? new Good(Format.position(Ledger.FIRST_SEGMENT, 0), null, false, usage)
                : new Good(mark.position(), mark.commit(), true, usage);
        confirmed = mark == null ? 0 : mark.position();
    }

    Ledger.@Nullable Commit last() {
        return good.commit;
    }

    /** Whether nothing before the last commit can be missing without somebody noticing. */
    boolean lastIsComplete() {
        return good.complete;
    }

    /** The full segments, open. */
    List<LedgerFile> sealed() {
        return sealed;
    }

    /** What was set aside and why; null if nothing was. */
    @Nullable
    String repaired() {
        return repaired;
    }

    private Path path(int segment) {
        return directory.resolve(FileName.segment(segment));
    }

    private int firstSegment() {
        return mark == null ? Ledger.FIRST_SEGMENT : mark.segment();
    }

    /** Where the scan of a segment begins. */
    private long begin(int segment) {
        return mark != null && segment == mark.segment() ? Format.offset(mark.position()) : Format.HEAD;
    }

    // --- first look -------------------------------------------------------------------------------------------------

    /** Finds out where the ledger ends, and throws {@link Damaged} if it may not be opened. */
    void check(Inventory inventory, long logReachesBackTo) {
        inventory.segments().stream().filter(segment -> segment >= firstSegment()).forEach(segments::add);
        if (isNextInLine() && wasNeverBegun(segments.getLast())) {
            leftover.add(segments.removeLast());
        }
        int at = 0;
        try {
            while (at < Math.max(segments.size(), mark == null ? 0 : 1)) {
                checkSegment(at);
                at++;
            }
            requireReach();
        } catch (Damaged damage) {
            cut(Math.min(at, segments.size()), damage, logReachesBackTo);
        }
    }

    /** Whether the last segment may be one that was just being begun: none is missing, and it does not hold the mark. */
    private boolean isNextInLine() {
        return !segments.isEmpty() && segments.getLast() == firstSegment() + segments.size() - 1
                && (mark == null || segments.getLast() != mark.segment());
    }

    /** Whether power went before the head of this segment was synced, so that nothing in it was confirmed. */
    private boolean wasNeverBegun(int segment) {
        try (DiskFile file = disk.open(path(segment))) {
            SegmentScan scan = new SegmentScan(file, segment, file.size());
            return scan.version() == 0 && !scan.wasConfirmed(0);
        }
    }

    private void checkSegment(int at) {
        int segment = firstSegment() + at;
        if (at >= segments.size() || segments.get(at) != segment) {
            throw new Damaged(directory, 0, "segment " + segment + " of the ledger is missing." + CURE);
        }
        try (DiskFile file = disk.open(path(segment))) {
            long size = file.size();
            if (size < begin(segment)) {
                throw damaged(segment, size, "the file ends before the checkpoint's mark");
            }
            SegmentScan scan = new SegmentScan(file, segment, size);
            checkHead(segment, scan);
            scan.from(begin(segment));
            Usage usage = at == 0 ? good.usage.copy() : new Usage();
            scan(scan, usage);
            if (at + 1 < segments.size()) {
                if (!scan.isOver()) {
                    throw damaged(segment, scan.end(), or(scan.problem(), "the segment ends too early"));
                }
                usages.add(usage);
                return;
            }
            if (scan.wasConfirmed(scan.end()) || (!leftover.isEmpty() && !scan.isSealed())) {
                throw damaged(segment, scan.end(), or(scan.problem(), "records are missing"));
            }
            boolean holdsGood = Format.segment(good.position) == segment;
            end = holdsGood ? Math.max(Format.offset(good.position), Format.HEAD) : Format.HEAD;
            tailUsage = holdsGood ? good.usage : new Usage();
            clean = scan.isZeroFrom(end);
        }
    }

    private static String or(@Nullable String problem, String otherwise) {
        return problem == null ? otherwise : problem;
    }

    private void checkHead(int segment, SegmentScan scan) {
        int version = scan.version();
        if (version != 0 && version != Format.VERSION) {
            throw new DiskFailure("open", path(segment), "written in format " + version
                    + " by a newer Quoin; this one reads format " + Format.VERSION, null);
        }
        if (version == Format.VERSION) {
            return;
        }
        if (begin(segment) == Format.HEAD) {
            throw damaged(segment, 0, "it does not begin with the head of a segment");
        }
        // Behind the mark each record tells for itself where it belongs.
        notes.add(new Damaged(path(segment), 0, "it does not begin with the head of a segment"));
    }

    /** Goes through to the last good record. */
    private void scan(SegmentScan scan, Usage usage) {
        while (scan.next()) {
            if (scan.kind() > 0) {
                usage.add(scan.length());
            } else if (scan.kind() == Format.COMMIT) {
                commit(scan, usage);
            }
        }
    }

    private void commit(SegmentScan scan, Usage usage) {
        Bytes payload = scan.payload();
        long term = Format.longAt(payload.array(), payload.offset());
        long bound = Format.longAt(payload.array(), payload.offset() + 8);
        Bytes configuration = payload.slice(Format.COMMIT_HEAD, payload.length() - Format.COMMIT_HEAD);
        good = new Good(Format.position(Format.segment(scan.position()), scan.end()),
                new Ledger.Commit(scan.main(), term, configuration.compact()), bound == scan.position(), usage.copy());
        confirmed = Math.max(confirmed, bound);
    }

    private void requireReach() {
        if (good.position < asOf) {
            throw damaged(Format.segment(good.position), Format.offset(good.position),
                    "it had been longer when other files were rewritten");
        }
    }

    private Damaged damaged(int segment, long offset, String problem) {
        String from = good.commit == null ? "nothing in it" : "nothing applied after index " + good.appliedIndex();
        return new Damaged(path(segment), offset, from + " can be trusted (" + problem + ")." + CURE);
    }

    // --- cutting ----------------------------------------------------------------------------------------------------

    /** Decides to go on from the last good batch, or not to. {@code at} is the first segment with damage. */
    private void cut(int at, Damaged damage, long logReachesBackTo) {
        boolean logHasTheRest = good.appliedIndex() >= logReachesBackTo;
        boolean prefixIsThere = mark == null || (!segments.isEmpty() && segments.getFirst() == firstSegment()
                && sizeOf(firstSegment()) >= Format.offset(mark.position()));
        if (!mayCut || !logHasTheRest || !prefixIsThere || good.position < asOf) {
            throw damage;
        }
        aside.addAll(segments.subList(at, segments.size()));
        aside.addAll(leftover);
        leftover.clear();
        int lastGood = Format.segment(good.position);
        segments.removeIf(segment -> segment > lastGood || good.commit == null);
        while (usages.size() > Math.max(0, segments.size() - 1)) {
            usages.removeLast();
        }
        end = Format.offset(good.position);
        tailUsage = good.usage;
        clean = false;
        repaired = String.format(Locale.ROOT,
                "%s The ledger was cut behind applied index %d, what was behind it is kept as *%s, and the entries from"
                        + " there on are applied again.",
                String.valueOf(damage.getMessage()).replace(CURE, ""), good.appliedIndex(), FileName.DAMAGED);
    }

    private long sizeOf(int segment) {
        try (DiskFile file = disk.open(path(segment))) {
            return file.size();
        }
    }

    /**
     * From the first to the last: as long as one is left, the ledger has a gap or a segment without a seal before it, and
     * whoever opens it after a crash comes to the same decision.
     */
    private void setAside() {
        for (int segment : aside) {
            boolean hasGoodBeginning = segments.contains(segment);
            if (hasGoodBeginning) {
                copyPrefix(segment);
            }
            disk.rename(path(segment), freeName(segment));
            if (hasGoodBeginning) {
                disk.rename(directory.resolve(FileName.segment(segment) + FileName.PREFIX), path(segment));
            }
        }
        if (!aside.isEmpty()) {
            disk.syncDirectory(directory);
        }
    }

    private void copyPrefix(int segment) {
        Path prefix = directory.resolve(FileName.segment(segment) + FileName.PREFIX);
        try (DiskFile from = disk.open(path(segment)); DiskFile to = disk.create(prefix)) {
            FileWindow window = new FileWindow(from, Format.offset(good.position));
            for (long offset = 0; offset < window.size(); offset += FileWindow.BYTES) {
                int length = (int) Math.min(FileWindow.BYTES, window.size() - offset);
                int at = window.load(offset, length);
                to.writeFully(offset, window.bytes(), at, length);
            }
            to.sync();
        }
        disk.syncDirectory(directory);
    }

    private Path freeName(int segment) {
        String name = FileName.segment(segment) + FileName.DAMAGED;
        for (int n = 2; disk.exists(directory.resolve(name)); n++) {
            name = FileName.segment(segment) + FileName.DAMAGED + "." + n;
        }
        return directory.resolve(name);
    }

    // --- telling and settling ---------------------------------------------------------------------------------------

    /** Hands over the records of all batches that are there. */
    void tell(Ledger.Visitor visitor) {
        for (int segment : segments) {
            try (DiskFile file = disk.open(path(segment))) {
                long to = segment == segments.getLast() ? end : file.size();
                SegmentScan scan = new SegmentScan(file, segment, to);
                scan.from(begin(segment));
                while (scan.next()) {
                    if (scan.kind() > 0) {
                        visitor.record(scan.position(), scan.main(), scan.sub(), scan.kind(), scan.payload());
                    }
                }
                if (scan.end() != to) {
                    throw damaged(segment, scan.end(), "it reads differently the second time");
                }
            }
        }
    }

    /** Makes the files be what was decided; the last one is left open. */
    @Nullable
    Tail settle() {
        setAside();
        // A successor must be gone before the seal may go.
        for (int segment : leftover) {
            disk.delete(path(segment));
            disk.syncDirectory(directory);
        }
        if (segments.isEmpty()) {
            return null;
        }
        for (int i = 0; i + 1 < segments.size(); i++) {
            try (DiskFile file = disk.open(path(segments.get(i)))) {
                sealed.add(new LedgerFile.Segment(file.path(), segments.get(i), file.view(file.size()), usages.get(i),
                        false));
            }
        }
        return openTail(segments.getLast());
    }

    private Tail openTail(int segment) {
        DiskFile file = disk.open(path(segment));
        boolean done = false;
        try {
            if (!clean) {
                file.truncate(end);
            }
            // What was read may not be durable, neither bytes nor names: a process that was killed, or whose last sync
            // failed, left it to the page cache.
            file.rewrite(Format.segment(confirmed) == segment ? Format.offset(confirmed) : 0, end);
            file.sync();
            disk.syncDirectory(directory);
            done = true;
            return new Tail(segment, file, end, tailUsage);
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

}
