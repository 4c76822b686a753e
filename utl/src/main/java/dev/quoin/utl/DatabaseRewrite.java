package dev.quoin.utl;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.Rows;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.snapshot.SnapshotWriter;

/**
 * Writes a database of etcd's anew, row by row, beside the one there is, and then puts it in its place: whole, or not at all.
 * Holds a row and a page for each level of a tree, whatever the file's size. Nobody may be using it.
 */
final class DatabaseRewrite {
    static final Bytes META = Bytes.utf8("meta");
    private static final int META_ROWS_MAX = 10_000;
    /** As etcd's own are called, which its members delete when they find them. */
    private static final String TEMPORARY = "db.tmp.quoin";

    private final Disk disk;
    private final Path file;

    DatabaseRewrite(Disk disk, Path file) {
        this.disk = disk;
        this.file = file;
    }

    /** The bucket {@code meta}, which is small. */
    static SortedMap<Bytes, Bytes> meta(Path file, SnapshotReader database) {
        SortedMap<Bytes, Bytes> meta = new TreeMap<>();
        Rows rows = database.rows(META);
        if (rows != null) {
            rows.forEach((key, value) -> {
                if (meta.size() == META_ROWS_MAX) {
                    throw new Damaged(file, 0, "there are more than " + META_ROWS_MAX + " rows in meta");
                }
                meta.put(key.compact(), value.compact());
            });
        }
        return meta;
    }

    /**
     * Does it. Reads the file twice.
     *
     * @param change may change the rows of {@code meta}; all other rows stay as they are
     */
    void run(Consumer<SortedMap<Bytes, Bytes>> change) {
        Path made = file.resolveSibling(TEMPORARY);
        if (disk.exists(made)) {
            disk.delete(made);
        }
        boolean done = false;
        try (SnapshotReader database = SnapshotReader.openUnverified(disk, file, SnapshotLimits.DEFAULT)) {
            SortedMap<Bytes, Bytes> meta = meta(file, database);
            change.accept(meta);
            write(made, buckets(database, meta));
            done = true;
        } finally {
            if (!done && disk.exists(made)) {
                disk.delete(made);
            }
        }
        disk.rename(made, file);
        disk.syncDirectory(Disk.parentOf(file));
    }

    private static List<BucketRows> buckets(SnapshotReader database, SortedMap<Bytes, Bytes> meta) {
        List<BucketRows> buckets = new ArrayList<>();
        for (BucketRows bucket : database.buckets()) {
            buckets.add(bucket.name().equals(META) ? new BucketRows(META, sink -> meta.forEach(sink::row)) : bucket);
        }
        return buckets;
    }

    private void write(Path made, List<BucketRows> buckets) {
        SnapshotWriter writer = SnapshotWriter.measure(buckets);
        try (DiskFile target = disk.create(made)) {
            Appender appender = new Appender(target);
            writer.writeTo(appender::append);
            target.sync();
        }
    }

    private static final class Appender {
        private final DiskFile target;
        private long end;

        Appender(DiskFile target) {
            this.target = target;
        }

        void append(byte[] bytes, int offset, int length) {
            target.writeFully(end, bytes, offset, length);
            end += length;
        }
    }
}
