package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ImageTest {
    private final MemoryRecords records = new MemoryRecords();
    private final Store store = new Store(records, 2);

    ImageTest() {
        store.restored();
    }

    private void put(String key, long lease) {
        store.applyUnheard(new Command.Put(Bytes.utf8(key), Bytes.EMPTY, lease, false, false, false));
    }

    private Store restored(List<MemoryRecords.Line> image) {
        return records.restore(image, records.lines.size());
    }

    @Test
    void anEmptyStoreHasAnImage() {
        Store again = restored(MemoryRecords.image(store));
        Dump.assertSame(again, store, "empty");
        assertThat(again.apply(Command.Put.of(Bytes.utf8("a"), Bytes.EMPTY))).isEqualTo(new Outcome.Put(2, null));
    }

    @Test
    void whatIsLargeGoesOutInBlocksOfOneSizeAndComesBack() {
        store.apply(new Command.LeaseGrant(5, 60));
        for (int i = 0; i < 20_000; i++) {
            put("key-" + i, i % 3 == 0 ? 5 : 0);
        }
        for (int i = 0; i < 10_000; i++) {
            put("busy", i % 2 == 0 ? 5 : 0);
            if (i % 100 == 0) {
                store.apply(new Command.DeleteRange(KeyRange.single(Bytes.utf8("busy")), false));
            }
        }
        for (int i = 0; i < 5_000; i++) {
            User user = new User(Bytes.utf8("user-" + i), Bytes.utf8("some-password-" + i), List.of(),
                    User.Options.PASSWORD);
            store.bucketPut(Bucket.AUTH_USERS, user.name(), user.encode());
        }
        List<MemoryRecords.Line> image = MemoryRecords.image(store);
        assertThat(image).hasSizeGreaterThan(8).allSatisfy(
                block -> assertThat(block.payload().length()).isLessThanOrEqualTo(Image.BLOCK_BYTES));
        assertThat(MemoryRecords.image(store)).isEqualTo(image);
        Store again = restored(image);
        Dump.assertSame(again, store, "large");
        assertThat(again.leaseKeys(5)).hasSize(6667);
        assertThat(MemoryRecords.image(again)).isEqualTo(image);
    }

    @Test
    void aCompactionFinishedBehindTheImageIsTakenOutAgain() {
        put("a", 0);
        put("a", 0);
        put("b", 0);
        List<MemoryRecords.Line> image = MemoryRecords.image(store);
        int behind = records.lines.size();
        store.apply(new Command.Compact(4, false));
        store.publish();
        store.compactKeys(new CompactionWalk(store.view(), 4).next(9, 9));
        store.compactionFinished(4);
        store.publish();
        Store again = records.restore(image, behind);
        assertThat(again.view().compaction()).isNull();
        assertThat(Dump.of(again.view().index())).isEqualTo(Dump.of(store.view().index()))
                .containsExactly("\"a\" 3.0c2v2@1", "\"b\" 4.0c4v1@2");
    }

    @Test
    void anImageThatIsCutOffOrOutOfOrderIsRefused() {
        for (int i = 0; i < 20_000; i++) {
            put("key-" + i, 0);
        }
        List<MemoryRecords.Line> image = MemoryRecords.image(store);
        assertThatThrownBy(() -> restored(image.subList(0, image.size() - 1))).isInstanceOf(Invariant.Violation.class)
                .hasMessageContaining("has no end");
        List<MemoryRecords.Line> gap = new ArrayList<>(image);
        gap.remove(image.size() - 2);
        assertThatThrownBy(() -> restored(gap)).isInstanceOf(Invariant.Violation.class);
        List<MemoryRecords.Line> twice = new ArrayList<>(image);
        twice.add(image.size() - 2, image.get(image.size() - 2));
        assertThatThrownBy(() -> restored(twice)).isInstanceOf(Invariant.Violation.class);
        assertThatThrownBy(() -> store.restoreImage(Image.Kind.STATE.number(), Bytes.EMPTY))
                .isInstanceOf(Invariant.Violation.class);
    }
}
