package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** HashKV against values that etcd's own test pins down (server/storage/mvcc/hash_test.go) and some of ours. */
class HashTest {
    private static final long CYCLE = 71;
    private static final long TOTAL = 1210;

    private final MemoryRecords records = new MemoryRecords();
    private final Store store = new Store(records, 2);

    HashTest() {
        store.restored();
    }

    private static String pickKey(long i) {
        if (i % (CYCLE * 2) == 30) {
            return "zenek";
        }
        if (i % CYCLE == 30) {
            return "xavery";
        }
        return List.of("alice", "bob", "celine", "dominik", "eve", "frederica", "gorge").get((int) (i % 7));
    }

    private void putAll(long from, long count) {
        for (long i = from; i <= from + count; i++) {
            store.apply(Command.Put.of(Bytes.utf8(pickKey(i)), Bytes.utf8(Long.toString(i))));
        }
        store.publish();
    }

    private KeyHash hash(long revision) {
        return switch (store.view().hash(revision)) {
            case Hashing.Known(KeyHash known) -> known;
            case HashWalk walk -> inSteps(walk);
            case Hashing.Refused refused -> throw new AssertionError(refused);
        };
    }

    private static KeyHash inSteps(HashWalk walk) {
        while (true) {
            KeyHash hash = walk.step(7);
            if (hash != null) {
                return hash;
            }
        }
    }

    /** Takes out all that the compaction leaves over. */
    private void compact(long revision, boolean takeOut) {
        assertThat(store.apply(new Command.Compact(revision, true))).isInstanceOf(Outcome.Compacted.class);
        store.publish();
        if (takeOut) {
            CompactionWalk walk = new CompactionWalk(store.view(), revision);
            CompactionWalk.Slice slice;
            do {
                slice = walk.next(2, 3);
                store.compactKeys(slice);
            } while (!slice.isLast());
            store.compactionFinished(revision);
            store.publish();
        }
    }

    private List<KeyHash> golden(boolean lastRevision, boolean takeOut) {
        List<KeyHash> hashes = new ArrayList<>();
        long revision = 0;
        for (; revision < TOTAL; revision += CYCLE) {
            putAll(revision, CYCLE);
            hashes.add(hashAndCompact(lastRevision ? store.view().revision() : revision + CYCLE / 2, takeOut));
        }
        putAll(revision, TOTAL);
        hashes.add(hashAndCompact(lastRevision ? store.view().revision() : revision + TOTAL / 2, takeOut));
        return hashes;
    }

    private KeyHash hashAndCompact(long revision, boolean takeOut) {
        KeyHash hash = hash(revision);
        compact(revision, takeOut);
        return hash;
    }

    private static List<KeyHash> table(long... numbers) {
        List<KeyHash> table = new ArrayList<>();
        for (int i = 0; i < numbers.length; i += 3) {
            table.add(new KeyHash((int) numbers[i], numbers[i + 1], numbers[i + 2]));
        }
        return table;
    }

    private static final List<KeyHash> BY_REVISION = table(4082599214L, -1, 35, 2279933401L, 35, 106, 3284231217L, 106,
            177, 126286495, 177, 248, 900108730, 248, 319, 2475485232L, 319, 390, 1226296507, 390, 461, 2503661030L,
            461, 532, 4155130747L, 532, 603, 106915399, 603, 674, 406914006, 674, 745, 1882211381, 745, 816, 806177088,
            816, 887, 664311366, 887, 958, 1496914449, 958, 1029, 2434525091L, 1029, 1100, 3988652253L, 1100, 1171,
            1122462288, 1171, 1242, 724436716, 1242, 1883);

    private static final List<KeyHash> LAST_REVISION = table(1913897190, -1, 73, 224860069, 73, 145, 1565167519, 145,
            217, 1566261620, 217, 289, 2037173024, 289, 361, 691659396, 361, 433, 2713730748L, 433, 505, 3919322507L,
            505, 577, 769967540, 577, 649, 2909194793L, 649, 721, 1576921157, 721, 793, 4067701532L, 793, 865,
            2226384237L, 865, 937, 2923408134L, 937, 1009, 2680329256L, 1009, 1081, 1546717673, 1081, 1153,
            2713657846L, 1153, 1225, 1046575299, 1225, 1297, 2017735779, 1297, 2508);

    @Test
    void theHashOfARevisionIsEtcds() {
        assertThat(golden(false, true)).isEqualTo(BY_REVISION);
    }

    @Test
    void theHashIsTheSameWhileACompactionHasTakenNothingOut() {
        assertThat(golden(false, false)).isEqualTo(BY_REVISION);
    }

    @Test
    void theHashOfTheLastRevisionIsEtcds() {
        assertThat(golden(true, true)).isEqualTo(LAST_REVISION);
    }

    @Test
    void theHashOfACompactionIsThatOfItsRevisionBeforeIt() {
        long start = 0;
        for (; start < TOTAL; start += CYCLE) {
            checkCompactionHash(start, start + CYCLE);
        }
        checkCompactionHash(start, start + TOTAL);
        assertThat(store.view().hashes()).hasSize(10);
    }

    private void checkCompactionHash(long start, long stop) {
        putAll(start, stop - start);
        KeyHash before = hash(stop);
        store.apply(new Command.Compact(stop, false));
        store.publish();
        Compaction compaction = store.view().compaction();
        assertThat(compaction).isNotNull().extracting(Compaction::hashed).isEqualTo(true);
        if (compaction != null) {
            KeyHash hash = HashWalk.of(store.view(), compaction).run();
            assertThat(hash).isEqualTo(before);
            store.keepHash(hash);
        }
        store.compactKeys(new CompactionWalk(store.view(), stop).next(1000, 1000));
        store.compactionFinished(stop);
        store.publish();
        assertThat(store.view().hash(stop)).isEqualTo(new Hashing.Known(before));
    }

    @Test
    void onePutAndItsDeletion() {
        assertThat(hash(0)).isEqualTo(new KeyHash(0x40a4756d, -1, 1));
        store.apply(Command.Put.of(Bytes.utf8("foo"), Bytes.utf8("bar")));
        store.publish();
        assertThat(hash(0)).isEqualTo(new KeyHash((int) 3305255506L, -1, 2));
        store.apply(new Command.DeleteRange(KeyRange.single(Bytes.utf8("foo")), false));
        store.publish();
        assertThat(hash(3)).isEqualTo(new KeyHash((int) 2489925301L, -1, 3));
        assertThat(store.view().hash(4)).isEqualTo(new Hashing.Refused(Refusal.FUTURE_REVISION));
        compact(3, false);
        assertThat(store.view().hash(2)).isEqualTo(new Hashing.Refused(Refusal.COMPACTED));
        assertThat(hash(3)).as("a deletion exactly at the compaction does not count")
                .isEqualTo(new KeyHash(0x40a4756d, 3, 3));
    }

    @Test
    void theNewestTenHashesAreKept() {
        for (int i = 0; i < 12; i++) {
            store.keepHash(new KeyHash(i, 1, 100 + (i * 5) % 12));
        }
        store.publish();
        assertThat(store.view().hashes()).extracting(KeyHash::revision)
                .containsExactly(102L, 103L, 104L, 105L, 106L, 107L, 108L, 109L, 110L, 111L);
    }

    @Test
    void entriesAreSortedWhateverTheirOrder() {
        Random random = new Random(3);
        RevisionList entries = new RevisionList();
        List<NaiveHash.Revision> expected = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            NaiveHash.Revision revision = new NaiveHash.Revision(random.nextLong(1L << (1 + random.nextInt(60))),
                    random.nextInt(1 << (1 + random.nextInt(30))));
            entries.add(revision.main(), (int) revision.sub(), random.nextBoolean(), revision.main() + revision.sub());
            expected.add(revision);
        }
        entries.sort();
        expected.sort(null);
        for (int i = 0; i < expected.size(); i++) {
            NaiveHash.Revision revision = expected.get(i);
            assertThat(entries.main(i)).isEqualTo(revision.main());
            assertThat((long) entries.sub(i)).isEqualTo(revision.sub());
            assertThat(entries.position(i)).isEqualTo(revision.main() + revision.sub());
        }
    }
}
