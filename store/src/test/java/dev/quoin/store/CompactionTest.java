package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class CompactionTest {
    private final MemoryRecords records = new MemoryRecords();
    private Store store = new Store(records, 2);

    CompactionTest() {
        store.restored();
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private void put(String key) {
        store.apply(Command.Put.of(b(key), b("v")));
    }

    private void delete(String key) {
        store.apply(new Command.DeleteRange(KeyRange.single(b(key)), false));
    }

    private void compact(long revision) {
        assertThat(store.apply(new Command.Compact(revision, false))).isInstanceOf(Outcome.Compacted.class);
        store.publish();
    }

    private List<String> dump() {
        store.publish();
        return Dump.of(store.view().index());
    }

    private static List<Long> dead(CompactionWalk.Slice slice) {
        List<Long> dead = new ArrayList<>();
        for (int i = 0; i < slice.dead().size(); i++) {
            dead.add(slice.dead().get(i));
        }
        return dead;
    }

    @Test
    void whatIsLeftOverIsFoundInSlicesAndTakenOutWhileWritesGoOn() {
        put("a");
        put("a");
        put("b");
        put("c");
        delete("c");
        put("d");
        compact(7);
        CompactionWalk walk = new CompactionWalk(store.view(), 7);
        put("a");
        put("c");
        CompactionWalk.Slice first = walk.next(1, 100);
        assertThat(first.keys()).containsExactly(b("a"));
        assertThat(dead(first)).containsExactly(0L);
        assertThat(first.isLast()).isFalse();
        store.compactKeys(first);
        CompactionWalk.Slice second = new CompactionWalk(store.view(), 7, b("b")).next(100, 100);
        assertThat(second.keys()).containsExactly(b("c"));
        assertThat(dead(second)).containsExactly(3L, 4L);
        assertThat(second.isLast()).isTrue();
        store.compactKeys(second);
        assertThat(dump()).containsExactly("\"a\" 3.0c2v2@1 8.0c2v3@7", "\"b\" 4.0c4v1@2", "\"c\" 9.0c9v1@8",
                "\"d\" 7.0c7v1@5");
    }

    @Test
    void aKeyWithNothingLeftLeavesTheIndexButADeletionAtTheCompactionStays() {
        put("a");
        delete("a");
        put("b");
        delete("b");
        compact(5);
        CompactionWalk.Slice slice = new CompactionWalk(store.view(), 5).next(100, 100);
        store.compactKeys(slice);
        assertThat(dump()).containsExactly("\"b\" 5.0t@3");
        assertThat(store.view().keyCount()).isZero();
    }

    @Test
    void aWalkStopsWhenItHasSeenEnoughKeysEvenIfNoneShrinks() {
        for (int i = 0; i < 10; i++) {
            put("k" + i);
        }
        compact(11);
        CompactionWalk walk = new CompactionWalk(store.view(), 11);
        assertThat(walk.next(5, 6).next()).isEqualTo(b("k6"));
        assertThat(walk.next(5, 6).isLast()).isTrue();
    }

    @Test
    void compactionsQueueBehindTheOneThatIsBeingDoneAsOne() {
        put("a");
        put("a");
        put("a");
        compact(2);
        assertThat(store.view().compaction()).isEqualTo(new Compaction(2, -1, true));
        compact(3);
        compact(4);
        assertThat(store.view().compaction()).isEqualTo(new Compaction(2, -1, true));
        store.compactionFinished(2);
        store.publish();
        assertThat(store.view().compaction()).isEqualTo(new Compaction(4, 2, false));
        store.compactionFinished(4);
        store.publish();
        assertThat(store.view().compaction()).isNull();
        put("a");
        compact(5);
        assertThat(store.view().compaction()).isEqualTo(new Compaction(5, 4, true));
        assertThatThrownBy(() -> store.compactionFinished(6)).isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void aRestartTakesUpWhatWasNotFinishedAndTakesOutAgainWhatWas() {
        put("a");
        put("a");
        delete("a");
        put("b");
        put("b");
        compact(6);
        store = records.restore(records.lines.size());
        assertThat(store.view().compactedRevision()).isEqualTo(6);
        assertThat(store.view().compaction()).isEqualTo(new Compaction(6, -1, false));
        store.compactKeys(new CompactionWalk(store.view(), 6).next(100, 100));
        store.compactionFinished(6);
        List<String> taken = dump();
        assertThat(taken).containsExactly("\"b\" 6.0c5v2@4");
        store = records.restore(records.lines.size());
        assertThat(store.view().compaction()).isNull();
        assertThat(dump()).isEqualTo(taken);
    }

    @Test
    void theCompactionsAreInTheBucketAsEtcdWritesThem() {
        put("a");
        compact(2);
        store.compactionFinished(2);
        byte[] two = {0, 0, 0, 0, 0, 0, 0, 2, '_', 0, 0, 0, 0, 0, 0, 0, 0};
        assertThat(store.bucketGet(Bucket.META, b("scheduledCompactRev"))).isEqualTo(Bytes.of(two));
        assertThat(store.bucketGet(Bucket.META, b("finishedCompactRev"))).isEqualTo(Bytes.of(two));
    }

    @Test
    void aRecordIsReferredToUntilItIsTakenOut() {
        put("a");
        put("a");
        delete("a");
        put("b");
        compact(5);
        assertThat(referred()).containsExactly(true, true, true, true, true);
        store.compactKeys(new CompactionWalk(store.view(), 5).next(100, 100));
        store.publish();
        assertThat(referred()).containsExactly(false, false, false, true, true);
        MemoryRecords.Line last = records.lines.get(3);
        assertThat(store.view().refersTo(99, last.main(), last.sub(), last.kind(), last.payload())).isFalse();
    }

    private List<Boolean> referred() {
        List<Boolean> referred = new ArrayList<>();
        for (int position = 0; position < 5; position++) {
            MemoryRecords.Line line = records.lines.get(position);
            referred.add(store.view().refersTo(position, line.main(), line.sub(), line.kind(), line.payload()));
        }
        return referred;
    }
}
