package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.ledger.CheckpointFormat.FileState;

/**
 * Opens what is on the disk. First everything is looked at and decided, then the visitor is told, and only then is anything
 * changed.
 *
 * <p>What lies before the checkpoint's mark is there for readers only: what is wrong with it is noted and keeps nobody from
 * starting. What lies behind it ({@link Replay}) is needed to the last record.
 */
final class Recovery {
    static final String CURE = "\n" + Damaged.REMEDY;

    /** Where everything up to the mark comes from; the files by their first segment, without that of the mark. */
    private record Checkpoint(Mark mark, NavigableMap<Integer, FileState> files, Usage markUsage, long size) {}

    private final Disk disk;
    private final Path directory;
    private final Ledger.Visitor visitor;
    private final List<Damaged> notes = new ArrayList<>();
    private final List<LedgerFile> files = new ArrayList<>();
    private final Space space = new Space();
    private @Nullable Checkpoint checkpoint;
    private @Nullable Replay replay;
    /** Whether it is known of every packed file how far the ledger reached when it was made. */
    private boolean mayCut = true;

    Recovery(Disk disk, Path directory, Ledger.Visitor visitor) {
        this.disk = disk;
        this.directory = directory;
        this.visitor = visitor;
    }

    /** The full files, open. */
    List<LedgerFile> files() {
        return files;
    }

    /** Damage that nobody needs to stop for. */
    List<Damaged> notes() {
        return notes;
    }

    Space space() {
        return space;
    }

    /** Where the durable checkpoint stands, 0 if there is none. */
    long checkpointed() {
        return checkpoint == null ? 0 : checkpoint.mark.position();
    }

    /** The last segment, open for the writer, or null if the ledger is empty. */
    Replay.@Nullable Tail run(long logReachesBackTo) {
        boolean done = false;
        try {
            Replay.Tail tail = openAll(logReachesBackTo);
            done = true;
            return tail;
        } finally {
            if (!done) {
                files.forEach(LedgerFile::retire);
            }
        }
    }

    Replay replay() {
        if (replay == null) {
            throw new IllegalStateException("nothing was replayed yet");
        }
        return replay;
    }

    private Replay.@Nullable Tail openAll(long logReachesBackTo) {
        Inventory inventory = Inventory.of(disk, directory);
        if (!inventory.prefixes().isEmpty()) {
            finishSettingAside(inventory);
            inventory = Inventory.of(disk, directory);
        }
        checkpoint = readCheckpoint(inventory);
        Mark mark = checkpoint == null ? null : checkpoint.mark;
        long asOf = openPacked(inventory, mark);
        openSegmentsBefore(inventory, mark);
        noteWhatIsMissing();
        Replay behind = new Replay(disk, directory, mark, checkpoint == null ? new Usage() : checkpoint.markUsage, asOf,
                mayCut, notes);
        replay = behind;
        behind.check(inventory, logReachesBackTo);
        tell(behind);
        delete(inventory.leftovers());
        Replay.Tail tail = behind.settle();
        for (LedgerFile file : files) {
            count(file.usage(), file.length());
        }
        for (LedgerFile file : behind.sealed()) {
            files.add(file);
            count(file.usage(), file.length());
        }
        if (tail != null) {
            count(tail.usage(), tail.end());
        }
        space.checkpoint(checkpoint == null ? 0 : checkpoint.size);
        return tail;
    }

    /** Power went while a segment was being set aside: its good beginning takes its place, or is not needed. */
    private void finishSettingAside(Inventory inventory) {
        for (int segment : inventory.prefixes()) {
            Path whole = directory.resolve(FileName.segment(segment));
            Path prefix = directory.resolve(FileName.segment(segment) + FileName.PREFIX);
            if (disk.exists(whole)) {
                disk.delete(prefix);
            } else {
                disk.rename(prefix, whole);
            }
            disk.syncDirectory(directory);
        }
    }

    private void count(Usage usage, long length) {
        space.append(usage.recordBytes());
        space.bury(usage.recordBytes() - usage.liveBytes());
        space.write(length);
    }

    private void tell(Replay behind) {
        if (checkpoint != null) {
            try (DiskFile file = disk.open(directory.resolve(FileName.CHECKPOINT))) {
                CheckpointScan scan = new CheckpointScan(file);
                while (scan.next()) {
                    visitor.image(scan.kind(), scan.payload());
                }
            }
        }
        behind.tell(visitor);
    }

    private void delete(List<String> names) {
        for (String name : names) {
            disk.delete(directory.resolve(name));
        }
        if (!names.isEmpty()) {
            disk.syncDirectory(directory);
        }
    }

    // --- the checkpoint ---------------------------------------------------------------------------------------------

    /** Reads all of it before any of it is believed. Without it nothing may have been given up. */
    private @Nullable Checkpoint readCheckpoint(Inventory inventory) {
        boolean complete = inventory.packed().isEmpty() && !inventory.segments().isEmpty()
                && inventory.segments().getFirst() == Ledger.FIRST_SEGMENT;
        Path path = directory.resolve(FileName.CHECKPOINT);
        if (!inventory.hasCheckpoint()) {
            if (!inventory.packed().isEmpty()) {
                throw new Damaged(path, 0, "the checkpoint is missing, and segments were rewritten since." + CURE);
            }
            return null;
        }
        try (DiskFile file = disk.open(path)) {
            CheckpointScan scan = new CheckpointScan(file);
            while (scan.next()) {
            }
            List<FileState> states = scan.files();
            FileState last = states.removeLast();
            NavigableMap<Integer, FileState> before = new TreeMap<>();
            states.forEach(state -> before.put(state.first(), state));
            Mark mark = new Mark(scan.markPosition(), scan.markCommit(), last.records(), last.recordBytes());
            return new Checkpoint(mark, before, last.usage(), scan.size());
        } catch (Damaged damage) {
            if (!complete) {
                throw new Damaged(path, damage.offset(), damage.what()
                        + ", and the ledger before it is not there as a whole." + CURE, damage);
            }
            notes.add(damage);
            return null;
        }
    }

    private @Nullable FileState stateOf(int first, int last) {
        FileState state = checkpoint == null ? null : checkpoint.files.get(first);
        return state != null && state.last() == last ? state : null;
    }

    // --- files before the mark --------------------------------------------------------------------------------------

    /** The position up to which the ledger must reach: deaths before it were acted upon. */
    private long openPacked(Inventory inventory, @Nullable Mark mark) {
        long asOf = 0;
        for (FileName.Packed name : inventory.packed()) {
            if (mark == null || name.last() >= mark.segment()) {
                throw new Damaged(directory.resolve(FileName.packed(name.first(), name.last())), 0,
                        "it stands for segments that are not before the checkpoint." + CURE);
            }
            LedgerFile file = openPacked(name);
            files.add(file);
            if (file instanceof LedgerFile.Packed packed) {
                asOf = Math.max(asOf, packed.asOf());
            } else {
                mayCut = false;
                // It may have been the reason why others went: they are kept for people to look at.
                inventory.leftovers().removeIf(other -> isWithin(other, name));
            }
        }
        return asOf;
    }

    private static boolean isWithin(String other, FileName.Packed name) {
        return switch (FileName.of(other)) {
            case FileName.Segment(int number) -> name.covers(number, number);
            case FileName.Packed(int first, int last) -> name.covers(first, last);
            case FileName.Checkpoint(),FileName.Prefix(_),FileName.Unfinished(),FileName.Other() -> false;
        };
    }

    private LedgerFile openPacked(FileName.Packed name) {
        Path path = directory.resolve(FileName.packed(name.first(), name.last()));
        FileState state = stateOf(name.first(), name.last());
        try (DiskFile file = disk.open(path)) {
            long size = file.size();
            try {
                PackedFormat.Contents contents = PackedFormat.read(file, name.first(), name.last());
                PackedTable table = contents.table();
                Usage usage = state != null && state.length() == size && state.records() == table.records()
                        ? state.usage()
                        : new Usage(table.records(), table.recordBytes(), 0, 0);
                return new LedgerFile.Packed(path, name.first(), name.last(), file.view(size), table,
                        contents.asOf(), usage);
            } catch (Damaged damage) {
                notes.add(damage);
                return new LedgerFile.Unreadable(path, name.first(), name.last(), size, damage,
                        state == null ? new Usage() : state.usage());
            }
        }
    }

    private void openSegmentsBefore(Inventory inventory, @Nullable Mark mark) {
        if (mark == null) {
            return;
        }
        for (int segment : inventory.segments()) {
            if (segment < mark.segment()) {
                openSegmentBefore(segment);
            }
        }
        files.sort((a, b) -> Integer.compare(a.first(), b.first()));
    }

    private void openSegmentBefore(int segment) {
        Path path = directory.resolve(FileName.segment(segment));
        FileState state = stateOf(segment, segment);
        try (DiskFile file = disk.open(path)) {
            long size = file.size();
            long length = state == null ? size : Math.min(size, state.length());
            files.add(new LedgerFile.Segment(path, segment, file.view(length),
                    state == null ? new Usage() : state.usage(), false));
            if (state == null || size < state.length()) {
                notes.add(new Damaged(path, size, state == null ? "the checkpoint does not know it"
                        : String.format(Locale.ROOT, "the file ends here, and had %,d bytes", state.length())));
            }
        }
    }

    private void noteWhatIsMissing() {
        if (checkpoint == null) {
            return;
        }
        NavigableMap<Integer, LedgerFile> there = new TreeMap<>();
        files.forEach(file -> there.put(file.first(), file));
        for (FileState state : checkpoint.files.values()) {
            Map.Entry<Integer, LedgerFile> entry = there.floorEntry(state.first());
            if (entry == null || entry.getValue().last() < state.last()) {
                boolean single = state.first() == state.last();
                notes.add(new Damaged(directory.resolve(single ? FileName.segment(state.first())
                        : FileName.packed(state.first(), state.last())), 0, "the file is missing"));
            }
        }
    }
}
