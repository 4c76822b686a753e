package dev.quoin.disk.snapshot;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;

import static org.assertj.core.api.Assertions.assertThat;

/** Buckets as maps, and the ways between them and files. */
final class Snapshots {
    private Snapshots() {}

    static List<BucketRows> rowsOf(SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets) {
        List<BucketRows> rows = new ArrayList<>();
        buckets.forEach((name, bucket) -> rows.add(new BucketRows(name, sink -> bucket.forEach(sink::row))));
        return rows;
    }

    /** The file as bytes, which must be as many as were promised. */
    static byte[] written(List<BucketRows> buckets) {
        SnapshotWriter writer = SnapshotWriter.measure(buckets);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        writer.writeTo(bytes::write);
        assertThat((long) bytes.size()).isEqualTo(writer.length());
        return bytes.toByteArray();
    }

    static void put(Disk disk, Path path, byte[] bytes) {
        try (DiskFile file = disk.create(path)) {
            file.writeFully(0, bytes, 0, bytes.length);
        }
    }

    static SortedMap<Bytes, SortedMap<Bytes, Bytes>> read(Disk disk, Path path) {
        try (SnapshotReader reader = SnapshotReader.open(disk, path, SnapshotLimits.DEFAULT)) {
            return read(reader);
        }
    }

    static SortedMap<Bytes, SortedMap<Bytes, Bytes>> read(SnapshotReader reader) {
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = new TreeMap<>();
        for (BucketRows bucket : reader.buckets()) {
            SortedMap<Bytes, Bytes> rows = new TreeMap<>();
            bucket.rows().forEach((key, value) -> {
                assertThat(rows.isEmpty() || rows.lastKey().compareTo(key) < 0).as("order").isTrue();
                rows.put(key.compact(), value.compact());
            });
            buckets.put(bucket.name(), rows);
        }
        return buckets;
    }

    static SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets(Map<String, ? extends SortedMap<Bytes, Bytes>> named) {
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = new TreeMap<>();
        named.forEach((name, rows) -> buckets.put(Bytes.utf8(name), new TreeMap<>(rows)));
        return buckets;
    }

    /** Revisions and values of a length that {@code random} chooses below {@code valueBytes}. */
    static SortedMap<Bytes, Bytes> history(Random random, int count, int valueBytes) {
        SortedMap<Bytes, Bytes> rows = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            rows.put(new RevisionKey(2 + i / 3, i % 3, i % 7 == 0).encode(), bytes(random, random.nextInt(valueBytes)));
        }
        return rows;
    }

    static Bytes bytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return Bytes.of(bytes);
    }
}
