package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;
import dev.quoin.disk.memory.PowerCut;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalState;
import dev.quoin.store.Bucket;
import dev.quoin.store.Command;
import dev.quoin.store.Store;
import dev.quoin.store.View;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Members that are made from a file start with the state in it, as members of the new cluster and of no other. */
class MemberRestoreTest {
    private static final Path FILE = Path.of("/backup.db");
    private static final Path ROOT = Path.of("/data");
    private static final MemberLimits LIMITS = StoreByHand.LIMITS;
    private static final List<MemberInfo> FOUNDERS = List.of(founder("a", 1), founder("b", 2), founder("c", 3));
    private static final MemberConfig CONFIG = MemberConfig.alone("a", ROOT, FOUNDERS.getFirst().peerUrls(), List.of(),
            "restored", "3.7.1", LIMITS).withOrigin(null);

    private final FaultyDisk disk = new FaultyDisk(new Random(4));
    private final StoreByHand before = new StoreByHand(disk, Path.of("/before"), StoreByHand.MEMBERS);

    private static MemberInfo founder(String name, int number) {
        List<String> urls = List.of("http://10.0.0." + number + ":2380");
        return new MemberInfo(Ids.member(urls, "restored"), name, urls, List.of(), false);
    }

    private void change() {
        before.apply(new Command.LeaseGrant(77, 60));
        before.put("leased", "v", 77);
        before.change(new Random(9), 80);
        before.compact(40, true);
        before.change(new Random(10), 20);
    }

    private static void restore(Disk disk, Path root, @Nullable Path log, String name, long bump) {
        try (SnapshotReader database = SnapshotReader.openUnverified(disk, FILE, SnapshotLimits.DEFAULT)) {
            new MemberRestore(disk, root, log, LIMITS).run(FILE, database, Origin.Founder.of(name, FOUNDERS), bump);
        }
    }

    /** What a start finds there, beside what {@code look} has to say. */
    private interface Look {
        void at(Startup startup);
    }

    private static Map<String, Object> start(Disk disk, Path root, @Nullable Path log, Look look) {
        DataDirectory directory = log == null ? new DataDirectory(root) : new DataDirectory(root, log);
        DiskLock lock = directory.take(disk);
        Startup startup = Startup.on(disk, directory, CONFIG, Events.NONE);
        try {
            look.at(startup);
            return StoreByHand.all(startup.opened().store());
        } finally {
            startup.opened().ledger().close();
            startup.wal().close();
            lock.close();
        }
    }

    private static Map<String, Object> start(Disk disk, Path root) {
        return start(disk, root, null, startup -> {});
    }

    private static Map<String, Object> without(Map<String, Object> all, String... names) {
        Map<String, Object> rest = new HashMap<>(all);
        List.of(names).forEach(rest::remove);
        return rest;
    }

    @Test
    void theStateIsTheFilesAndTheMembersAreTheFounders() {
        change();
        disk.put(FILE, before.bytes());
        restore(disk, ROOT, null, "b", 0);
        Map<String, Object> after = start(disk, ROOT, null, startup -> {
            assertThat(startup.memberId()).isEqualTo(FOUNDERS.get(1).id());
            assertThat(startup.clusterId()).isEqualTo(Ids.cluster(FOUNDERS.stream().map(MemberInfo::id).toList()));
            assertThat(startup.restart().applied()).isEqualTo(3);
            assertThat(startup.restart().hardState().commit()).isEqualTo(3);
            assertThat(startup.restart().configuration().voters())
                    .containsExactlyInAnyOrderElementsOf(FOUNDERS.stream().map(MemberInfo::id).toList());
            Membership membership = startup.opened().membership();
            assertThat(membership.members()).containsExactlyInAnyOrderElementsOf(FOUNDERS);
            assertThat(membership.removed()).isEmpty();
            assertThat(membership.clusterVersion()).as("it is kept").isEqualTo("3.7.0");
        });
        assertThat(without(after, "members", "members_removed"))
                .isEqualTo(without(StoreByHand.all(before.store()), "members", "members_removed"));
    }

    /** What etcd's tools read: the founders' entries, what has committed them, the mark behind them. */
    @Test
    void theLogHoldsWhatEtcdutlsDoes() {
        change();
        disk.put(FILE, before.bytes());
        restore(disk, ROOT, null, "a", 0);
        Wal.Recovered log = Wal.open(disk, ROOT.resolve("member").resolve("wal"), LIMITS.wal());
        long first = FOUNDERS.stream().map(MemberInfo::id).min(Long::compareUnsigned).orElseThrow();
        assertThat(log.state()).isEqualTo(new WalState(1, first, 3));
        assertThat(log.snapshot().index()).isEqualTo(3);
        assertThat(log.snapshot().term()).isEqualTo(1);
        assertThat(log.snapshot().confState()).isEqualTo(Membership.of(FOUNDERS).encodeConfState());
        log.wal().close();
    }

    @Test
    void allFoundersFindTheSame() {
        change();
        disk.put(FILE, before.bytes());
        List<Map<String, Object>> states = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            restore(disk, Path.of("/" + name), null, name, 0);
            states.add(start(disk, Path.of("/" + name)));
        }
        assertThat(states.get(1)).isEqualTo(states.get(0));
        assertThat(states.get(2)).isEqualTo(states.get(0));
    }

    @Test
    void aRevisionThatIsRaisedHasAllBeforeItCompacted() {
        change();
        disk.put(FILE, before.bytes());
        restore(disk, ROOT, null, "a", 1_000);
        Map<String, Object> raised = start(disk, ROOT, null, startup -> {
            View view = startup.opened().store().view();
            assertThat(view.revision()).isEqualTo(before.store().view().revision() + 1_000);
            assertThat(view.compactedRevision()).isEqualTo(view.revision());
            assertThat(view.compaction()).as("it is still to be done").isNotNull();
        });
        assertThat(raised.get("lease")).isEqualTo(StoreByHand.all(before.store()).get("lease"));
        assertThat((List<?>) raised.get("keys of 77")).hasSize(1);
    }

    @Test
    void anEmptyStoreIsRestored() {
        disk.put(FILE, before.bytes());
        restore(disk, ROOT, null, "a", 0);
        assertThat(start(disk, ROOT).get("revision")).isEqualTo(1L);
    }

    @Test
    void theLogMayHaveAPlaceOfItsOwn() {
        change();
        disk.put(FILE, before.bytes());
        Path log = Path.of("/logs/of/a");
        restore(disk, ROOT, log, "a", 0);
        assertThat(disk.list(ROOT.resolve("member"))).doesNotContain("wal");
        assertThat(disk.list(Path.of("/logs/of"))).containsExactly("a");
        start(disk, ROOT, log, startup -> assertThat(startup.restart().applied()).isEqualTo(3));
    }

    @Test
    void aDirectoryThatIsThereAndEmptyIsTaken() {
        disk.put(FILE, before.bytes());
        disk.createDirectories(ROOT);
        restore(disk, ROOT, null, "a", 0);
        assertThat(disk.list(ROOT)).containsExactly("member");
        assertThatThrownBy(() -> restore(disk, ROOT, null, "a", 0)).isInstanceOf(StartRefused.class);
        start(disk, ROOT);
    }

    @Test
    void aClusterOfALaterVersionIsRefusedAndNothingIsLeft() {
        StoreByHand later = new StoreByHand(disk, Path.of("/later"), StoreByHand.MEMBERS.withClusterVersion("3.8.0"));
        disk.put(FILE, later.bytes());
        assertThatThrownBy(() -> restore(disk, ROOT, null, "a", 0)).isInstanceOf(SnapshotRefused.class)
                .hasMessageContaining("3.8.0").hasMessageContaining(FILE.toString());
        assertThat(disk.exists(ROOT)).isFalse();
    }

    @Test
    void damageIsFoundAndNothingIsLeft() {
        change();
        byte[] bytes = before.bytes();
        disk.put(FILE, Arrays.copyOf(bytes, bytes.length - 4_096));
        assertThatThrownBy(() -> restore(disk, ROOT, null, "a", 0)).isInstanceOf(Damaged.class);
        assertThat(disk.exists(ROOT)).isFalse();
    }

    @Test
    void whatAnotherIsAtWorkOnIsLeftAlone() {
        disk.put(FILE, before.bytes());
        disk.createDirectories(ROOT.resolve("member.tmp"));
        DiskLock others = disk.lock(ROOT.resolve("member.tmp"));
        assertThatThrownBy(() -> restore(disk, ROOT, null, "a", 0)).isInstanceOf(DiskFailure.class);
        assertThat(disk.exists(ROOT.resolve("member.tmp"))).isTrue();
        others.close();
        restore(disk, ROOT, null, "a", 0);
        start(disk, ROOT);
    }

    // ---- faults

    private interface Fault {
        void plan(FaultyDisk disk, long n);
    }

    /** At every operation, until one is never reached: the member is there, whole, or is not there and can be made. */
    private void everyOperation(Fault fault, boolean powerGoes, @Nullable Path log) {
        change();
        byte[] file = before.bytes();
        disk.put(FILE, file);
        restore(disk, ROOT, null, "a", 0);
        Map<String, Object> expected = start(disk, ROOT);
        boolean done = false;
        long n = 0;
        while (!done) {
            n++;
            FaultyDisk faulty = new FaultyDisk(new Random(n));
            faulty.put(FILE, file);
            fault.plan(faulty, n);
            try {
                restore(faulty, ROOT, log, "a", 0);
                done = faulty.isFaultPlanned();
            } catch (PowerCut | DiskFailure | Damaged failed) {
                checkLeftover(faulty, powerGoes, n);
            }
            restart(faulty, powerGoes);
            if (log != null && !faulty.exists(ROOT.resolve("member")) && faulty.exists(log)) {
                // Only this one place is not taken back: a log without a member, which no start takes for one.
                assertThat(Member.exists(faulty, CONFIG)).isFalse();
                faulty.deleteDirectory(log);
            }
            if (!faulty.exists(ROOT.resolve("member"))) {
                assertThat(done).isFalse();
                restore(faulty, ROOT, log, "a", 0);
            }
            assertThat(start(faulty, ROOT, log, startup -> {})).as("operation %d", n).isEqualTo(expected);
        }
        assertThat(n).as("the restore meets the disk often").isGreaterThan(50);
    }

    private static void restart(FaultyDisk disk, boolean powerGoes) {
        if (powerGoes) {
            disk.restart();
        } else {
            disk.restartProcess();
        }
    }

    private static void checkLeftover(FaultyDisk disk, boolean powerGoes, long n) {
        if (!powerGoes && disk.exists(ROOT) && !disk.exists(ROOT.resolve("member"))) {
            assertThat(disk.list(ROOT)).as("operation %d", n).allMatch(MemberRestore::isLeftover);
        }
    }

    @Test
    void powerGoesAfterEveryOperation() {
        everyOperation(FaultyDisk::cutPowerAfter, true, null);
    }

    @Test
    void powerGoesBeforeEveryChange() {
        everyOperation((faulty, n) -> faulty.cutPowerBefore(n, Operation.CHANGES.toArray(Operation[]::new)), true,
                null);
    }

    @Test
    void everyOperationFails() {
        everyOperation(FaultyDisk::fail, false, null);
    }

    @Test
    void powerGoesWhereTheLogHasAPlaceOfItsOwn() {
        everyOperation(FaultyDisk::cutPowerAfter, true, Path.of("/logs/a"));
    }

    @Test
    void theStoreOfTheFileIsNotTouched() {
        change();
        Store store = before.store();
        Map<String, Object> all = StoreByHand.all(store);
        disk.put(FILE, before.bytes());
        byte[] file = disk.contents(FILE);
        restore(disk, ROOT, null, "a", 7);
        assertThat(disk.contents(FILE)).isEqualTo(file);
        assertThat(StoreByHand.all(store)).isEqualTo(all);
        assertThat(Objects.requireNonNull(store.bucketScan(Bucket.MEMBERS))).hasSize(2);
    }
}
