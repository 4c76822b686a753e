package dev.quoin.disk.wal;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * One round through the segments of a log that are full, to find damage before a start does, which reads all of them: each
 * record, read from the disk, and the chain of checksums over all. Reports what it finds, once for each segment, and changes
 * nothing. Driven in steps by one thread, while the log's owner goes on, and deletes segments that nobody needs.
 */
public final class LogScrub {
    private final Disk disk;
    private final Path directory;
    private final Bytes metadata;
    /** Records from here on are ours, and looked at more closely. */
    private final SyncedMark.Place ours;
    private final Consumer<Damaged> onDamage;
    /** Those that were full when the round began; the one that is being written is not among them. */
    private final Deque<SegmentName> left = new ArrayDeque<>();

    private @Nullable SegmentName segment;
    private @Nullable DiskFile file;
    private @Nullable SegmentReader reader;
    private int records;
    /** The checksum at the end of the segment before, if that is known. */
    private int crc;
    private boolean chainKnown;

    LogScrub(Disk disk, Path directory, Bytes metadata, SyncedMark.Place ours, Consumer<Damaged> onDamage) {
        this.disk = disk;
        this.directory = directory;
        this.metadata = metadata;
        this.ours = ours;
        this.onDamage = onDamage;
        try {
            for (String name : disk.list(directory)) {
                SegmentName found = SegmentName.parse(name);
                if (found != null) {
                    left.add(found);
                }
            }
            left.pollLast();
        } catch (DiskFailure failure) {
            onDamage.accept(new Damaged(directory, 0, "it cannot be read: " + failure.reason(), failure));
        }
    }

    /** Goes on, for about as many bytes; true if the round is over. */
    public boolean step(int bytesBudget) {
        long budget = bytesBudget;
        while (budget > 0) {
            SegmentReader running = reader;
            if (running != null) {
                budget -= turn(running);
            } else if (left.isEmpty()) {
                return true;
            } else {
                budget -= open(left.removeFirst());
            }
        }
        return false;
    }

    /** Leaves it at that. */
    public void abandon() {
        left.clear();
        close();
    }

    private long open(SegmentName next) {
        Path path = directory.resolve(next.toString());
        segment = next;
        records = 0;
        try {
            DiskFile opened = disk.openToRead(path);
            file = opened;
            reader = new SegmentReader(opened, opened.size(), crc, chainKnown);
        } catch (DiskFailure failure) {
            lost(path, failure);
        }
        return SegmentReader.SECTOR;
    }

    /** It may have been given up meanwhile, which is no damage. */
    private void lost(Path path, DiskFailure failure) {
        chainKnown = false;
        if (disk.exists(path)) {
            onDamage.accept(new Damaged(path, 0, "it cannot be read: " + failure.reason(), failure));
        }
        close();
    }

    /** Looks at one record; how many bytes that took. */
    private long turn(SegmentReader running) {
        SegmentName name = Objects.requireNonNull(segment);
        Path path = directory.resolve(name.toString());
        try {
            if (running.next()) {
                check(running, name);
                return running.end() - running.offset();
            }
            if (records < 2 || !running.isZeroFrom(running.end())) {
                throw new BadRecord(running.end(), BadRecord.NOT_TORN, "it ends where it does not");
            }
            crc = running.crc();
            chainKnown = true;
            close();
        } catch (BadRecord bad) {
            chainKnown = false;
            close();
            onDamage.accept(new Damaged(path, bad.offset, String.format(Locale.ROOT,
                    "some of the entries from index %,d on cannot be trusted (%s)", name.index(), bad.what())));
        } catch (DiskFailure failure) {
            lost(path, failure);
        }
        return 1;
    }

    /** What a record is, its checksum does not cover. */
    private void check(SegmentReader running, SegmentName name) throws BadRecord {
        records++;
        int type = running.type();
        boolean isHead = type == RecordType.CRC || type == RecordType.METADATA;
        boolean fits = records <= 2 ? type == (records == 1 ? RecordType.CRC : RecordType.METADATA) : !isHead;
        boolean isStrict = new SyncedMark.Place(name.number(), running.offset()).compareTo(ours) >= 0;
        try {
            switch (type) {
                case RecordType.CRC -> {}
                case RecordType.METADATA -> fits &= running.data().equals(metadata);
                case RecordType.ENTRY -> Records.entry(running.data(), isStrict);
                case RecordType.STATE -> Records.state(running.data(), isStrict);
                default -> Records.snapshot(running.data(), isStrict);
            }
        } catch (Malformed malformed) {
            throw new BadRecord(running.offset(), BadRecord.NOT_TORN, String.valueOf(malformed.getMessage()));
        }
        if (!fits) {
            throw new BadRecord(running.offset(), BadRecord.NOT_TORN,
                    "record " + records + " of the segment has type " + type);
        }
    }

    private void close() {
        DiskFile open = file;
        file = null;
        reader = null;
        if (open != null) {
            open.close();
        }
    }
}
