package dev.quoin.disk.wal;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Crc32c;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * Up to where the log was synced, in a file named {@code synced} among the segments.
 *
 * <p>The problem: when the end of a log does not make sense, was the last write cut short by power, so that nobody was
 * promised what it held, or did the disk damage what it had confirmed? etcd guesses from the pattern of the bytes. The
 * mark knows: what lies before it was confirmed, so it is damage; only what lies behind it may be cut off.
 *
 * <p>The mark may lag but must never lead, so it is written after a sync of the log has succeeded. It is written after
 * <i>every</i> one, but not synced: that costs a microsecond, and if only the process dies, the mark is exact. It is synced
 * when a segment is cut, when the log is closed, and every few MiB, which bounds how far it lags when power goes. There
 * are two copies in two sectors. All writes between two syncs go to the same one, so that the other is durable and whole
 * whatever becomes of them.
 *
 * <p>It also knows from where on the log is of our writing (a log may have been begun by etcd), for our records can be
 * checked more strictly. etcd ignores the file, since its name is not a segment's. Without it a log is read by etcd's
 * rules alone: deleting it is how to go on after etcd itself has appended to this log.
 */
final class SyncedMark {
    static final String NAME = "synced";
    private static final String TEMPORARY_NAME = "synced.tmp";
    private static final int MAGIC = 0x514e_534d; // QNSM
    private static final int VERSION = 1;
    private static final int LENGTH = 48;
    private static final int STRIDE = SegmentReader.SECTOR;

    /** A place in the log. */
    record Place(long segment, long offset) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            int bySegment = Long.compareUnsigned(segment, other.segment);
            return bySegment != 0 ? bySegment : Long.compare(offset, other.offset);
        }
    }

    private final DiskFile file;
    /** Records from here on are ours. */
    private final Place ours;
    private Place synced;
    private boolean second;

    private SyncedMark(DiskFile file, Place ours, Place synced) {
        this.file = file;
        this.ours = ours;
        this.synced = synced;
    }

    /** Makes the mark of a log of which everything up to {@code synced} is durable. It appears durably and as a whole. */
    static SyncedMark create(Disk disk, Path directory, Place ours, Place synced) {
        Path temporary = directory.resolve(TEMPORARY_NAME);
        if (disk.exists(temporary)) {
            disk.delete(temporary);
        }
        DiskFile file = disk.create(temporary);
        SyncedMark mark = new SyncedMark(file, ours, synced);
        mark.write();
        mark.sync();
        mark.write();
        mark.sync();
        file.renameTo(directory.resolve(NAME));
        disk.syncDirectory(directory);
        return mark;
    }

    /** The mark of this log, or null if it has none: then nobody but etcd has written it. */
    static @Nullable SyncedMark open(Disk disk, Path directory) {
        Path path = directory.resolve(NAME);
        if (!disk.exists(path)) {
            return null;
        }
        DiskFile file = disk.open(path);
        boolean done = false;
        try {
            SyncedMark mark = read(file);
            // The newer copy may be there only because the machine went on when the process died; the other is next. If it
            // was the sync of the mark that failed, only writing the copy anew brings it to the disk.
            file.rewrite(0, file.size());
            file.sync();
            done = true;
            return mark;
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

    private static SyncedMark read(DiskFile file) {
        byte[] bytes = new byte[STRIDE + LENGTH];
        int length = file.readFully(0, ByteBuffer.wrap(bytes));
        SyncedMark first = length < LENGTH ? null : parse(file, bytes, 0);
        SyncedMark second = length < STRIDE + LENGTH ? null : parse(file, bytes, STRIDE);
        if (first == null && second == null) {
            throw new Damaged(file.path(), 0, "nobody knows how much of this log was confirmed.\n"
                    + Damaged.REMEDY);
        }
        if (first == null || (second != null && second.synced.compareTo(first.synced) > 0)) {
            return Objects.requireNonNull(second);
        }
        // The other copy is the older one: it is written next.
        first.second = true;
        return first;
    }

    private static @Nullable SyncedMark parse(DiskFile file, byte[] bytes, int at) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, at, LENGTH);
        if (buffer.getInt() != MAGIC) {
            return null;
        }
        int version = buffer.getInt();
        Place ours = new Place(buffer.getLong(), buffer.getLong());
        Place synced = new Place(buffer.getLong(), buffer.getLong());
        int zero = buffer.getInt();
        if (buffer.getInt() != Crc32c.of(bytes, at, LENGTH - 4)) {
            return null;
        }
        if (version != VERSION || zero != 0) {
            throw new DiskFailure("open", file.path(),
                    "written in format " + version + " by a newer Quoin; this one knows "
                            + VERSION,
                    null);
        }
        return new SyncedMark(file, ours, synced);
    }

    Place ours() {
        return ours;
    }

    Place synced() {
        return synced;
    }

    /** Notes that a sync of the log up to {@code place} has succeeded. */
    void advance(Place place) {
        Invariant.check(place.compareTo(synced) >= 0, "the synced mark went back to byte %d", place.offset);
        synced = place;
        write();
    }

    /** Makes the mark durable. The next writes go to the other copy. */
    void sync() {
        file.sync();
        second = !second;
    }

    void close() {
        file.close();
    }

    private void write() {
        ByteBuffer buffer = ByteBuffer.allocate(LENGTH);
        buffer.putInt(MAGIC).putInt(VERSION);
        buffer.putLong(ours.segment).putLong(ours.offset);
        buffer.putLong(synced.segment).putLong(synced.offset);
        buffer.putInt(0).putInt(Crc32c.of(buffer.array(), 0, LENGTH - 4));
        file.writeFully(second ? STRIDE : 0, buffer.flip());
    }
}
