package dev.quoin.member;

import java.util.HexFormat;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.EntryKind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The entries were made by etcd's own CreateConfigChangeEnts, 3.7.1. */
class ForcedClusterTest {
    private static final long Z = 0xf000_0000_0000_0001L;
    private static final String REMOVES_Z = "1001188180808080808080f001";
    private static final String ADDS_3 = "10001803222d7b226964223a332c227065657255524c73223a5b22687474703a2f2f6c6f63616c"
            + "686f73743a32333830225d7d";

    private static MemberInfo voter(long id) {
        return new MemberInfo(id, "m" + id, List.of("http://" + id + ":1"), List.of(), false);
    }

    private static WalEntry normal(long index) {
        return new WalEntry(EntryKind.NORMAL.number(), 4, index, Bytes.utf8("e" + index));
    }

    private static WalEntry change(long index, Bytes data) {
        return new WalEntry(EntryKind.CONF_CHANGE.number(), 4, index, data);
    }

    private static WalEntry change(long index, String hex) {
        return change(index, Bytes.of(HexFormat.of().parseHex(hex)));
    }

    private static ForcedCluster force(Membership applied, long appliedIndex, long commit, WalEntry... entries) {
        return ForcedCluster.of(3, applied, appliedIndex, new WalState(4, 5, commit), List.of(entries), 1);
    }

    @Test
    void theOthersAreRemovedInTheOrderOfTheirIds() {
        Membership three = Membership.of(List.of(voter(Z), voter(5), voter(3)));
        assertThat(force(three, 9, 9, normal(9))).isEqualTo(new ForcedCluster(new WalState(4, 5, 11),
                List.of(change(10, "10011805"), change(11, REMOVES_Z))));
    }

    @Test
    void whatMayHaveBeenAcknowledgedStays() {
        Membership alone = Membership.of(List.of(voter(3)));
        assertThat(force(alone, 7, 8, normal(7), normal(8), normal(9), normal(10)))
                .isEqualTo(new ForcedCluster(new WalState(4, 5, 10), List.of()));
        assertThat(force(alone, 9, 7)).as("what was applied was committed")
                .isEqualTo(new ForcedCluster(new WalState(4, 5, 9), List.of()));
    }

    @Test
    void theMembersAreThoseOfTheWholeLog() {
        Membership alone = Membership.of(List.of(voter(3)));
        WalEntry adds5 = change(8, ConfChanges.added(voter(5)));
        WalEntry addsZ = change(10, ConfChanges.added(voter(Z)));
        assertThat(force(alone, 7, 9, adds5, normal(9)).added()).containsExactly(change(10, "10011805"));
        assertThat(force(alone, 7, 10, adds5, normal(9), addsZ).added()).containsExactly(change(11, "10011805"),
                change(12, REMOVES_Z));
        assertThat(force(Membership.of(List.of(voter(3), voter(5))), 8, 9, adds5, normal(9)).added())
                .as("an entry that was applied is not applied again").containsExactly(change(10, "10011805"));
        WalEntry refused = change(8, ConfChanges.added(voter(3)));
        assertThat(force(alone, 7, 8, refused).added()).as("a change that takes no effect counts for nothing")
                .isEmpty();
    }

    @Test
    void aMemberThatTheLogDoesNotKnowIsAddedFirst() {
        Membership others = Membership.of(List.of(voter(Z), voter(7)));
        assertThat(force(others, 9, 9).added()).containsExactly(change(10, ADDS_3), change(11, "10011807"),
                change(12, REMOVES_Z));
    }

    @Test
    void aLearnerIsNoCluster() {
        Membership learns = Membership.of(List.of(voter(Z), new MemberInfo(3, "", List.of(), List.of(), true)));
        assertThatThrownBy(() -> force(learns, 9, 9)).isInstanceOf(StartRefused.class).hasMessageContaining("learner");
    }
}
