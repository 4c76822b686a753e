package dev.quoin.member.watch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.store.KeyRange;

import static org.assertj.core.api.Assertions.assertThat;

class RangeMapTest {
    private static Bytes key(Random random) {
        byte[] key = new byte[1 + random.nextInt(3)];
        for (int at = 0; at < key.length; at++) {
            key[at] = (byte) (random.nextInt(4) * 80);
        }
        return Bytes.of(key);
    }

    private static KeyRange range(Random random) {
        Bytes key = key(random);
        return switch (random.nextInt(4)) {
            case 0 -> KeyRange.single(key);
            case 1 -> KeyRange.from(key);
            default -> between(key, key(random));
        };
    }

    private static KeyRange between(Bytes one, Bytes other) {
        int order = one.compareTo(other);
        return order == 0 ? KeyRange.single(one) : order < 0 ? new KeyRange(one, other) : new KeyRange(other, one);
    }

    /** Whatever was put in and taken out, a key is held by the ranges that hold it. */
    @Test
    void findsWhatATableFinds() {
        for (long seed = 1; seed <= 200; seed++) {
            Random random = new Random(seed);
            RangeMap<KeyRange> map = new RangeMap<>();
            Map<KeyRange, KeyRange> table = new LinkedHashMap<>();
            for (int step = 0; step < 300; step++) {
                KeyRange range = range(random);
                if (table.containsKey(range) && random.nextBoolean()) {
                    table.remove(range);
                    map.remove(range);
                } else {
                    table.putIfAbsent(range, range);
                    assertThat(map.obtain(range, made -> made)).isEqualTo(range);
                }
                Bytes key = key(random);
                List<KeyRange> found = new ArrayList<>();
                map.forEachAt(key, found::add);
                assertThat(found).as("seed %d, step %d, key %s", seed, step, key)
                        .containsExactlyInAnyOrderElementsOf(
                                table.keySet().stream().filter(one -> one.contains(key)).toList());
                assertThat(map.size()).isEqualTo(table.size());
            }
            assertThat(map.values()).containsExactlyInAnyOrderElementsOf(table.keySet());
            table.keySet().forEach(map::remove);
            assertThat(map.size()).isZero();
        }
    }

    @Test
    void theTreeIsBalanced() {
        RangeMap<Integer> map = new RangeMap<>();
        int count = 10_000;
        for (int number = 0; number < count; number++) {
            int it = number;
            map.obtain(new KeyRange(Bytes.utf8("k%06d".formatted(number)), Bytes.utf8("k%06dz".formatted(number))),
                    made -> it);
        }
        assertThat(map.depth()).isLessThan(20);
        List<Integer> found = new ArrayList<>();
        map.forEachAt(Bytes.utf8("k004711a"), found::add);
        assertThat(found).containsExactly(4_711);
    }
}
