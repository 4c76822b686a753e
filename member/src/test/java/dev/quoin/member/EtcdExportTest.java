package dev.quoin.member;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;
import dev.quoin.disk.memory.PowerCut;
import dev.quoin.disk.wal.Wal;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A directory of ours becomes an etcd's with all that it holds and has promised, or stays as it is. */
class EtcdExportTest {
    private static final Path ROOT = Path.of("/data");
    private static final Path OUT = Path.of("/out");
    private static final Path LOG = Path.of("/logs/a");
    private static final SemVersion V3_6 = new SemVersion(3, 6, 0);

    private final FaultyDisk disk = new FaultyDisk(new Random(4));
    private final DataDirectory directory = new DataDirectory(ROOT);
    private final EtcdByHand etcd = new EtcdByHand();

    @BeforeEach
    void anEtcdHasBecomeOurs() {
        prepare(disk, directory);
    }

    private void prepare(FaultyDisk on, DataDirectory where) {
        etcd.write(on, where);
        EtcdImportTest.start(on, where, Events.NONE, startup -> {});
        // What etcd had is not looked at any more.
        delete(on, ROOT.resolve("member.etcd-3.7"));
        if (!where.isLogInside()) {
            delete(on, LOG.resolveSibling("a.etcd-3.7"));
        }
    }

    private static void delete(FaultyDisk disk, Path directory) {
        for (String name : disk.list(directory)) {
            if (disk.isDirectory(directory.resolve(name))) {
                delete(disk, directory.resolve(name));
            } else {
                disk.delete(directory.resolve(name));
            }
        }
        disk.delete(directory);
        disk.syncDirectory(Disk.parentOf(directory));
    }

    private static EtcdExport export(Disk disk, DataDirectory from, DataDirectory to, @Nullable SemVersion asked) {
        return new EtcdExport(disk, from, to, asked, StoreByHand.LIMITS);
    }

    private EtcdExport.Exported export(@Nullable SemVersion asked) {
        return export(disk, directory, directory, asked).run();
    }

    private void checkPromises(Startup startup) {
        assertThat(startup.memberId()).isEqualTo(EtcdByHand.MEMBER);
        assertThat(startup.clusterId()).isEqualTo(EtcdByHand.CLUSTER);
        assertThat(startup.restart().applied()).isEqualTo(etcd.applied());
        assertThat(startup.restart().hardState().term()).isEqualTo(etcd.promised.term());
        assertThat(startup.restart().hardState().vote()).isEqualTo(etcd.promised.vote());
        assertThat(startup.restart().entries().stream().map(Entry::index).toList()).isEqualTo(etcd.entries().stream()
                .map(entry -> entry.index()).filter(index -> index > etcd.applied()).toList());
    }

    private void refused(@Nullable SemVersion asked, String... why) {
        SortedMap<String, String> before = EtcdImportTest.files(disk, ROOT);
        assertThatThrownBy(() -> export(asked)).isInstanceOf(StartRefused.class)
                .satisfies(refused -> assertThat(refused.getMessage()).contains(why));
        assertThat(disk.list(ROOT)).containsExactly("member");
        assertThat(EtcdImportTest.files(disk, ROOT).keySet()).isEqualTo(before.keySet());
    }

    // ---- what is there afterwards

    @Test
    void whatWeMakeOfItIsWhatWeTakeOver() {
        EtcdExport.Exported made = export(null);
        assertThat(made.version()).isEqualTo(SemVersion.OWN_STORAGE);
        assertThat(made.kept()).isEqualTo(ROOT.resolve("member.quoin"));
        assertThat(made.appliedIndex()).isEqualTo(etcd.applied());
        assertThat(disk.list(ROOT)).containsExactly("member", "member.quoin");
        assertThat(disk.list(directory.member())).containsExactly("snap", "wal");
        assertThat(disk.list(directory.snap())).containsExactly(
                "%016x-%016x.snap".formatted(EtcdByHand.TERM, etcd.applied()), "db");
        assertThat(Wal.isEtcds(disk, directory.wal())).isTrue();
        assertThat(EtcdImportTest.start(disk, directory, Events.NONE, this::checkPromises)).isEqualTo(etcd.expected());
    }

    @Test
    void whatIsMadeElsewhereLeavesTheDirectoryAsItIs() {
        SortedMap<String, String> before = EtcdImportTest.files(disk, ROOT);
        EtcdExport.Exported made = export(disk, directory, new DataDirectory(OUT), null).run();
        assertThat(made.kept()).isNull();
        assertThat(EtcdImportTest.files(disk, ROOT)).isEqualTo(before);
        assertThat(EtcdImportTest.start(disk, new DataDirectory(OUT), Events.NONE, this::checkPromises))
                .isEqualTo(etcd.expected());
        assertThatThrownBy(() -> export(disk, directory, new DataDirectory(OUT), null).run())
                .isInstanceOf(StartRefused.class).hasMessageContaining("a member is in /out/member already");
    }

    @Test
    void whatTheFirstStoreSaysIsWhoBelongsToTheCluster() {
        assertThat(OldStore.json(StoreByHand.MEMBERS).toUtf8()).isEqualTo("{\"Root\":" + node("/", "", //
                "\"0\":" + node("/0", "", //
                        "\"members\":" + node("/0/members", "", //
                                "\"7\":" + node("/0/members/7", "",
                                        "\"raftAttributes\":" + node("/0/members/7/raftAttributes",
                                                "{\\\"peerURLs\\\":[\\\"http://localhost:2390\\\"],\\\"isLearner\\\":true}",
                                                null))
                                        + ",\"8e9e05c52164694d\":" + node("/0/members/8e9e05c52164694d", "",
                                                "\"attributes\":" + node("/0/members/8e9e05c52164694d/attributes",
                                                        "{\\\"name\\\":\\\"a\\\",\\\"clientURLs\\\":[\\\"http://localhost:2379\\\"]}",
                                                        null)
                                                        + ",\"raftAttributes\":"
                                                        + node("/0/members/8e9e05c52164694d/raftAttributes",
                                                                "{\\\"peerURLs\\\":[\\\"http://localhost:2380\\\"]}",
                                                                null)))
                                + ",\"removed_members\":" + node("/0/removed_members", "",
                                        "\"9\":" + node("/0/removed_members/9", "", null))
                                + ",\"version\":" + node("/0/version", "3.7.0", null))
                        + ",\"1\":" + node("/1", "", ""))
                + ",\"CurrentIndex\":0,\"CurrentVersion\":2}");
    }

    private static String node(String path, String value, @Nullable String children) {
        return "{\"Path\":\"" + path
                + "\",\"CreatedIndex\":0,\"ModifiedIndex\":0,\"ExpireTime\":\"0001-01-01T00:00:00Z\",\"Value\":\""
                + value + "\",\"Children\":" + (children == null ? "null" : "{" + children + "}") + "}";
    }

    // ---- another version

    @Test
    void aClusterOfMoreThanOneIsNotLowered() {
        refused(V3_6, "The cluster is of version 3.7.0", "etcdctl downgrade enable 3.6");
    }

    /** Until its leader has asked all members it says that it is 3.0, and stores as today's etcd does. */
    @Test
    void aClusterThatHasNotAgreedOnAVersionIsOneOfToday() {
        Membership alone = Membership.of(List.of(StoreByHand.MEMBERS.members().getLast())).withClusterVersion("3.0.0");
        for (SemVersion wanted : List.of(SemVersion.OWN_STORAGE, V3_6)) {
            FaultyDisk other = new FaultyDisk(new Random(7));
            new EtcdByHand(alone).write(other, directory);
            EtcdImportTest.start(other, directory, Events.NONE, startup -> {});
            EtcdExport.Exported made = export(other, directory, directory, wanted).run();
            assertThat(made.version()).isEqualTo(wanted);
            assertThat(made.isLowered()).isEqualTo(wanted.equals(V3_6));
            EtcdImportTest.start(other, directory, Events.NONE, startup -> assertThat(
                    startup.opened().membership().storageVersion()).isEqualTo(wanted.toString()));
        }
    }

    @Test
    void roomIsLookedFor() {
        disk.leaveFree(10_000);
        refused(null, "The export takes", "are free there");
    }

    @Test
    void aMemberThatRunsIsLeftAlone() {
        try (DiskLock _ = disk.lock(directory.member())) {
            assertThatThrownBy(() -> export(null)).isInstanceOfSatisfying(DiskFailure.class,
                    failure -> assertThat(failure.isInUse()).isTrue());
        }
        assertThat(disk.list(ROOT)).containsExactly("member");
    }

    /** It would become a part of what is set aside, and etcd would begin a new log of term 0. */
    @Test
    void aLogThatLiesElsewhereInTheMembersDirectoryIsToBeMovedFirst() {
        DataDirectory where = new DataDirectory(ROOT, directory.member().resolve("log"));
        disk.rename(directory.wal(), where.wal());
        disk.syncDirectory(directory.member());
        assertThatThrownBy(() -> export(disk, where, where, null).run()).isInstanceOf(StartRefused.class)
                .hasMessageContaining("/data/member/log would go wherever /data/member goes")
                .hasMessageContaining("--wal-dir");
        assertThat(disk.list(ROOT)).containsExactly("member");
        assertThat(EtcdImportTest.start(disk, where, Events.NONE, this::checkPromises)).isEqualTo(etcd.expected());
    }

    /** Power went between the renames, and somebody has moved the log away. */
    @Test
    void whatIsLeftIsNotFinishedWithoutItsLog() {
        DataDirectory apart = new DataDirectory(ROOT, LOG);
        FaultyDisk other = new FaultyDisk(new Random(6));
        prepare(other, apart);
        // The last but one rename is that of the log, and the last one that of the member's files.
        long renames = renamesOfAnExport(apart);
        other.cutPowerBefore(renames, Operation.RENAME);
        assertThatThrownBy(() -> export(other, apart, apart, null).run()).isInstanceOf(PowerCut.class);
        other.restart();
        EtcdExport again = export(other, apart, apart, null);
        assertThat(again.isHalfDone()).isTrue();
        assertThatThrownBy(() -> export(other, directory, directory, null).resume()).isInstanceOf(StartRefused.class)
                .hasMessageContaining("log is in /logs/a. Name the --wal-dir accordingly");
        other.rename(LOG, LOG.resolveSibling("away"));
        assertThatThrownBy(again::resume).isInstanceOf(StartRefused.class)
                .hasMessageContaining("is neither in /logs/a.exporting nor in /logs/a");
        other.rename(LOG.resolveSibling("away"), LOG);
        again.resume();
        assertThat(EtcdImportTest.start(other, apart, Events.NONE, this::checkPromises)).isEqualTo(etcd.expected());
    }

    /** An etcd that was started between the last renames began anew, and nobody may take that for the member. */
    @Test
    void whatWasMadeIsNotClearedAwayForSomebodyWhoBeganAnew() {
        disk.cutPowerBefore(renamesOfAnExport(directory), Operation.RENAME);
        assertThatThrownBy(() -> export(null)).isInstanceOf(PowerCut.class);
        disk.restart();
        assertThat(disk.exists(directory.member())).isFalse();
        new EtcdByHand().write(disk, directory);
        SortedMap<String, String> before = EtcdImportTest.files(disk, ROOT);
        assertThatThrownBy(() -> EtcdImportTest.start(disk, directory, Events.NONE, startup -> {}))
                .isInstanceOf(StartRefused.class)
                .hasMessageContaining("The member itself is in /data/member.exporting");
        assertThatThrownBy(() -> export(null)).isInstanceOf(StartRefused.class).hasMessageContaining("began anew");
        assertThatThrownBy(() -> export(disk, directory, directory, null).isHalfDone())
                .isInstanceOf(StartRefused.class).hasMessageContaining("began anew");
        assertThat(EtcdImportTest.files(disk, ROOT)).isEqualTo(before);
        disk.rename(directory.member(), ROOT.resolve("stray"));
        export(disk, directory, directory, null).resume();
        assertThat(EtcdImportTest.start(disk, directory, Events.NONE, this::checkPromises)).isEqualTo(etcd.expected());
    }

    /** As it is with a mount point: else no start and no export would ever get further. */
    @Test
    void whereTheLogCannotBeRenamedTheMemberIsAsItWas() {
        DataDirectory apart = new DataDirectory(ROOT, LOG);
        FaultyDisk other = new FaultyDisk(new Random(6));
        prepare(other, apart);
        // The last three are that of the log that was there, that of the new log, and that of the member's files.
        other.fail(renamesOfAnExport(apart) - 2, Operation.RENAME);
        assertThatThrownBy(() -> export(other, apart, apart, null).run()).isInstanceOf(DiskFailure.class)
                .hasMessageContaining("The member is as it was. If /logs/a is a mount point")
                .hasMessageContaining("--wal-dir");
        assertThat(other.list(ROOT)).containsExactly("member");
        assertThat(other.list(Disk.parentOf(LOG))).containsExactly("a");
        assertThat(EtcdImportTest.start(other, apart, Events.NONE, this::checkPromises)).isEqualTo(etcd.expected());
    }

    private long renamesOfAnExport(DataDirectory where) {
        FaultyDisk other = new FaultyDisk(new Random(6));
        prepare(other, where);
        long before = other.operations(Operation.RENAME);
        export(other, where, where, null).run();
        return other.operations(Operation.RENAME) - before;
    }

    /** What is not applied yet, an etcd 3.7 could not read as it stands. */
    @Test
    void entriesOfTheFirstApiAreSaidInWordsOfToday() {
        FaultyDisk other = new FaultyDisk(new Random(5));
        etcd.say(etcd.applied() + 1, EntryKind.NORMAL, EtcdImportTest.old("PUT", "/0/version", "3.5.0"));
        etcd.say(etcd.applied() + 2, EntryKind.NORMAL, EtcdImportTest.old("SYNC", "", ""));
        prepare(other, directory);
        export(other, directory, directory, null).run();
        EtcdImportTest.start(other, directory, Events.NONE, startup -> {
            Bytes version = startup.restart().entries().getFirst().data();
            assertThat(OldRequests.isOld(version)).isFalse();
            assertThat(Requests.logged(version)).isInstanceOfSatisfying(Requests.Logged.ToCluster.class,
                    set -> assertThat(set.request().getClusterVersionSet().getVer()).isEqualTo("3.5.0"));
            assertThat(startup.restart().entries().get(1).data().isEmpty()).isTrue();
        });
    }

    // ---- faults

    private interface Fault {
        void plan(FaultyDisk disk, long n);
    }

    /** At every operation, until one is never reached: there is one member, ours or etcd's, and it is whole. */
    private void everyOperation(Fault fault, boolean powerGoes, DataDirectory where) {
        Map<String, Object> expected = etcd.expected();
        boolean done = false;
        long n = 0;
        while (!done) {
            n++;
            FaultyDisk faulty = new FaultyDisk(new Random(n));
            prepare(faulty, where);
            fault.plan(faulty, n);
            try {
                export(faulty, where, where, null).run();
                done = faulty.isFaultPlanned();
            } catch (PowerCut | DiskFailure gaveOut) {
                // What is there now is looked at below.
            } catch (Damaged unreadable) {
                assertThat(powerGoes).as("operation %d: %s", n, unreadable.getMessage()).isFalse();
            }
            if (powerGoes) {
                faulty.restart();
            } else {
                faulty.restartProcess();
            }
            assertThat(where.isInUse(faulty)).as("operation %d: nobody takes it for empty", n).isTrue();
            EtcdExport again = export(faulty, where, where, null);
            if (again.isHalfDone()) {
                assertThatThrownBy(() -> EtcdImportTest.start(faulty, where, Events.NONE, startup -> {}))
                        .as("operation %d: nobody begins anew", n).isInstanceOf(StartRefused.class)
                        .hasMessageContaining("quoin export /data goes on with it");
                assertThat(faulty.exists(where.member())).as("operation %d", n).isFalse();
                again.resume();
            } else if (where.hasLedger(faulty)) {
                assertThat(done).as("operation %d", n).isFalse();
                again.run();
            }
            assertThat(faulty.list(ROOT)).as("operation %d", n).containsExactly("member", "member.quoin");
            assertThat(where.isEtcds(faulty)).as("operation %d", n).isTrue();
            assertThat(EtcdImportTest.start(faulty, where, Events.NONE, this::checkPromises)).as("operation %d", n)
                    .isEqualTo(expected);
        }
        assertThat(n).as("it meets the disk often").isGreaterThan(50);
    }

    @Test
    void powerGoesAfterEveryOperation() {
        everyOperation(FaultyDisk::cutPowerAfter, true, directory);
    }

    @Test
    void powerGoesBeforeEveryChange() {
        everyOperation((faulty, n) -> faulty.cutPowerBefore(n, Operation.CHANGES.toArray(Operation[]::new)), true,
                directory);
    }

    @Test
    void everyOperationFails() {
        everyOperation(FaultyDisk::fail, false, directory);
    }

    @Test
    void powerGoesWhereTheLogHasAPlaceOfItsOwn() {
        everyOperation(FaultyDisk::cutPowerAfter, true, new DataDirectory(ROOT, LOG));
    }

    @Test
    void everyOperationFailsWhereTheLogHasAPlaceOfItsOwn() {
        everyOperation(FaultyDisk::fail, false, new DataDirectory(ROOT, LOG));
    }

    @Test
    void whatIsKeptFromEarlierTimesStays() {
        List<String> names = List.of("member.quoin", "member.quoin-2");
        names.forEach(name -> disk.createDirectories(ROOT.resolve(name)));
        assertThat(export(null).kept()).isEqualTo(ROOT.resolve("member.quoin-3"));
    }
}
