package dev.quoin.disk.snapshot;

import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.memory.FaultyDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Files that were changed, by chance and by somebody who knows the format: refused with their byte, or read as they were. */
@Timeout(120)
class SnapshotDamageTest {
    private static final Path FILE = Path.of("db");

    private final SortedMap<Bytes, SortedMap<Bytes, Bytes>> whole;
    private final byte[] bytes;

    SnapshotDamageTest() {
        Random random = new Random(5);
        SortedMap<Bytes, Bytes> rows = Snapshots.history(random, 600, 60);
        rows.put(new RevisionKey(1_000, 0, false).encode(), Snapshots.bytes(random, 9_000));
        rows.put(new RevisionKey(1_001, 0, true).encode(), Snapshots.bytes(random, 9));
        whole = Snapshots.buckets(Map.of("alarm", new TreeMap<>(), "key", rows, "lease",
                Snapshots.history(random, 100, 60), "meta", new TreeMap<>(Map.of(Bytes.utf8("consistent_index"),
                        Snapshots.bytes(random, 8), Bytes.utf8("term"), Snapshots.bytes(random, 8)))));
        bytes = Snapshots.written(Snapshots.rowsOf(whole));
    }

    /** What is read; null if it was refused as it should be. */
    private static @Nullable SortedMap<Bytes, SortedMap<Bytes, Bytes>> read(byte[] file, String story) {
        FaultyDisk disk = new FaultyDisk(new Random(1));
        disk.shortTransfers(false);
        Snapshots.put(disk, FILE, file);
        try {
            return Snapshots.read(disk, FILE);
        } catch (Damaged refused) {
            assertThat(refused.file()).as(story).isEqualTo("db");
            assertThat(refused.offset()).as(story).isBetween(0L, (long) file.length);
            return null;
        } catch (RuntimeException | Error e) {
            throw new AssertionError(story + ": not an answer", e);
        }
    }

    /** How many rows are not as they were: those that went, came, or changed. */
    private int changedRows(SortedMap<Bytes, SortedMap<Bytes, Bytes>> found) {
        int changed = 0;
        for (Map.Entry<Bytes, SortedMap<Bytes, Bytes>> bucket : whole.entrySet()) {
            SortedMap<Bytes, Bytes> rows = found.getOrDefault(bucket.getKey(), new TreeMap<>());
            changed += Math.abs(rows.size() - bucket.getValue().size());
            for (Map.Entry<Bytes, Bytes> row : bucket.getValue().entrySet()) {
                changed += row.getValue().equals(rows.get(row.getKey())) ? 0 : 1;
            }
        }
        return changed;
    }

    /**
     * Every bit of what is not a key or a value must be noticed, or not matter; in a key or a value it changes one row. In
     * the page that names the buckets a row is a bucket, so there more may be lost; but nothing else is thrown.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void aFlippedBitCostsARowAtMost(long seed) {
        Random random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 2_500; i++) {
            byte[] damaged = bytes.clone();
            int bit = i < 400 ? rootBit(i) : random.nextInt(bytes.length * 8);
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            String story = "seed %d, bit %d of byte %d".formatted(seed, bit % 8, bit / 8);
            SortedMap<Bytes, SortedMap<Bytes, Bytes>> found = read(damaged, story);
            refused += found == null ? 1 : 0;
            boolean isInRoot = bit / 8 >= bytes.length - 4096;
            if (found != null && !isInRoot) {
                assertThat(changedRows(found)).as(story).isLessThanOrEqualTo(1);
            }
        }
        assertThat(refused).isGreaterThan(200);
    }

    /** The page with the names of the buckets is the last. */
    private int rootBit(int i) {
        return (bytes.length - 4096) * 8 + i * 4 % (4096 * 8);
    }

    @Test
    void aFileThatIsCutShortIsRefused() {
        Random random = new Random(8);
        for (int i = 0; i < 500; i++) {
            int length = i < 100 ? i : random.nextInt(bytes.length);
            assertThat(read(Arrays.copyOf(bytes, length), "cut to " + length)).isNull();
        }
    }

    @Test
    void pagesThatChangedPlacesAreRefused() {
        int pages = bytes.length / 4096;
        for (int a = 2; a < pages; a++) {
            int b = 2 + a * 7 % (pages - 2);
            byte[] damaged = bytes.clone();
            System.arraycopy(bytes, a * 4096, damaged, b * 4096, 4096);
            String story = "page %d in the place of %d".formatted(a, b);
            SortedMap<Bytes, SortedMap<Bytes, Bytes>> found = read(damaged, story);
            if (a != b && found != null) {
                // Inside a large value nobody can tell.
                assertThat(changedRows(found)).as(story).isEqualTo(1);
            }
        }
    }

    @Test
    void withAHashEveryBitIsNoticed() throws Exception {
        byte[] hashed = Arrays.copyOf(bytes, bytes.length + 32);
        System.arraycopy(MessageDigest.getInstance("SHA-256").digest(bytes), 0, hashed, bytes.length, 32);
        assertThat(read(hashed, "whole")).isEqualTo(whole);
        Random random = new Random(9);
        for (int i = 0; i < 300; i++) {
            int bit = i < 100 ? hashed.length * 8 - 1 - i : random.nextInt(hashed.length * 8);
            byte[] damaged = hashed.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(read(damaged, "bit " + bit)).as("bit %d", bit).isNull();
        }
    }

    /** One meta is enough, whichever. */
    @Test
    void aLostMetaIsReplacedByTheOther() {
        for (int page = 0; page < 2; page++) {
            byte[] damaged = bytes.clone();
            Arrays.fill(damaged, page * 4096, page * 4096 + 4096, (byte) 0xff);
            assertThat(read(damaged, "meta " + page)).isEqualTo(whole);
        }
        byte[] damaged = bytes.clone();
        Arrays.fill(damaged, 0, 8192, (byte) 0);
        assertThat(read(damaged, "no metas")).isNull();
    }

    // --- somebody who knows the format ------------------------------------------------------------------------------

    /** A file with one meta, whose pages are as they are given. */
    private static byte[] forged(long root, long pageCount, byte[]... pages) {
        byte[] file = new byte[(pages.length + 2) * 4096];
        System.arraycopy(new Meta(4096, root, Meta.NO_FREELIST, pageCount, 2).encode(0), 0, file, 0, 4096);
        for (int i = 0; i < pages.length; i++) {
            System.arraycopy(pages[i], 0, file, (i + 2) * 4096, 4096);
        }
        return file;
    }

    private static byte[] branch(long id, long... children) {
        byte[] page = new byte[4096];
        Format.putPageHead(page, id, Format.BRANCH, children.length, 0);
        for (int i = 0; i < children.length; i++) {
            int at = 16 + 16 * i;
            int data = 16 + 16 * children.length + i;
            Format.putInt(page, at, data - at);
            Format.putInt(page, at + 4, 1);
            Format.putLong(page, at + 8, children[i]);
            page[data] = (byte) (i + 1);
        }
        return page;
    }

    private static byte[] emptyLeaf(long id) {
        byte[] page = new byte[4096];
        Format.putPageHead(page, id, Format.LEAF, 0, 0);
        return page;
    }

    @Test
    void liesOfTheMetaAreRefused() {
        for (long root : new long[]{-1, 0, 1, 3, 4, Long.MIN_VALUE, 1L << 52}) {
            assertThat(read(forged(root, 3, emptyLeaf(2)), "root " + root)).isNull();
        }
        for (long count : new long[]{-1, 0, 1, 2, 4, Long.MAX_VALUE, Integer.MAX_VALUE, 1L << 32, 1L << 52}) {
            assertThat(read(forged(2, count, emptyLeaf(2)), "page count " + count)).isNull();
        }
        assertThat(read(forged(2, 3, emptyLeaf(2)), "no lie")).isEmpty();
    }

    @Test
    void treesThatAreNoTreesAreRefused() {
        assertThat(read(forged(2, 3, branch(2, 2)), "a loop")).isNull();
        assertThat(read(forged(2, 4, branch(2, 3), branch(3, 2)), "a longer loop")).isNull();
        assertThat(read(forged(2, 3, branch(2)), "an empty branch")).isNull();
        assertThat(read(forged(2, 4, branch(2, 3), emptyLeaf(3)), "an empty leaf below")).isNull();
        // 120 to the power of 5 leaves, for whoever follows it.
        long[] same = new long[120];
        byte[][] pages = new byte[6][];
        for (int i = 0; i < 5; i++) {
            Arrays.fill(same, i + 3);
            pages[i] = branch(i + 2, same);
        }
        pages[5] = leaf(7, 0, 1);
        assertThat(read(forged(2, 8, pages), "a tree that is small and endless")).isNull();
        byte[][] chain = new byte[100][];
        for (int i = 0; i < 100; i++) {
            chain[i] = i == 99 ? emptyLeaf(i + 2) : branch(i + 2, i + 3);
        }
        assertThat(read(forged(2, 102, chain), "a deep one")).isNull();
    }

    /** A page that names one bucket, after {@code key}, whose root nobody will look for. */
    private static byte[] leaf(long id, int overflow, int key) {
        byte[] page = new byte[4096];
        Format.putPageHead(page, id, Format.LEAF, 1, overflow);
        Format.putInt(page, 16, Format.BUCKET_FLAG);
        Format.putInt(page, 20, 16);
        Format.putInt(page, 24, 1);
        Format.putInt(page, 28, Format.BUCKET_HEAD);
        page[32] = (byte) key;
        Format.putLong(page, 33, 99);
        return page;
    }

    private static void assertRefused(byte[] file, SnapshotLimits limits, String why) {
        FaultyDisk disk = new FaultyDisk(new Random(1));
        Snapshots.put(disk, FILE, file);
        assertThatThrownBy(() -> SnapshotReader.open(disk, FILE, limits)).isInstanceOf(Damaged.class)
                .hasMessageContaining(why);
    }

    /** Else a few pages could be read again and again, each as long as the file. */
    @Test
    void noPageIsPartOfTwoThings() {
        byte[][] pages = {branch(2, 3, 4), leaf(3, 1, 1), leaf(4, 0, 2)};
        assertRefused(forged(2, 5, pages), SnapshotLimits.DEFAULT, "page 4 belongs to something else");
        byte[][] apart = {branch(2, 3, 4), leaf(3, 0, 1), leaf(4, 0, 2)};
        FaultyDisk disk = new FaultyDisk(new Random(1));
        Snapshots.put(disk, FILE, forged(2, 5, apart));
        try (SnapshotReader reader = SnapshotReader.open(disk, FILE, SnapshotLimits.DEFAULT)) {
            assertThat(reader.buckets()).hasSize(2);
            Rows rows = reader.buckets().getFirst().rows();
            assertThatThrownBy(() -> rows.forEach((key, value) -> {})).isInstanceOf(Damaged.class)
                    .hasMessageContaining("page 99");
        }
    }

    @Test
    void limitsAreKept() {
        SnapshotLimits usual = SnapshotLimits.DEFAULT;
        byte[][] pages = {branch(2, 3, 4), leaf(3, 0, 1), leaf(4, 0, 2)};
        byte[] file = forged(2, 5, pages);
        assertRefused(file, new SnapshotLimits(4096, 64, 9, 99), "take too much memory");
        assertRefused(file, new SnapshotLimits(usual.pathBytesMax(), 1, 9, 99), "deeper than 1");
        assertRefused(file, new SnapshotLimits(usual.pathBytesMax(), 64, 1, 99), "more than 1 buckets");
        assertRefused(bytes, new SnapshotLimits(usual.pathBytesMax(), 64, 9, 40), "a bucket without pages");
        assertRefused(forged(2, 4, leaf(2, 1, 1), new byte[4096]), new SnapshotLimits(4096, 64, 9, 99),
                "more than 4096 bytes");
    }

    /** Bytes of any kind in pages whose heads are right: refused or read, never anything else. */
    @Test
    void pagesOfNoiseAreSurvived() {
        Random random = new Random(10);
        for (int i = 0; i < 3_000; i++) {
            byte[][] pages = new byte[3][4096];
            for (int p = 0; p < 3; p++) {
                for (int n = random.nextInt(60); n > 0; n--) {
                    pages[p][16 + random.nextInt(80)] = (byte) (random.nextInt(4) == 0 ? random.nextInt(256) : 1);
                }
                Format.putPageHead(pages[p], p + 2, 1 + random.nextInt(2), random.nextInt(5),
                        random.nextInt(8) == 0 ? random.nextInt() : 0);
            }
            read(forged(2, 5, pages), "noise " + i);
        }
    }
}
