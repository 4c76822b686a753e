package dev.quoin.disk.snapshot;

import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What is written is read back, as long as it was said to be, whatever its shape. */
class SnapshotTest {
    private static final Path FILE = Path.of("db");

    private final FaultyDisk disk = new FaultyDisk(new Random(7));

    private void assertRoundTrip(SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets) {
        Snapshots.put(disk, FILE, Snapshots.written(Snapshots.rowsOf(buckets)));
        assertThat(Snapshots.read(disk, FILE)).isEqualTo(buckets);
        disk.delete(FILE);
    }

    /** Small buckets lie in the page that names them, large ones have pages of their own. */
    @Test
    void aRowIsFoundAgainByItsPlace() {
        for (int rows : new int[]{3, 5_000}) {
            SortedMap<Bytes, Bytes> history = Snapshots.history(new Random(rows), rows, 40);
            Snapshots.put(disk, FILE, Snapshots.written(Snapshots.rowsOf(Snapshots.buckets(Map.of("key", history)))));
            try (SnapshotReader reader = SnapshotReader.open(disk, FILE, SnapshotLimits.DEFAULT)) {
                SortedMap<Bytes, Long> places = new TreeMap<>();
                assertThat(reader.forEachPlaced(Bytes.utf8("key"),
                        (key, value, place) -> places.put(key.compact(), place)))
                        .isTrue();
                assertThat(places.keySet()).isEqualTo(history.keySet());
                places.forEach((key, place) -> assertThat(reader.rowAt(place))
                        .isEqualTo(new SnapshotReader.Row(key, Objects.requireNonNull(history.get(key)))));
                assertThat(reader.forEachPlaced(Bytes.utf8("none"), (key, value, place) -> {})).isFalse();
                assertThatThrownBy(() -> reader.rowAt(1L << 40)).isInstanceOf(Damaged.class);
            }
            disk.delete(FILE);
        }
    }

    // --- format -----------------------------------------------------------------------------------------------------

    /** The two metas of a fresh database of bbolt's. */
    @Test
    void metasAreBboltsOwn() {
        Meta fresh = new Meta(4096, 3, 2, 4, 0);
        byte[] first = fresh.encode(0);
        byte[] second = new Meta(4096, 3, 2, 4, 1).encode(1);
        assertThat(Long.toHexString(Format.longAt(first, 72))).isEqualTo("7516e114689fdee");
        assertThat(Long.toHexString(Format.longAt(second, 72))).isEqualTo("264c351a5179480f");
        assertThat(HexFormat.of().formatHex(first, 0, 32))
                .isEqualTo("00000000000000000400000000000000" + "edda0ced020000000010000000000000");
        assertThat(Meta.decode(first, 16)).isEqualTo(fresh);
        first[40] ^= 1;
        assertThat(Meta.decode(first, 16)).isNull();
    }

    @Test
    void revisionKeysAreEtcdsOwn() {
        RevisionKey deletion = new RevisionKey(3, 0, true);
        assertThat(deletion.encode()).isEqualTo(hex("00000000000000035f000000000000000074"));
        assertThat(new RevisionKey(2, 258, false).encode()).isEqualTo(hex("00000000000000025f0000000000000102"));
        assertThat(RevisionKey.decode(deletion.encode())).isEqualTo(deletion);
        assertThat(RevisionKey.decode(hex("00000000000000025f0000000000000102")))
                .isEqualTo(new RevisionKey(2, 258, false));
        for (String wrong : List.of("", "00000000000000025f00000000000001", "00000000000000025e0000000000000102",
                "00000000000000025f000000000000010275", "80000000000000025f0000000000000102",
                "00000000000000025f00000000000001027474")) {
            assertThat(RevisionKey.decode(hex(wrong))).as(wrong).isNull();
        }
    }

    private static Bytes hex(String text) {
        return Bytes.of(HexFormat.of().parseHex(text));
    }

    // --- round trips ------------------------------------------------------------------------------------------------

    @Test
    void noBucketsAndEmptyOnes() {
        assertRoundTrip(new TreeMap<>());
        assertRoundTrip(Snapshots.buckets(Map.of("alarm", new TreeMap<>(), "key", new TreeMap<>())));
    }

    /** On both sides of where a bucket gets a page of its own, and a page gets a second one. */
    @Test
    void everyLengthAroundABoundary() {
        for (int boundary : List.of(1024, 4096, 8192, 65536)) {
            for (int length = boundary - 80; length <= boundary + 5; length++) {
                SortedMap<Bytes, Bytes> rows = new TreeMap<>(Map.of(Bytes.utf8("b"), Bytes.of(new byte[length]),
                        Bytes.utf8("a"), Bytes.EMPTY, Bytes.utf8("c"), Bytes.utf8("c")));
                assertRoundTrip(Snapshots.buckets(Map.of("key", rows, "next", rows)));
            }
        }
    }

    /** Keys as long as they may be: branches larger than a page, and a tree that is deep. */
    @Test
    void longKeysMakeADeepTree() {
        Random random = new Random(11);
        SortedMap<Bytes, Bytes> rows = new TreeMap<>();
        for (int i = 0; i < 200; i++) {
            byte[] key = Bytes.utf8("%04d".formatted(i)).toByteArray();
            rows.put(Bytes.of(Arrays.copyOf(key, i % 3 == 0 ? Format.KEY_BYTES_MAX : 3_000)),
                    Snapshots.bytes(random, i % 10 == 0 ? 100_000 : 10));
        }
        assertRoundTrip(Snapshots.buckets(Map.of("k", rows)));
    }

    /** Three levels of pages, and a root tree that does not fit a page. */
    @Test
    void manyRowsAndManyBuckets() {
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = new TreeMap<>();
        Random random = new Random(12);
        buckets.put(Bytes.utf8("big"), Snapshots.history(random, 300_000, 100));
        for (int i = 0; i < 600; i++) {
            buckets.put(Bytes.utf8("bucket " + i), Snapshots.history(random, random.nextInt(20), 100));
        }
        assertRoundTrip(buckets);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void randomBuckets(long seed) {
        Random random = new Random(seed);
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = new TreeMap<>();
        for (int i = random.nextInt(20); i > 0; i--) {
            SortedMap<Bytes, Bytes> rows = new TreeMap<>();
            int keyBytes = 1 << random.nextInt(12);
            int valueBytes = 1 << random.nextInt(15);
            for (int n = random.nextInt(1 << random.nextInt(10)); n > 0; n--) {
                rows.put(Snapshots.bytes(random, 1 + random.nextInt(keyBytes)),
                        Snapshots.bytes(random, random.nextInt(valueBytes)));
            }
            buckets.put(Snapshots.bytes(random, 1 + random.nextInt(30)), rows);
        }
        assertRoundTrip(buckets);
    }

    /** What a reader finds is what a writer takes. */
    @Test
    void aCopyIsTheSameFile() {
        byte[] bytes = Snapshots.written(Snapshots.rowsOf(Snapshots.buckets(Map.of("key",
                Snapshots.history(new Random(3), 5_000, 200), "lease", new TreeMap<>()))));
        Snapshots.put(disk, FILE, bytes);
        try (SnapshotReader reader = SnapshotReader.open(disk, FILE, SnapshotLimits.DEFAULT)) {
            assertThat(Snapshots.written(reader.buckets())).isEqualTo(bytes);
            assertThat(reader.length()).isEqualTo(bytes.length);
            assertThat(reader.hasHash()).isFalse();
            assertThat(reader.rows(Bytes.utf8("lease"))).isNotNull();
            assertThat(reader.rows(Bytes.utf8("none"))).isNull();
        }
    }

    @Test
    void whatLiesBehindTheDatabaseIsNotReadAndAHashIsVerified() throws Exception {
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = Snapshots.buckets(Map.of("key",
                Snapshots.history(new Random(3), 500, 200)));
        byte[] bytes = Snapshots.written(Snapshots.rowsOf(buckets));
        Snapshots.put(disk, FILE, Arrays.copyOf(bytes, bytes.length + 20_480));
        assertThat(Snapshots.read(disk, FILE)).isEqualTo(buckets);

        byte[] hashed = Arrays.copyOf(bytes, bytes.length + 32);
        System.arraycopy(MessageDigest.getInstance("SHA-256").digest(bytes), 0, hashed, bytes.length, 32);
        Path other = Path.of("hashed");
        Snapshots.put(disk, other, hashed);
        try (SnapshotReader reader = SnapshotReader.open(disk, other, SnapshotLimits.DEFAULT)) {
            assertThat(reader.hasHash()).isTrue();
            assertThat(reader.length()).isEqualTo(bytes.length);
            assertThat(Snapshots.read(reader)).isEqualTo(buckets);
        }
    }

    /** A database as bbolt makes it where pages are larger and the list of free pages is kept; also if one meta is lost. */
    @ParameterizedTest
    @ValueSource(ints = {1024, 8192, 16_384, 65_536, 1 << 24})
    void anyPageSizeAndAListOfFreePages(int pageSize) {
        byte[] file = new byte[4 * pageSize];
        for (int id = 0; id < 2; id++) {
            System.arraycopy(new Meta(pageSize, 3, 2, 4, id).encode(id), 0, file, id * pageSize, pageSize);
        }
        byte[] head = new byte[Format.PAGE_HEAD];
        Format.putPageHead(head, 2, 0x10, 0, 0);
        System.arraycopy(head, 0, file, 2 * pageSize, head.length);
        Format.putPageHead(head, 3, Format.LEAF, 0, 0);
        System.arraycopy(head, 0, file, 3 * pageSize, head.length);
        for (int lost = -1; lost < 2; lost++) {
            byte[] damaged = file.clone();
            if (lost >= 0) {
                Arrays.fill(damaged, lost * pageSize, lost * pageSize + 100, (byte) 0);
            }
            Snapshots.put(disk, FILE, damaged);
            try (SnapshotReader reader = SnapshotReader.open(disk, FILE, SnapshotLimits.DEFAULT)) {
                assertThat(reader.buckets()).isEmpty();
                assertThat(reader.length()).isEqualTo(file.length);
                assertThat(reader.transaction()).isEqualTo(lost == 1 ? 0 : 1);
            }
            disk.delete(FILE);
        }
    }

    // --- the writer's bounds ----------------------------------------------------------------------------------------

    /** Two gigabytes, written without being held: no part is larger than a value. */
    @Test
    void largeBucketsAreNotHeld() {
        Bytes value = Bytes.of(new byte[1_000_000]);
        Rows rows = sink -> {
            for (int i = 0; i < 2_000; i++) {
                sink.row(new RevisionKey(i + 2, 0, false).encode(), value);
            }
        };
        SnapshotWriter writer = SnapshotWriter.measure(List.of(new BucketRows(Bytes.utf8("key"), rows)));
        long[] written = {0};
        int[] parts = {0};
        writer.writeTo((bytes, offset, length) -> {
            written[0] += length;
            parts[0] = Math.max(parts[0], length);
        });
        assertThat(written[0]).isEqualTo(writer.length()).isGreaterThan(2_000_000_000L);
        assertThat(parts[0]).isEqualTo(value.length());
    }

    @Test
    void measuringAsksForLengthsOnly() {
        AtomicInteger walks = new AtomicInteger();
        Rows rows = new Rows() {
            @Override
            public void forEach(Sink sink) {
                walks.incrementAndGet();
                sink.row(Bytes.utf8("a"), Bytes.of(new byte[10_000]));
            }

            @Override
            public void forEachLength(LengthSink sink) {
                sink.row(Bytes.utf8("a"), 10_000);
            }
        };
        SnapshotWriter writer = SnapshotWriter.measure(List.of(new BucketRows(Bytes.utf8("key"), rows)));
        assertThat(walks).hasValue(0);
        assertThat(writer.length()).isEqualTo((2 + 3 + 1) * 4096);
        writer.writeTo((bytes, offset, length) -> {});
        assertThat(walks).hasValue(1);
    }

    @Test
    void rowsThatAreNotThoseMeasuredAreNeverSentAsIfTheyWere() {
        int[] length = {10};
        Rows rows = sink -> sink.row(Bytes.utf8("a"), Bytes.of(new byte[length[0]++ * 1_000]));
        SnapshotWriter writer = SnapshotWriter.measure(List.of(new BucketRows(Bytes.utf8("key"), rows)));
        length[0] = 20;
        assertThatThrownBy(() -> writer.writeTo((bytes, offset, count) -> {})).isInstanceOf(Invariant.Violation.class);
        length[0] = 5;
        assertThatThrownBy(() -> writer.writeTo((bytes, offset, count) -> {})).isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void keysThatBboltRefusesAreRefused() {
        for (List<String> keys : List.of(List.of("b", "a"), List.of("a", "a"), List.of(""),
                List.of("x".repeat(Format.KEY_BYTES_MAX + 1)))) {
            Rows rows = sink -> keys.forEach(key -> sink.row(Bytes.utf8(key), Bytes.EMPTY));
            List<BucketRows> buckets = List.of(new BucketRows(Bytes.utf8("key"), rows));
            assertThatThrownBy(() -> SnapshotWriter.measure(buckets)).isInstanceOf(Invariant.Violation.class);
        }
    }
}
