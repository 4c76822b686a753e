package dev.quoin.disk.snapshot;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;

/** What the hash of a database is of. That it is etcd's own: {@code SnapshotExchangeTest} in the room {@code member}. */
class DatabaseHashTest {
    private static int crc(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return (int) crc.getValue();
    }

    private static SortedMap<Bytes, Bytes> rows(String... keysAndValues) {
        SortedMap<Bytes, Bytes> rows = new TreeMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            rows.put(Bytes.utf8(keysAndValues[i]), Bytes.utf8(keysAndValues[i + 1]));
        }
        return rows;
    }

    private static int hash(Map<String, ? extends SortedMap<Bytes, Bytes>> buckets) {
        return DatabaseHash.of(Snapshots.rowsOf(Snapshots.buckets(buckets)));
    }

    @Test
    void itIsOfNamesKeysAndValuesOneBehindTheOther() {
        assertThat(hash(Map.of())).isEqualTo(crc(""));
        assertThat(hash(Map.of("lease", rows("2", "two", "1", "one"), "alarm", rows(), "key", rows("k", "v"))))
                .isEqualTo(crc("alarmkeykvlease1one2two"));
    }

    @Test
    void whatAMemberKeepsOfItselfAloneIsLeftOut() {
        SortedMap<Bytes, Bytes> meta = rows("consistent_index", "9", "term", "3", "storageVersion", "3.7.0",
                "confState", "{}", "finishedCompactRev", "5");
        assertThat(hash(Map.of("meta", meta))).isEqualTo(crc("metaconfState{}finishedCompactRev5"));
        assertThat(hash(Map.of("key", rows("term", "3")))).as("in meta only").isEqualTo(crc("keyterm3"));
    }

    @Test
    void whereRowsLieInAFileChangesNothing() {
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = Snapshots
                .buckets(Map.of("key", Snapshots.history(new Random(9), 500, 9_000), "meta", rows("term", "3")));
        FaultyDisk disk = new FaultyDisk(new Random(9));
        Snapshots.put(disk, Path.of("db"), Snapshots.written(Snapshots.rowsOf(buckets)));
        try (SnapshotReader reader = SnapshotReader.open(disk, Path.of("db"), SnapshotLimits.DEFAULT)) {
            assertThat(DatabaseHash.of(reader.buckets())).isEqualTo(DatabaseHash.of(Snapshots.rowsOf(buckets)));
        }
    }
}
