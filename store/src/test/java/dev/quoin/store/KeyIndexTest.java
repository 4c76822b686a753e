package dev.quoin.store;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class KeyIndexTest {
    private static final int SEEDS = 30;

    /** The same keys in a map of the JDK: true for those that live. */
    private record Twin(KeyIndex index, NavigableMap<Bytes, Boolean> map) {
        void assertSame(Random random, String what) {
            long live = map.values().stream().filter(alive -> alive).count();
            assertThat((long) index.liveCount()).as(what).isEqualTo(live);
            List<Bytes> keys = new ArrayList<>();
            index.scan(KeyRange.from(Bytes.EMPTY), (key, history) -> {
                keys.add(Bytes.of(key));
                return true;
            });
            assertThat(keys).as(what).isEqualTo(List.copyOf(map.keySet()));
            for (int i = 0; i < 20; i++) {
                assertRange(new KeyRange(key(random), key(random)), what);
                assertRange(KeyRange.from(key(random)), what);
                assertRange(KeyRange.single(key(random)), what);
            }
        }

        private void assertRange(KeyRange range, String what) {
            NavigableMap<Bytes, Boolean> part = part(range);
            long live = part.values().stream().filter(alive -> alive).count();
            assertThat(index.count(range)).as("%s: %s", what, range).isEqualTo(live);
            List<Bytes> keys = new ArrayList<>();
            index.scan(range, (key, history) -> {
                keys.add(Bytes.of(key));
                return keys.size() < 100;
            });
            assertThat(keys).as("%s: %s", what, range).isEqualTo(part.keySet().stream().limit(100).toList());
        }

        private NavigableMap<Bytes, Boolean> part(KeyRange range) {
            if (range.isUnbounded()) {
                return map.tailMap(range.key(), true);
            }
            if (range.isSingle()) {
                return map.subMap(range.key(), true, range.key(), true);
            }
            return range.key().compareTo(range.rangeEnd()) < 0
                    ? map.subMap(range.key(), true, range.rangeEnd(), false)
                    : Collections.emptyNavigableMap();
        }
    }

    private static Bytes key(Random random) {
        byte[] key = new byte[1 + random.nextInt(3)];
        random.nextBytes(key);
        return Bytes.of(key);
    }

    @Test
    void theIndexHoldsWhatAMapWouldAndOldRootsStayAsTheyWere() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            grow(seed);
        }
    }

    private static void grow(long seed) {
        Random random = new Random(seed);
        Twin now = new Twin(KeyIndex.empty(), new TreeMap<>());
        List<Twin> frozen = new ArrayList<>();
        long revision = 1;
        for (int batch = 0; batch < 12; batch++) {
            boolean ascending = random.nextInt(3) == 0;
            for (int change = random.nextInt(1200); change > 0; change--) {
                revision++;
                Bytes key = ascending ? Bytes.utf8("run-%02d-%09d".formatted(batch, revision)) : key(random);
                change(now, key, revision, random.nextInt(4) == 0);
            }
            Twin twin = new Twin(now.index.freeze(), new TreeMap<>(now.map));
            twin.assertSame(random, "seed " + seed);
            frozen.add(twin);
        }
        for (Twin twin : frozen) {
            twin.assertSame(random, "later, seed " + seed);
        }
    }

    private static void change(Twin twin, Bytes key, long revision, boolean delete) {
        History history = twin.index.find(key);
        assertThat(history != null).isEqualTo(twin.map.containsKey(key));
        if (history == null) {
            twin.index.add(key, History.created(revision, 0, revision, 0));
            twin.map.put(key, true);
        } else if (delete && history.isLive()) {
            twin.index.replace(key, history.delete(revision, 0, revision));
            twin.map.put(key, false);
        } else {
            twin.index.replace(key, history.put(revision, 0, revision, 0));
            twin.map.put(key, true);
        }
    }

    @Test
    void aFrozenIndexRefusesToChange() {
        KeyIndex frozen = KeyIndex.empty().freeze();
        assertThatThrownBy(() -> frozen.add(Bytes.utf8("a"), History.created(2, 0, 0, 0)))
                .isInstanceOf(Invariant.Violation.class);
    }
}
