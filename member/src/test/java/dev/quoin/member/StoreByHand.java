package dev.quoin.member;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Disk;
import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.raft.RaftLimits;
import dev.quoin.store.Bucket;
import dev.quoin.store.Command;
import dev.quoin.store.CompactionWalk;
import dev.quoin.store.Contents;
import dev.quoin.store.HashWalk;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Store;

import static org.assertj.core.api.Assertions.assertThat;

/** A store with its ledger and nobody else: commands are applied as an apply loop does, each a batch. */
final class StoreByHand {
    static final MemberLimits LIMITS = new MemberLimits(Duration.ofMillis(100).toNanos(), 10,
            Duration.ofSeconds(7).toNanos(), 5_000, 1 << 20, Duration.ofMillis(100).toNanos(), 8, 1, 1, 0,
            WalLimits.ofSegmentBytes(2_048), new LedgerLimits(2_048, 512, 1_024),
            new HousekeepingLimits(1, 2, 300, 1_500, 1, 1L << 40), RaftLimits.DEFAULT);
    static final long TERM = 3;
    static final Membership MEMBERS = Membership.NONE
            .with(new MemberInfo(0x8e9e05c52164694dL, "a", List.of("http://localhost:2380"),
                    List.of("http://localhost:2379"), false))
            .with(new MemberInfo(7, "", List.of("http://localhost:2390"), List.of(), true)).without(9)
            .withClusterVersion("3.7.0");

    final OpenedStore opened;
    private long index;

    /** Opens the ledger there, or begins it with these members. */
    StoreByHand(Disk disk, Path directory, Membership members) {
        opened = OpenedStore.open(disk, directory, LIMITS, Events.NONE, Long.MAX_VALUE);
        index = opened.appliedIndex();
        if (index == 0) {
            members.save(store(), Membership.NONE);
            endBatch();
        }
    }

    Store store() {
        return opened.store();
    }

    long index() {
        return index;
    }

    Membership membership() {
        return Membership.load(store());
    }

    Outcome apply(Command command) {
        Outcome outcome = store().apply(command);
        endBatch();
        return outcome;
    }

    private void endBatch() {
        index++;
        opened.ledger().commit(index, TERM, membership().encodeConfState());
        store().publish();
        opened.ledger().flush();
    }

    void put(String key, String value, long lease) {
        assertThat(apply(new Command.Put(Bytes.utf8(key), Bytes.utf8(value), lease, false, false, false)))
                .isInstanceOf(Outcome.Put.class);
    }

    /** Puts and deletions, also of several keys at once. */
    void change(Random random, int times) {
        for (int i = 0; i < times; i++) {
            String key = "k" + random.nextInt(40);
            if (random.nextInt(5) == 0) {
                apply(new Command.DeleteRange(new KeyRange(Bytes.utf8(key), Bytes.utf8(key + "~")), false));
            } else {
                put(key, "v".repeat(random.nextInt(300)), 0);
            }
        }
    }

    /** Gives up history; takes out what is over if {@code toItsEnd}. */
    void compact(long revision, boolean toItsEnd) {
        assertThat(apply(new Command.Compact(revision, true))).isInstanceOf(Outcome.Compacted.class);
        if (!toItsEnd) {
            return;
        }
        CompactionWalk walk = new CompactionWalk(store().view(), revision);
        CompactionWalk.Slice slice;
        do {
            slice = walk.next(10, 100);
            store().compactKeys(slice);
        } while (!slice.isLast());
        store().compactionFinished(revision);
        endBatch();
    }

    StateSnapshot snapshot() {
        return StateSnapshot.of(store(), index, TERM, membership(), () -> {});
    }

    byte[] bytes() {
        return bytes(snapshot());
    }

    static byte[] bytes(SnapshotState state) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        state.writeTo(bytes::write);
        assertThat(state.lengthBytes()).isEqualTo(bytes.size());
        return bytes.toByteArray();
    }

    /** All that somebody could ask a store for, and what it would tell others. */
    static Map<String, Object> all(Store store) {
        Map<String, Object> all = new LinkedHashMap<>();
        Contents contents = store.contents();
        List<String> revisions = new ArrayList<>();
        contents.forEachRevision((main, sub, tombstone, keyValue) -> revisions
                .add(main + " " + sub + " " + tombstone + " " + keyValue));
        all.put("revisions", revisions);
        for (Bucket bucket : Bucket.values()) {
            all.put(bucket.bucketName(), Map.copyOf(contents.bucket(bucket)));
        }
        all.put("revision", store.view().revision());
        all.put("keys", store.view().keyCount());
        all.put("compacted", store.view().compactedRevision());
        all.put("compaction", String.valueOf(store.view().compaction()));
        all.put("hash", ((HashWalk) store.view().hash(0)).run());
        all.put("leases", store.leases());
        store.leases().forEach(lease -> all.put("keys of " + lease.id(), List.copyOf(store.leaseKeys(lease.id()))));
        all.put("alarms", store.view().alarms());
        all.put("auth", store.view().auth().enabled() + " " + store.view().auth().revision() + " "
                + store.view().auth().user(Bytes.utf8("root")));
        return all;
    }
}
