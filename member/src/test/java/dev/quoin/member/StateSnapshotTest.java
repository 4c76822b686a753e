package dev.quoin.member;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.ledger.CheckpointWriter;
import dev.quoin.disk.ledger.Gone;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.ledger.Rewrite;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.raft.ConfState;
import dev.quoin.store.Command;
import dev.quoin.store.CompactionWalk;
import dev.quoin.store.Records;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What ends the sending of a state, and what it says of its cluster. What arrives of it: {@link SnapshotReceptionTest}. */
class StateSnapshotTest {
    private static final Path LEDGER = Path.of("/ledger");

    private final FaultyDisk disk = new FaultyDisk(new Random(6));
    private final StoreByHand store = new StoreByHand(disk, LEDGER, StoreByHand.MEMBERS);

    @Test
    void aLostRecordEndsIt() {
        store.change(new Random(1), 60);
        SnapshotState state = store.snapshot();
        byte[] segment = disk.contents(LEDGER.resolve("00000001.ledger"));
        int at = new String(segment, StandardCharsets.ISO_8859_1).indexOf("vvvvvvvv");
        disk.corrupt(LEDGER.resolve("00000001.ledger"), at, 1);

        assertThat(state.lengthBytes()).isPositive();
        assertThatThrownBy(() -> StoreByHand.bytes(state)).isInstanceOf(Damaged.class)
                .hasMessageContaining("00000001.ledger");
    }

    /** Nobody has pinned them here. */
    @Test
    void aRecordThatWasGivenUpEndsIt() {
        store.change(new Random(1), 60);
        SnapshotState state = store.snapshot();
        assertThat(state.lengthBytes()).isPositive();
        store.apply(new Command.Compact(store.store().view().revision(), true));
        CompactionWalk.Slice slice = new CompactionWalk(store.store().view(),
                store.store().view().compactedRevision()).next(1_000, 1_000);
        store.store().compactKeys(slice);
        store.store().publish();
        Ledger ledger = store.opened.ledger();
        ledger.forget(slice.dead().toArray(), slice.dead().size());
        CheckpointWriter checkpoint = ledger.checkpoint(ledger.mark());
        store.store().capture().writeTo(checkpoint::add);
        checkpoint.finish();
        Rewrite rewrite = ledger.nextRewrite(0.0, (position, main, sub, kind, payload) -> kind != Records.Kind.BUCKET
                .number() && store.store().view().refersTo(position, main, sub, kind, payload));
        assertThat(rewrite).isNotNull().satisfies(job -> {
            while (!job.step(1 << 20)) {
                ledger.flush();
            }
        });

        assertThatThrownBy(() -> StoreByHand.bytes(state)).isInstanceOf(Gone.class);
    }

    @Test
    void whoClosesItIsDoneWithIt() {
        int[] closed = {0};
        SnapshotState state = StateSnapshot.of(store.store(), store.index(), StoreByHand.TERM, store.membership(),
                () -> closed[0]++);
        state.close();
        state.close();

        assertThat(closed[0]).isEqualTo(1);
        assertThatThrownBy(state::lengthBytes).isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void itBearsTheVersionOfItsCluster() {
        assertThat(contains("3.7.0", "storageVersion3.7.0")).isTrue();
        assertThat(contains("3.6.0", "storageVersion3.6.0")).isTrue();
        assertThat(contains("3.5.0", "storageVersion")).as("from 3.6 on").isFalse();
        assertThat(contains("", "storageVersion")).as("not agreed on yet").isFalse();
    }

    private boolean contains(String clusterVersion, String text) {
        StateSnapshot state = StateSnapshot.of(store.store(), store.index(), StoreByHand.TERM,
                store.membership().withClusterVersion(clusterVersion), () -> {});
        assertThat(text).endsWith(state.storageVersion());
        byte[] bytes = StoreByHand.bytes(state);
        return new String(bytes, StandardCharsets.ISO_8859_1).contains(text);
    }

    /** An etcd 3.6 that is sent a state without it stops for good. */
    @Test
    void whoBelongsToTheClusterComesWithItAsOlderEtcdWantIt() {
        assertThat(store.snapshot().oldStore()).isEqualTo(OldStore.json(StoreByHand.MEMBERS));
    }

    @Test
    void whoTakesPartIsWrittenAsGoWritesIt() {
        ConfState joint = new ConfState(List.of(-1L, 2L), List.of(3L), List.of(4L), List.of(5L), true);

        assertThat(ConfStates.json(new ConfState(List.of(1L), List.of())))
                .isEqualTo(Bytes.utf8("{\"voters\":[1],\"auto_leave\":false}"));
        assertThat(ConfStates.json(joint)).isEqualTo(Bytes.utf8("{\"voters\":[18446744073709551615,2],"
                + "\"learners\":[3],\"voters_outgoing\":[4],\"learners_next\":[5],\"auto_leave\":true}"));
    }
}
