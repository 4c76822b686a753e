package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.store.Command;
import dev.quoin.store.HashWalk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A member that does not run is seen as its next start would find it, and stays as it is. */
class StoppedMemberTest {
    private static final Path ROOT = Path.of("/data");
    private static final Path MEMBER = ROOT.resolve("member");
    private static final Path WAL = MEMBER.resolve("wal");
    private static final MemberLimits LIMITS = StoreByHand.LIMITS;
    private static final long SELF = StoreByHand.MEMBERS.members().getLast().id();

    private final FaultyDisk disk = new FaultyDisk(new Random(4));
    private int hash;
    private long keys;
    private long index;

    /** A member's directory with much that is dead in it, as an orderly stop leaves it. */
    private void make() {
        StoreByHand store = new StoreByHand(disk, MEMBER.resolve("ledger"), StoreByHand.MEMBERS);
        store.apply(new Command.LeaseGrant(77, 60));
        store.put("leased", "v", 77);
        for (int i = 0; i < 60; i++) {
            store.put("filler", "f".repeat(200), 0);
        }
        store.change(new Random(9), 80);
        store.compact(100, true);
        store.change(new Random(10), 20);
        hash = ((HashWalk) store.store().view().hash(0)).run().hash();
        keys = store.store().view().keyCount();
        index = store.index();
        Bytes configuration = store.membership().encodeConfState();
        store.opened.ledger().close();
        Origin.Founder self = Origin.Founder.of("a", List.of(StoreByHand.MEMBERS.member(SELF).orElseThrow()));
        try (Wal wal = Wal.create(disk, WAL, Startup.newMetadata(self), LIMITS.wal())) {
            wal.beginAnew(new WalSnapshot(index, StoreByHand.TERM, configuration),
                    new WalState(StoreByHand.TERM, 0, index));
        }
    }

    /** All files with all their bytes. */
    private Map<String, Bytes> files(Path directory) {
        Map<String, Bytes> files = new TreeMap<>();
        for (String name : disk.list(directory)) {
            Path path = directory.resolve(name);
            if (disk.isDirectory(path)) {
                files.putAll(files(path));
            } else {
                files.put(path.toString(), Bytes.of(disk.contents(path)));
            }
        }
        return files;
    }

    @Test
    void lookingShowsAllAndChangesNothing() {
        make();
        // What a crash leaves behind the end, which a start would cut off.
        Path ledger = MEMBER.resolve("ledger");
        Path last = ledger
                .resolve(disk.list(ledger).stream().filter(name -> name.endsWith(".ledger")).toList().getLast());
        disk.put(ledger.resolve("0000abcd.ledger.tmp"), new byte[100]);
        Map<String, Bytes> before = files(ROOT);
        try (StoppedMember member = StoppedMember.look(disk, ROOT, null)) {
            assertThat(((HashWalk) member.view().hash(0)).run().hash()).isEqualTo(hash);
            assertThat(member.view().keyCount()).isEqualTo(keys);
            assertThat(member.memberId()).isEqualTo(SELF);
            assertThat(member.membership()).isEqualTo(StoreByHand.MEMBERS);
            assertThat(List.of(member.appliedIndex(), member.commitIndex(), member.lastIndex()))
                    .containsOnly(index);
            assertThat(member.term()).isEqualTo(StoreByHand.TERM);
            List<Damaged> damage = new ArrayList<>();
            member.scrub(damage::add);
            assertThat(damage).isEmpty();
            assertThat(member.damage()).isEmpty();
            assertThat(member.repaired()).isNull();
        }
        assertThat(files(ROOT)).isEqualTo(before);
        assertThat(disk.isLocked(MEMBER)).isFalse();
        assertThat(disk.exists(last)).isTrue();
    }

    @Test
    void aMemberThatRunsIsLeftAlone() {
        make();
        disk.lock(MEMBER);
        assertThatThrownBy(() -> StoppedMember.look(disk, ROOT, null)).isInstanceOfSatisfying(DiskFailure.class,
                failure -> assertThat(failure.isInUse()).isTrue());
    }

    @Test
    void whatKeepsAMemberFromStartingIsToldInItsWords() {
        make();
        for (String name : disk.list(WAL)) {
            disk.delete(WAL.resolve(name));
        }
        disk.delete(WAL);
        assertThatThrownBy(() -> StoppedMember.look(disk, ROOT, null)).isInstanceOf(StartRefused.class)
                .hasMessageContaining("A ledger is in " + MEMBER);
        assertThat(disk.exists(WAL)).as("nothing is made in its place").isFalse();
    }

    @Test
    void eachDamageIsToldOnceAlsoInTheFileThatIsWrittenLast() {
        make();
        try (StoppedMember member = StoppedMember.open(disk, new DataDirectory(ROOT), LIMITS)) {
            member.defragment();
        }
        Path ledger = MEMBER.resolve("ledger");
        assertThat(disk.list(ledger)).contains("checkpoint");
        Path last = ledger
                .resolve(disk.list(ledger).stream().filter(name -> name.endsWith(".ledger")).toList().getLast());
        // Before the checkpoint's mark, so that a start would not read it.
        disk.corrupt(last, 60, 1);
        List<Damaged> damage = new ArrayList<>();
        try (StoppedMember member = StoppedMember.look(disk, ROOT, null)) {
            member.scrub(damage::add);
        }
        assertThat(damage).singleElement().satisfies(one -> assertThat(one.file()).isEqualTo(last.toString()));
    }

    @Test
    void defragmentingGivesBackWhatNobodyNeedsAndChangesNoAnswer() {
        make();
        long before;
        try (StoppedMember member = StoppedMember.open(disk, new DataDirectory(ROOT), LIMITS)) {
            before = member.ledgerBytes();
            member.defragment();
            assertThat(member.ledgerBytes()).isLessThan(before);
        }
        try (StoppedMember member = StoppedMember.look(disk, ROOT, null)) {
            assertThat(((HashWalk) member.view().hash(0)).run().hash()).isEqualTo(hash);
            assertThat(member.view().keyCount()).isEqualTo(keys);
            assertThat(member.ledgerBytes()).isLessThan(before);
        }
    }
}
