package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Permission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

/** A state arrives as it was sent, or not at all: what is damaged, half or another one is refused and leaves nothing behind. */
class SnapshotReceptionTest {
    private static final Path SENDER = Path.of("/sender/member/ledger");

    private final FaultyDisk disk = new FaultyDisk(new Random(5));
    private final DataDirectory receiver = new DataDirectory(Path.of("/receiver"));
    private final StoreByHand sender = new StoreByHand(disk, SENDER, StoreByHand.MEMBERS);

    SnapshotReceptionTest() {
        disk.createDirectories(receiver.member());
    }

    /** Something of everything. */
    private void fill() {
        Random random = new Random(8);
        sender.change(random, 120);
        sender.apply(new Command.LeaseGrant(77, 60));
        sender.apply(new Command.LeaseGrant(-78, 600));
        sender.put("leased/a", "1", 77);
        sender.put("leased/b", "2", -78);
        sender.put("leased/b", "3", 77);
        sender.apply(new Command.LeaseCheckpoint(List.of(new Command.LeaseCheckpoint.Remaining(77, 40))));
        sender.compact(90, true);
        sender.apply(new Command.DeleteRange(KeyRange.single(Bytes.utf8("leased/a")), false));
        sender.change(random, 60);
        sender.apply(new Command.Alarm(Command.Alarm.Action.ACTIVATE, 7, 5));
        auth(new AuthCommand.RoleAdd(Bytes.utf8("root")));
        auth(new AuthCommand.RoleAdd(Bytes.utf8("reader")));
        auth(new AuthCommand.RoleGrantPermission(Bytes.utf8("reader"),
                new Permission(0, new KeyRange(Bytes.utf8("a"), Bytes.utf8("b")))));
        auth(new AuthCommand.UserAdd(Bytes.utf8("root"), Bytes.utf8("aGFzaA=="), false));
        auth(new AuthCommand.UserGrantRole(Bytes.utf8("root"), Bytes.utf8("root")));
        auth(new AuthCommand.Enable());
    }

    private void auth(AuthCommand command) {
        sender.apply(new Command.Auth(command));
    }

    private ReceivedState receive(byte[] bytes, SnapshotMeta announced) {
        SnapshotReception reception = SnapshotReception.begin(disk, receiver, StoreByHand.LIMITS, Events.NONE,
                announced);
        int half = bytes.length / 2;
        try {
            reception.write(bytes, 0, half);
            reception.write(bytes, half, bytes.length - half);
            return reception.finish(() -> {});
        } finally {
            reception.abort();
        }
    }

    private List<String> files() {
        List<String> files = new ArrayList<>(disk.list(receiver.member()));
        if (disk.exists(receiver.snap())) {
            files.remove("snap");
            files.addAll(disk.list(receiver.snap()));
        }
        return files;
    }

    @Test
    void aStateArrivesAsItWas() {
        fill();
        StateSnapshot sent = sender.snapshot();
        Map<String, Object> all = StoreByHand.all(sender.store());

        ReceivedState received = receive(StoreByHand.bytes(sent), sent.meta());

        assertThat(StoreByHand.all(received.opened().store())).isEqualTo(all);
        assertThat(received.meta()).isEqualTo(sent.meta());
        assertThat(received.opened().membership()).isEqualTo(StoreByHand.MEMBERS);
        assertThat(received.opened().ledger().durableIndex()).isEqualTo(sender.index());
        assertThat(files()).containsExactly(received.opened().directory().getFileName().toString());
        StateSnapshot again = StateSnapshot.of(received.opened().store(), sender.index(), StoreByHand.TERM,
                received.opened().membership(), () -> {});
        assertThat(StoreByHand.bytes(again)).as("and goes on as it came").isEqualTo(StoreByHand.bytes(sent));

        received.opened().ledger().close();
        disk.restart();
        StoreByHand later = new StoreByHand(disk, received.opened().directory(), Membership.NONE);
        assertThat(StoreByHand.all(later.store())).as("when power had gone").isEqualTo(all);
        assertThat(later.apply(new Command.LeaseGrant(5, 60))).isInstanceOf(Outcome.Granted.class);
    }

    @Test
    void whatIsSentIsOfOneMomentWhateverHappensMeanwhile() {
        fill();
        StateSnapshot sent = sender.snapshot();
        Map<String, Object> all = StoreByHand.all(sender.store());
        assertThat(sent.lengthBytes()).isPositive();
        sender.apply(new Command.Auth(new AuthCommand.Disable()));

        assertThat(StoreByHand.all(receive(StoreByHand.bytes(sent), sent.meta()).opened().store())).isEqualTo(all);
    }

    @Test
    void aCompactionThatWasNotDoneIsTakenUp() {
        sender.change(new Random(3), 100);
        sender.compact(50, true);
        sender.change(new Random(4), 30);
        sender.compact(110, false);

        ReceivedState received = receive(sender.bytes(), sender.snapshot().meta());

        assertThat(received.opened().store().view().compaction()).isNotNull().satisfies(compaction -> {
            assertThat(compaction.revision()).isEqualTo(110);
            assertThat(compaction.previous()).isEqualTo(50);
        });
        assertThat(StoreByHand.all(received.opened().store()).get("hash"))
                .isEqualTo(StoreByHand.all(sender.store()).get("hash"));
    }

    @Test
    void anEmptyStateArrivesToo() {
        ReceivedState received = receive(sender.bytes(), sender.snapshot().meta());

        assertThat(received.opened().store().view().revision()).isEqualTo(1);
        assertThat(received.opened().store().view().compactedRevision()).isEqualTo(-1);
        assertThat(received.opened().membership()).isEqualTo(StoreByHand.MEMBERS);
    }

    /** What etcdutl's restore with --bump-revision and --mark-compacted leaves. */
    @Test
    void aRevisionWithoutAKeyIsOnlyANumber() {
        sender.change(new Random(3), 20);
        long bumped = 1_000_000;
        byte[] bytes = changed(sender.bytes(), rows -> {
            row(rows, "key").put(new RevisionKey(bumped, 0, false).encode(), Bytes.EMPTY);
            row(rows, "meta").put(Bytes.utf8("scheduledCompactRev"), new RevisionKey(bumped, 0, false).encode());
        });

        ReceivedState received = receive(bytes, sender.snapshot().meta());

        assertThat(received.opened().store().view().revision()).isEqualTo(bumped);
        assertThat(received.opened().store().view().compactedRevision()).isEqualTo(bumped);
        assertThat(received.opened().store().apply(Command.Put.of(Bytes.utf8("k"), Bytes.EMPTY)).toString())
                .contains("" + (bumped + 1));
    }

    // ---- what is refused

    private void refused(byte[] bytes, SnapshotMeta announced, String why) {
        List<String> before = files();
        assertThatThrownBy(() -> receive(bytes, announced)).isInstanceOf(SnapshotRefused.class)
                .hasMessageContaining("state at index " + announced.index()).hasMessageContaining(why);
        assertThat(files()).isEqualTo(before);
    }

    @Test
    void anotherStateThanTheAnnouncedOneIsRefused() {
        fill();
        byte[] bytes = sender.bytes();
        SnapshotMeta meta = sender.snapshot().meta();
        ConfState configuration = meta.configuration();

        refused(bytes, new SnapshotMeta(meta.index() + 1, meta.term(), configuration), "it is not at index");
        refused(bytes, new SnapshotMeta(meta.index(), 4, configuration), "it is not of term 4");
        refused(bytes, new SnapshotMeta(meta.index(), meta.term(), new ConfState(configuration.voters(), List.of())),
                "its members are");
        refused(bytes, new SnapshotMeta(meta.index(), meta.term(), new ConfState(configuration.voters(),
                configuration.learners(), List.of(7L), List.of(), true)), "two majorities");
        assertThat(receive(bytes, meta).opened().membership()).isEqualTo(StoreByHand.MEMBERS);
    }

    @Test
    void aStateIsReceivedOnce() {
        byte[] bytes = sender.bytes();
        SnapshotMeta meta = sender.snapshot().meta();
        SnapshotReception begun = SnapshotReception.begin(disk, receiver, StoreByHand.LIMITS, Events.NONE, meta);
        assertThatThrownBy(() -> receive(bytes, meta)).isInstanceOf(SnapshotRefused.class)
                .hasMessageContaining("being received already");
        begun.write(bytes, 0, 1_000);
        begun.abort();
        begun.abort();
        assertThat(files()).isEmpty();

        ReceivedState received = receive(bytes, meta);
        assertThatThrownBy(() -> receive(bytes, meta)).isInstanceOf(SnapshotRefused.class);
        received.discard();
        assertThat(files()).isEmpty();
        receive(bytes, meta);
    }

    @Test
    void halfAStateIsRefused() {
        fill();
        byte[] bytes = sender.bytes();
        for (int length : new int[]{0, 1, 100, 4096, 8191, bytes.length / 2, bytes.length - 4096, bytes.length - 1}) {
            refused(Arrays.copyOf(bytes, length), sender.snapshot().meta(), "is not usable");
        }
    }

    /** A disk that is full is the likeliest end of a reception, and the member lives on. */
    @Test
    void whatTheDiskDoesNotTakeLeavesNothingBehind() {
        fill();
        byte[] bytes = sender.bytes();
        SnapshotMeta meta = sender.snapshot().meta();
        int refused = 0;
        boolean isTaken = false;
        for (int n = 1; !isTaken; n++) {
            disk.fail(n, FaultyDisk.Operation.WRITE, FaultyDisk.Operation.CREATE);
            try {
                receive(bytes, meta).discard();
                isTaken = disk.isFaultPlanned();
            } catch (DiskFailure full) {
                assertThat(full.isRefusedWrite()).isTrue();
                refused++;
            }
            assertThat(files()).as("write %d", n).isEmpty();
        }
        assertThat(refused).isGreaterThan(10);
    }

    @Test
    void aBitThatFlippedIsRefusedOrChangesAValue() {
        fill();
        byte[] bytes = sender.bytes();
        SnapshotMeta meta = sender.snapshot().meta();
        Random random = new Random(11);
        int refused = 0;
        for (int i = 0; i < 200; i++) {
            int bit = random.nextInt(8 * bytes.length);
            byte[] flipped = bytes.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            List<String> before = files();
            try {
                receive(flipped, meta).discard();
            } catch (SnapshotRefused expected) {
                refused++;
            } catch (RuntimeException | Error other) {
                throw new AssertionError("bit " + bit, other);
            }
            assertThat(files()).as("bit %d", bit).isEqualTo(before);
        }
        assertThat(refused).isGreaterThan(20);
    }

    /** Nothing that the store takes at its word may come from a file that somebody else wrote. */
    @Test
    void rowsThatMeanNothingAreRefused() {
        fill();
        byte[] bytes = sender.bytes();
        Map<String, Consumer<SortedMap<Bytes, SortedMap<Bytes, Bytes>>>> wrongs = new TreeMap<>();
        Bytes junk = Bytes.utf8("\u00ff\u00ffjunk!");
        for (String bucket : List.of("authRoles", "authUsers", "lease", "members")) {
            wrongs.put(bucket + " value", rows -> row(rows, bucket).put(row(rows, bucket).firstKey(), junk));
        }
        for (String bucket : List.of("alarm", "members_removed", "lease", "members", "key")) {
            wrongs.put(bucket + " key", rows -> row(rows, bucket).put(junk, Bytes.utf8("7")));
        }
        for (String key : List.of("authEnabled", "authRevision")) {
            wrongs.put(key, rows -> row(rows, "auth").put(Bytes.utf8(key), junk));
        }
        for (String key : List.of("consistent_index", "term", "scheduledCompactRev", "finishedCompactRev")) {
            wrongs.put(key, rows -> row(rows, "meta").put(Bytes.utf8(key), junk));
        }
        wrongs.put("no index", rows -> row(rows, "meta").remove(Bytes.utf8("consistent_index")));
        wrongs.put("no keys", rows -> rows.remove(Bytes.utf8("key")));
        wrongs.put("no members", rows -> rows.remove(Bytes.utf8("members")));
        wrongs.put("downgrade", rows -> row(rows, "cluster").put(Bytes.utf8("downgrade"), junk));
        wrongs.put("version", rows -> row(rows, "cluster").put(Bytes.utf8("clusterVersion"), Bytes.utf8("3.8.0")));
        wrongs.put("no version", rows -> row(rows, "cluster").put(Bytes.utf8("clusterVersion"), junk));
        wrongs.put("KeyValue", rows -> row(rows, "key").put(row(rows, "key").lastKey(), junk));
        wrongs.put("KeyValue of another revision", rows -> row(rows, "key").put(
                new RevisionKey(100_000, 0, false).encode(), row(rows, "key").values().iterator().next()));
        wrongs.put("put and deletion at once", rows -> {
            RevisionKey last = RevisionKey.decode(row(rows, "key").lastKey());
            assertThat(last).isNotNull();
            if (last != null) {
                row(rows, "key").put(new RevisionKey(last.main(), last.sub(), true).encode(),
                        Bytes.of(new byte[]{0x0a, 1, 'k'}));
            }
        });
        wrongs.forEach((what, wrong) -> {
            List<String> before = files();
            byte[] changed = changed(bytes, wrong);
            assertThat(catchThrowable(() -> receive(changed, sender.snapshot().meta()))).as(what)
                    .isInstanceOf(SnapshotRefused.class);
            assertThat(files()).as(what).isEqualTo(before);
        });
    }

    @Test
    void aDatabaseOfAnOlderEtcdHasLessAndMayHaveMore() {
        fill();
        byte[] bytes = changed(sender.bytes(), rows -> {
            for (String key : List.of("term", "confState", "storageVersion")) {
                row(rows, "meta").remove(Bytes.utf8(key));
            }
            row(rows, "meta").put(Bytes.utf8("other"), Bytes.utf8("row"));
            rows.put(Bytes.utf8("other"), new TreeMap<>(Map.of(Bytes.utf8("a"), Bytes.utf8("b"))));
            rows.remove(Bytes.utf8("alarm"));
        });

        ReceivedState received = receive(bytes, sender.snapshot().meta());

        assertThat(received.opened().store().view().alarms()).isEmpty();
        assertThat(StoreByHand.all(received.opened().store()).get("meta"))
                .isEqualTo(StoreByHand.all(sender.store()).get("meta"));
    }

    private static SortedMap<Bytes, Bytes> row(SortedMap<Bytes, SortedMap<Bytes, Bytes>> rows, String bucket) {
        return rows.computeIfAbsent(Bytes.utf8(bucket), name -> new TreeMap<>());
    }

    /** The same database with other rows, written by the same writer. */
    private byte[] changed(byte[] bytes, Consumer<SortedMap<Bytes, SortedMap<Bytes, Bytes>>> change) {
        Path path = Path.of("/changed.db");
        disk.put(path, bytes);
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> rows = new TreeMap<>();
        try (SnapshotReader reader = SnapshotReader.open(disk, path, SnapshotLimits.DEFAULT)) {
            for (BucketRows bucket : reader.buckets()) {
                SortedMap<Bytes, Bytes> found = new TreeMap<>();
                bucket.rows().forEach((key, value) -> found.put(key.compact(), value.compact()));
                rows.put(bucket.name(), found);
            }
        }
        disk.delete(path);
        change.accept(rows);
        List<BucketRows> buckets = new ArrayList<>();
        rows.forEach((name, table) -> buckets.add(new BucketRows(name, sink -> table.forEach(sink::row))));
        try (DiskFile file = disk.create(path)) {
            long[] end = {0};
            SnapshotWriter.measure(buckets).writeTo((array, offset, length) -> {
                file.writeFully(end[0], array, offset, length);
                end[0] += length;
            });
        }
        byte[] changed = disk.contents(path);
        disk.delete(path);
        return changed;
    }
}
