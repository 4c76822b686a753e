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

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.api.raftpb.ConfChange;
import dev.quoin.api.raftpb.ConfChangeType;
import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.memory.FaultyDisk.Operation;
import dev.quoin.disk.memory.PowerCut;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.SnapshotMeta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** An etcd's directory becomes ours with all that it holds and has promised, or stays as it is. */
class EtcdImportTest {
    private static final Path ROOT = Path.of("/data");
    private static final Path LOG = Path.of("/logs/a");
    private static final MemberConfig CONFIG = new MemberConfig("a", ROOT, null, List.of(), "3.7.1", null, true, true,
            false,
            StoreByHand.LIMITS);

    private final FaultyDisk disk = new FaultyDisk(new Random(4));
    private final DataDirectory directory = new DataDirectory(ROOT);
    private final EtcdByHand etcd = new EtcdByHand();

    /** What was told. */
    private static final class Told implements Events {
        private @Nullable EtcdFound found;
        private @Nullable Path kept;

        @Override
        public void importing(EtcdFound importing) {
            found = importing;
        }

        @Override
        public void imported(Path directory) {
            kept = directory;
        }
    }

    private final Told told = new Told();

    // ---- looking

    static SortedMap<String, String> files(FaultyDisk disk, Path below) {
        SortedMap<String, String> files = new TreeMap<>();
        if (!disk.exists(below)) {
            return files;
        }
        for (String name : disk.list(below)) {
            Path path = below.resolve(name);
            if (disk.isDirectory(path)) {
                files.put(path + "/", "");
                files.putAll(files(disk, path));
            } else {
                files.put(path.toString(), Arrays.hashCode(disk.contents(path)) + " " + disk.contents(path).length);
            }
        }
        return files;
    }

    static Map<String, Object> start(Disk disk, DataDirectory directory, Events events, Consumer<Startup> look) {
        new EtcdImport(disk, directory, StoreByHand.LIMITS, events).run();
        DiskLock lock = directory.take(disk);
        try {
            Startup startup = Startup.on(disk, directory, CONFIG, Events.NONE);
            try {
                look.accept(startup);
                return StoreByHand.all(startup.opened().store());
            } finally {
                startup.opened().ledger().close();
                startup.wal().close();
            }
        } finally {
            lock.close();
        }
    }

    private Map<String, Object> start(Consumer<Startup> look) {
        return start(disk, directory, told, look);
    }

    private Map<String, Object> state() {
        return etcd.expected();
    }

    private void refused(Class<? extends RuntimeException> family, String... why) {
        SortedMap<String, String> before = files(disk, Path.of("/"));
        assertThatThrownBy(() -> start(startup -> {})).isInstanceOf(family)
                .satisfies(refused -> assertThat(refused.getMessage()).contains(why));
        assertThat(files(disk, Path.of("/"))).as("nothing has changed").isEqualTo(before);
        assertThat(told.kept).isNull();
    }

    private void checkPromises(Startup startup) {
        assertThat(startup.memberId()).isEqualTo(EtcdByHand.MEMBER);
        assertThat(startup.clusterId()).isEqualTo(EtcdByHand.CLUSTER);
        assertThat(startup.restart().applied()).isEqualTo(etcd.applied());
        assertThat(startup.restart().hardState().term()).isEqualTo(etcd.promised.term());
        assertThat(startup.restart().hardState().vote()).isEqualTo(etcd.promised.vote());
        assertThat(startup.restart().hardState().commit()).isEqualTo(Math.max(etcd.promised.commit(), etcd.applied()));
        assertThat(startup.restart().baseIndex()).isEqualTo(etcd.applied());
        assertThat(startup.restart().entries().stream().map(Entry::index).toList())
                .isEqualTo(etcd.entries().stream().map(entry -> entry.index()).filter(index -> index > etcd.applied())
                        .toList());
        assertThat(startup.opened().membership()).isEqualTo(StoreByHand.MEMBERS);
    }

    // ---- what is there afterwards

    @Test
    void allThatItHoldsAndHasPromisedIsThere() {
        etcd.write(disk, directory);
        SortedMap<String, String> before = files(disk, directory.member());
        assertThat(Member.exists(disk, CONFIG)).isTrue();
        assertThat(start(this::checkPromises)).isEqualTo(state());
        assertThat(disk.list(ROOT)).containsExactly("member", "member.etcd-3.7");
        assertThat(List.copyOf(files(disk, ROOT.resolve("member.etcd-3.7")).values())).as("what etcd had")
                .isEqualTo(List.copyOf(before.values()));
        assertThat(told.kept).isEqualTo(ROOT.resolve("member.etcd-3.7"));
        assertThat(told.found).isNotNull();
        assertThat(told.found.appliedIndex()).isEqualTo(etcd.applied());
        assertThat(told.found.torn()).isNull();
        assertThat(start(this::checkPromises)).as("a restart").isEqualTo(state());
    }

    /** A compaction that etcd had not finished is finished by us. */
    @Test
    void aCompactionThatWasUnderWayGoesOn() {
        etcd.write(disk, directory);
        start(startup -> assertThat(startup.opened().store().view().compaction()).isNotNull());
    }

    @Test
    void aDatabaseThatIsAheadOfTheLogIsTheBeginningOfOurs() {
        etcd.last = etcd.applied() - 2;
        etcd.promised = new WalState(5, 7, etcd.applied() - 5);
        etcd.write(disk, directory);
        assertThat(start(this::checkPromises)).isEqualTo(state());
    }

    /** A follower whose disk lagged: of the learner that was added meanwhile only the database knows. */
    @Test
    void aDatabaseThatIsAheadOfTheLogKnowsTheMembersAlone() {
        etcd.deciding = Membership.of(List.of(StoreByHand.MEMBERS.members().getLast()));
        etcd.last = etcd.applied() - 2;
        etcd.promised = new WalState(5, 7, etcd.applied() - 5);
        etcd.write(disk, directory);
        assertThat(start(this::checkPromises)).isEqualTo(state());
    }

    private static Bytes adding(MemberInfo member) {
        return Bytes.of(ConfChange.newBuilder()
                .setType(member.isLearner()
                        ? ConfChangeType.ConfChangeAddLearnerNode
                        : ConfChangeType.ConfChangeAddNode)
                .setNodeId(member.id()).setContext(ByteString.copyFrom(MemberJson.write(member).toByteArray())).build()
                .toByteArray());
    }

    /** Etcd logs such a change before it looks at it, and so it stands there as if it had been made. */
    @Test
    void membersThatEtcdDidNotTakeDoNotDecide() {
        etcd.say(etcd.applied() - 5, EntryKind.CONF_CHANGE,
                adding(new MemberInfo(21, "", List.of("http://localhost:2380"), List.of(), false)));
        etcd.say(etcd.applied() - 3, EntryKind.CONF_CHANGE,
                adding(new MemberInfo(22, "", List.of("http://localhost:2400"), List.of(), true)));
        etcd.write(disk, directory);
        assertThat(start(this::checkPromises)).isEqualTo(state());
    }

    @Test
    void aLogThatHasAPlaceOfItsOwnKeepsIt() {
        DataDirectory apart = new DataDirectory(ROOT, LOG);
        etcd.write(disk, apart);
        assertThat(start(disk, apart, told, this::checkPromises)).isEqualTo(state());
        assertThat(disk.list(Path.of("/logs"))).containsExactly("a", "a.etcd-3.7");
        assertThat(disk.list(ROOT)).containsExactly("member", "member.etcd-3.7");
        assertThat(disk.list(directory.member())).doesNotContain("wal");
    }

    @Test
    void whatIsKeptFromAnEarlierTimeStaysToo() {
        disk.createDirectories(ROOT.resolve("member.etcd-3.7"));
        etcd.write(disk, directory);
        start(this::checkPromises);
        assertThat(disk.list(ROOT)).containsExactly("member", "member.etcd-3.7", "member.etcd-3.7-2");
    }

    @Test
    void aStateThatALeaderHasSentIsUsedIfTheLogBeginsBehindIt() {
        etcd.mark = etcd.applied();
        byte[] older = new StoreByHand(disk, Path.of("/older"), StoreByHand.MEMBERS).bytes();
        etcd.write(disk, directory, directory.database(), older);
        refused(StartRefused.class, "does not match with snapshot", ".snap.db is missing");
        Path sent = directory.snap().resolve("%016x.snap.db".formatted(etcd.mark));
        disk.put(sent, etcd.database());
        assertThat(start(this::checkPromises)).isEqualTo(state());
    }

    @Test
    void aTornEndOfTheLogIsLeftOut() {
        etcd.write(disk, directory);
        Path tail = directory.wal().resolve(disk.list(directory.wal()).getLast());
        // A length of 100, and no more.
        byte[] bytes = disk.contents(tail);
        byte[] more = Arrays.copyOf(bytes, bytes.length + 16);
        more[bytes.length] = 100;
        disk.put(tail, more);
        assertThat(start(this::checkPromises)).isEqualTo(state());
        assertThat(told.found).isNotNull();
        assertThat(told.found.torn()).contains(tail.toString());
    }

    /** An etcd that was killed before it had applied anything: all is in its log. */
    @Test
    void anEtcdThatHasAppliedNothingBeginsWithItsLog() {
        List<MemberInfo> members = List.of(StoreByHand.MEMBERS.members().getLast());
        disk.createDirectories(directory.snap());
        disk.put(directory.database(), EtcdByHand.emptyDatabase());
        EtcdByHand.writeLog(disk, directory, wal -> wal.append(ConfChanges.founding(Membership.of(members), 1),
                new WalState(1, 0, 1)));
        start(startup -> {
            assertThat(startup.memberId()).isEqualTo(EtcdByHand.MEMBER);
            assertThat(startup.restart().applied()).isZero();
            assertThat(startup.restart().hardState().commit()).isEqualTo(1);
            assertThat(startup.restart().entries()).hasSize(1);
        });
        assertThat(told.kept).isEqualTo(ROOT.resolve("member.etcd"));
    }

    @Test
    void keysOfNobodyKnowsWhichIndexAreRefused() {
        etcd.changeMeta(meta -> meta.clear());
        etcd.mark = 0;
        disk.createDirectories(directory.snap());
        disk.put(directory.database(), etcd.database());
        EtcdByHand.writeLog(disk, directory, wal -> wal.append(etcd.entries(), etcd.promised));
        refused(StartRefused.class, "does not say up to which entry");
    }

    // ---- entries of the first API

    static Bytes old(String method, String path, String value) {
        ProtoWriter writer = new ProtoWriter(200);
        writer.varintField(1, 4711);
        writer.bytesField(2, Bytes.utf8(method));
        writer.bytesField(3, Bytes.utf8(path));
        writer.bytesField(4, Bytes.utf8(value));
        writer.varintField(5, 0);
        return Bytes.of(writer.toByteArray());
    }

    @Test
    void entriesOfTheFirstApiStayAsTheyAre() {
        Bytes name = old("PUT", "/0/members/8e9e05c52164694d/attributes",
                "{\"name\":\"x\",\"clientURLs\":[\"http://localhost:2379\"]}");
        etcd.say(etcd.applied() + 1, EntryKind.NORMAL, name);
        etcd.say(etcd.applied() + 2, EntryKind.NORMAL, old("PUT", "/0/version", "3.5.0"));
        etcd.say(etcd.applied() + 3, EntryKind.NORMAL, old("SYNC", "", ""));
        etcd.write(disk, directory);
        start(startup -> {
            checkPromises(startup);
            assertThat(startup.restart().entries().getFirst().data()).isEqualTo(name);
        });
    }

    @Test
    void whatTheFirstApiElseWantsIsRefused() {
        etcd.say(etcd.applied() + 2, EntryKind.NORMAL, old("PUT", "/1/key", "v"));
        etcd.write(disk, directory);
        refused(StartRefused.class, "index " + (etcd.applied() + 2), "PUT /1/key", "Start the etcd that wrote it");
    }

    // ---- refusals

    @Test
    void keysOfTheFirstApiAreRefused() throws Exception {
        assertThat(OldStore.hasKeys(OldStore.json(StoreByHand.MEMBERS))).isFalse();
        etcd.write(disk, directory);
        Bytes none = Bytes.utf8("{\"Root\":{\"Path\":\"/\",\"Children\":{\"1\":{\"Path\":\"/1\",\"Children\":{}}}}}");
        Bytes one = Bytes
                .utf8(none.toUtf8().replace("{}", "{\"k\":{\"Path\":\"/1/k\",\"Value\":\"v\",\"Children\":null}}"));
        SnapshotMeta mark = new SnapshotMeta(etcd.mark, EtcdByHand.TERM, etcd.deciding.confState());
        Path file = SnapFile.in(directory.snap(), mark.term(), mark.index());
        SnapFile.write(disk, directory.snap(), mark, one);
        refused(StartRefused.class, "first API (--enable-v2)", "etcdctl migrate of etcd 3.5");
        disk.delete(file);
        SnapFile.write(disk, directory.snap(), mark, Bytes.utf8("no store"));
        refused(Damaged.class, file.toString(), "its store does not parse");
        disk.delete(file);
        SnapFile.write(disk, directory.snap(), mark, none);
        start(this::checkPromises);
    }

    @Test
    void aKeyOfTheFirstApiThatWasWrittenSinceIsRefused() {
        etcd.say(etcd.applied() - 2, EntryKind.NORMAL, old("PUT", "/1/key", "v"));
        etcd.write(disk, directory);
        refused(StartRefused.class, "first API (--enable-v2)");
    }

    @Test
    void aSnapFileWithAFlippedBitIsDamaged() {
        etcd.write(disk, directory);
        SnapshotMeta mark = new SnapshotMeta(etcd.mark, EtcdByHand.TERM, etcd.deciding.confState());
        Path file = SnapFile.in(directory.snap(), mark.term(), mark.index());
        SnapFile.write(disk, directory.snap(), mark, OldStore.json(StoreByHand.MEMBERS));
        byte[] bytes = disk.contents(file);
        bytes[bytes.length - 3] ^= 1;
        disk.put(file, bytes);
        refused(Damaged.class, file.toString(), "checksum");
    }

    @Test
    void anEtcdThatIsTooOldIsRefused() {
        etcd.changeMeta(meta -> {
            meta.remove(Bytes.utf8("term"));
            meta.remove(Bytes.utf8("storageVersion"));
        });
        etcd.write(disk, directory);
        refused(StartRefused.class, "3.4 or older", "missing term information", "Start etcd 3.5");
    }

    @Test
    void anEtcdThatIsTooNewIsRefused() {
        etcd.changeMeta(meta -> meta.put(Bytes.utf8("storageVersion"), Bytes.utf8("3.8.0")));
        etcd.write(disk, directory);
        refused(StartRefused.class, "made for etcd 3.8.0", "3.7 is");
    }

    @Test
    void itIsSaidWhatRoomIsNeeded() {
        etcd.write(disk, directory);
        disk.leaveFree(10_000);
        refused(StartRefused.class, "To take over the etcd", "are free there", "Nothing was changed");
        disk.leaveFree(1 << 20);
        start(this::checkPromises);
    }

    @Test
    void anOlderCopyOfTheDatabaseIsRefused() {
        byte[] older = new StoreByHand(disk, Path.of("/older"), StoreByHand.MEMBERS).bytes();
        etcd.write(disk, directory, directory.database(), older);
        refused(StartRefused.class, "does not match with snapshot");
    }

    @Test
    void anOlderCopyOfTheLogIsRefused() {
        etcd.promised = new WalState(EtcdByHand.TERM - 1, 7, etcd.mark);
        etcd.write(disk, directory);
        refused(StartRefused.class, "has forgotten a vote", "killed while it wrote its log", "stop it with SIGTERM");
    }

    @Test
    void aDatabaseOfAnotherHistoryIsRefused() {
        etcd.changeMeta(meta -> meta.put(Bytes.utf8("term"), Bytes.of(new byte[]{0, 0, 0, 0, 0, 0, 0, 4})));
        etcd.write(disk, directory);
        refused(StartRefused.class, "is of term 4 in the database", "of term 3 in the log",
                "killed while it wrote its log");
    }

    @Test
    void membersOfWhomTheLogKnowsNothingAreRefused() {
        long learner = 7;
        etcd.say(etcd.applied() - 3, EntryKind.CONF_CHANGE, Bytes.of(ConfChange.newBuilder()
                .setType(ConfChangeType.ConfChangeRemoveNode).setNodeId(learner).build().toByteArray()));
        etcd.write(disk, directory);
        refused(StartRefused.class, "its members are", "those who decide", "newest 3.5", "add it again");
    }

    /** Whether etcd may be started on a directory that is refused: not where it has forgotten something. */
    @Test
    void itIsKnownWhereEtcdMayGoOn() {
        etcd.write(disk, directory);
        disk.leaveFree(10_000);
        assertThatThrownBy(() -> start(startup -> {})).isInstanceOfSatisfying(StartRefused.class,
                refused -> assertThat(refused.isOnlyForUs()).isTrue());
        FaultyDisk other = new FaultyDisk(new Random(5));
        etcd.promised = new WalState(EtcdByHand.TERM - 1, 7, etcd.mark);
        etcd.write(other, directory);
        assertThatThrownBy(() -> start(other, directory, Events.NONE, startup -> {})).isInstanceOfSatisfying(
                StartRefused.class, refused -> assertThat(refused.isOnlyForUs()).isFalse());
    }

    @Test
    void aChangeOfMembersThatCannotBeReadIsRefused() {
        Bytes garbage = Bytes.of(ConfChange.newBuilder().setType(ConfChangeType.ConfChangeAddNode).setNodeId(21)
                .setContext(ByteString.copyFromUtf8("{")).build().toByteArray());
        etcd.say(etcd.applied() + 2, EntryKind.CONF_CHANGE, garbage);
        etcd.write(disk, directory);
        refused(StartRefused.class, "index " + (etcd.applied() + 2), "a change of members that does not parse");
    }

    @Test
    void aChangeOfMembersThatWasAppliedAndCannotBeReadIsRefused() {
        etcd.say(etcd.applied() - 2, EntryKind.CONF_CHANGE,
                Bytes.of(ConfChange.newBuilder().setType(ConfChangeType.ConfChangeAddNode).setNodeId(21)
                        .setContext(ByteString.copyFromUtf8("{\"id\":22}")).build().toByteArray()));
        etcd.write(disk, directory);
        refused(StartRefused.class, "index " + (etcd.applied() - 2), "names two of them");
    }

    @Test
    void aDatabaseWithoutALogIsRefused() {
        disk.createDirectories(directory.snap());
        disk.put(directory.database(), etcd.database());
        refused(StartRefused.class, "there is no write-ahead log", "--wal-dir");
    }

    @Test
    void aLogWithoutADatabaseIsRefused() {
        etcd.write(disk, directory, directory.database(), null);
        assertThat(Member.exists(disk, CONFIG)).isTrue();
        refused(StartRefused.class, "database file (/data/member/snap/db) of the backend is missing");
        assertThatThrownBy(() -> directory.take(disk)).as("who only looks at it").isInstanceOf(StartRefused.class)
                .hasMessageContaining("of the backend is missing");
    }

    @Test
    void aMixtureIsRefused() {
        etcd.write(disk, directory);
        disk.createDirectories(directory.ledger());
        refused(StartRefused.class, "two members have been started");
    }

    @Test
    void anEtcdThatRunsIsLeftAlone() {
        etcd.write(disk, directory);
        try (DiskFile tail = disk.open(directory.wal().resolve(disk.list(directory.wal()).getLast()))) {
            tail.lock();
            refused(DiskFailure.class, "in use by another process");
        }
        start(this::checkPromises);
    }

    @Test
    void aDatabaseThatIsCutIsDamaged() {
        byte[] whole = etcd.database();
        etcd.write(disk, directory, directory.database(), Arrays.copyOf(whole, whole.length - 4_096));
        refused(Damaged.class, "/data/member/snap/db is damaged at byte");
    }

    @Test
    void aLogWithAFlippedBitIsDamaged() {
        etcd.write(disk, directory);
        Path segment = directory.wal().resolve(disk.list(directory.wal()).get(1));
        disk.corrupt(segment, 600, 1);
        refused(Damaged.class, segment + " is damaged at byte", "entries from index");
    }

    // ---- somebody came in between

    /** A unit that was forgotten: etcd makes a database and panics before it writes to the log, again and again. */
    @Test
    void theEmptyDatabaseOfAnEtcdThatWasStartedByMistakeIsSetAside() {
        etcd.write(disk, directory);
        start(this::checkPromises);
        for (int times = 1; times <= 2; times++) {
            disk.createDirectories(directory.snap());
            disk.put(directory.database(), EtcdByHand.emptyDatabase());
            assertThat(start(this::checkPromises)).isEqualTo(state());
            assertThat(disk.exists(directory.database())).isFalse();
            assertThat(disk.contents(directory.snap().resolve("db.stray"))).isEqualTo(EtcdByHand.emptyDatabase());
        }
        disk.put(directory.database(), etcd.database());
        assertThatThrownBy(() -> start(startup -> {})).as("one that has applied something").isInstanceOf(
                StartRefused.class).hasMessageContaining("two members have been started");
    }

    /** An etcd that was started between the last renames began anew, and nobody may take that for the member. */
    @Test
    void whatWasMadeIsNotClearedAwayForSomebodyWhoBeganAnew() {
        etcd.write(disk, directory);
        FaultyDisk copy = disk.copy(new Random(5));
        new EtcdImport(copy, directory, StoreByHand.LIMITS, Events.NONE).run();
        // The last rename is that of the member's files.
        disk.cutPowerBefore(copy.operations(Operation.RENAME), Operation.RENAME);
        assertThatThrownBy(() -> start(startup -> {})).isInstanceOf(PowerCut.class);
        disk.restart();
        assertThat(disk.exists(directory.member())).isFalse();
        new EtcdByHand().write(disk, directory);
        refused(StartRefused.class, "began anew in /data/member", "The member itself is in /data/member.importing");
        disk.rename(directory.member(), ROOT.resolve("stray"));
        assertThat(start(this::checkPromises)).isEqualTo(state());
    }

    // ---- faults

    private interface Fault {
        void plan(FaultyDisk disk, long n);
    }

    /** At every operation, until one is never reached: there is one member, etcd's or ours, and it is whole. */
    private void everyOperation(Fault fault, boolean powerGoes, DataDirectory where) {
        Map<String, Object> expected = state();
        boolean done = false;
        long n = 0;
        while (!done) {
            n++;
            FaultyDisk faulty = new FaultyDisk(new Random(n));
            etcd.write(faulty, where);
            SortedMap<String, String> before = files(faulty, where.member());
            fault.plan(faulty, n);
            try {
                new EtcdImport(faulty, where, StoreByHand.LIMITS, Events.NONE).run();
                done = faulty.isFaultPlanned();
            } catch (PowerCut | DiskFailure gaveOut) {
                // What is there now is looked at below.
            } catch (Damaged | StartRefused unreadable) {
                assertThat(powerGoes).as("operation %d: %s", n, unreadable.getMessage()).isFalse();
            }
            if (powerGoes) {
                faulty.restart();
            } else {
                faulty.restartProcess();
            }
            checkOneMember(faulty, where, before, n);
            assertThat(start(faulty, where, Events.NONE, this::checkPromises)).as("operation %d", n)
                    .isEqualTo(expected);
            List<String> left = new ArrayList<>(faulty.list(ROOT));
            assertThat(left).as("operation %d", n).containsExactly("member", "member.etcd-3.7");
        }
        assertThat(n).as("it meets the disk often").isGreaterThan(100);
    }

    private static void checkOneMember(FaultyDisk disk, DataDirectory where, SortedMap<String, String> before, long n) {
        assertThat(where.isInUse(disk)).as("operation %d: nobody takes it for empty", n).isTrue();
        if (disk.exists(where.database())) {
            assertThat(files(disk, where.member())).as("operation %d: etcd could go on", n).isEqualTo(before);
        }
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
}
