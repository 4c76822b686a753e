package dev.quoin.server.peer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import dev.quoin.server.peer.PeerHash.Known;
import dev.quoin.server.peer.PeerHash.Unknown;
import dev.quoin.server.peer.PeerHash.Why;
import dev.quoin.store.KeyHash;

import static org.assertj.core.api.Assertions.assertThat;

/** What follows from the hashes of members: the cases of etcd's etcdserver/corrupt_test.go. */
class CorruptionCheckTest {
    private static final long SELF = 1;
    private static final long B = 42;
    private static final long C = 43;

    /** A cluster whose answers are written down. */
    private static final class Written implements CorruptionCheck.Cluster {
        /** Of this member, one for each time it is asked. */
        private final Deque<KeyHash> own = new ArrayDeque<>();
        private List<KeyHash> compactions = List.of();
        /** Of the others, for each time they are asked. */
        private final Deque<List<PeerHash>> theirs = new ArrayDeque<>();
        private final List<Long> asked = new ArrayList<>();
        private final List<Long> raised = new ArrayList<>();
        private boolean linearizes = true;

        Written own(KeyHash... hashes) {
            own.addAll(List.of(hashes));
            return this;
        }

        Written theirs(PeerHash... hashes) {
            theirs.add(List.of(hashes));
            return this;
        }

        @Override
        public long memberId() {
            return SELF;
        }

        @Override
        public KeyHash hash() {
            return own.remove();
        }

        @Override
        public List<PeerHash> ask(long revision) {
            asked.add(revision);
            return theirs.remove();
        }

        @Override
        public List<KeyHash> compactionHashes() {
            return compactions;
        }

        @Override
        public boolean linearize() {
            return linearizes;
        }

        @Override
        public void raise(long member) {
            raised.add(member);
        }
    }

    private final Written cluster = new Written();
    private final CorruptionCheck check = new CorruptionCheck(cluster);

    private static KeyHash hash(int hash, long compactRevision, long revision) {
        return new KeyHash(hash, compactRevision, revision);
    }

    private static PeerHash said(long member, int hash, long compactRevision, long revision) {
        return new Known(member, List.of("http://b:2380"), hash(hash, compactRevision, revision), revision);
    }

    private static PeerHash silent(long member, Why why) {
        return new Unknown(member, List.of("http://b:2380"), why, "no answer");
    }

    // ---- before it serves

    private boolean initially(KeyHash own, PeerHash... theirs) throws InterruptedException {
        cluster.own(own).theirs(theirs);
        return check.holdsWhatOthersHold();
    }

    @Test
    void aMemberThatIsAloneHoldsWhatOthersHold() throws Exception {
        assertThat(initially(hash(10, -1, 20))).isTrue();
        assertThat(cluster.asked).as("at its own revision").containsExactly(20L);
    }

    @Test
    void theSameHashIsRight() throws Exception {
        assertThat(initially(hash(10, 5, 20), said(B, 10, 5, 25))).isTrue();
    }

    @Test
    void whoDoesNotSayContradictsNobody() throws Exception {
        for (Why why : Why.values()) {
            assertThat(initially(hash(10, 5, 20), silent(B, why))).as("%s", why).isTrue();
        }
    }

    @Test
    void acrossAnotherCompactionNothingIsSaid() throws Exception {
        assertThat(initially(hash(10, 5, 20), said(B, 11, 6, 20))).isTrue();
    }

    @Test
    void oneThatDiffersIsEnough() throws Exception {
        assertThat(initially(hash(10, 5, 20), said(B, 10, 5, 20), silent(C, Why.NO_ANSWER), said(C, 11, 5, 20)))
                .isFalse();
        assertThat(cluster.raised).as("there is no alarm: it does not start").isEmpty();
    }

    // ---- now and then

    private List<Long> compared(KeyHash before, KeyHash after, PeerHash... theirs) throws InterruptedException {
        cluster.raised.clear();
        cluster.own(before, after).theirs(theirs);
        check.compareAll();
        return List.copyOf(cluster.raised);
    }

    @Test
    void equalMembersRaiseNothing() throws Exception {
        assertThat(compared(hash(10, 5, 20), hash(12, 5, 22), said(B, 10, 5, 20), said(C, 10, 5, 21))).isEmpty();
    }

    @Test
    void aLeaderWhoseOwnHashChangedIsWrong() throws Exception {
        assertThat(compared(hash(10, 5, 20), hash(11, 5, 20))).containsExactly(SELF);
        assertThat(compared(hash(10, 5, 20), hash(11, 6, 20))).as("it was compacted meanwhile").isEmpty();
        assertThat(compared(hash(10, 5, 20), hash(11, 5, 21))).as("it was written meanwhile").isEmpty();
    }

    @Test
    void aFollowerThatIsAheadOfItsLeaderIsWrong() throws Exception {
        assertThat(compared(hash(10, 5, 20), hash(10, 5, 20), said(B, 10, 5, 21))).containsExactly(B);
        assertThat(compared(hash(10, 5, 20), hash(10, 5, 20), said(B, 10, 6, 20))).containsExactly(B);
        assertThat(compared(hash(10, 5, 20), hash(12, 6, 21), said(B, 10, 6, 21))).as("not of the later hash")
                .isEmpty();
    }

    @Test
    void aFollowerWithAnotherHashIsWrong() throws Exception {
        assertThat(compared(hash(10, 5, 20), hash(10, 5, 20), said(B, 11, 5, 20))).containsExactly(B);
        assertThat(compared(hash(10, 5, 20), hash(10, 5, 20), said(B, 11, 4, 20))).as("across another compaction")
                .isEmpty();
    }

    @Test
    void onlyTheFirstThatIsWrongIsNamed() throws Exception {
        assertThat(compared(hash(10, 5, 20), hash(11, 5, 20), said(B, 11, 5, 20), said(C, 12, 5, 20)))
                .containsExactly(SELF);
        assertThat(compared(hash(10, 5, 20), hash(10, 5, 20), said(B, 11, 5, 20), said(C, 12, 5, 20)))
                .containsExactly(B);
    }

    @Test
    void withoutALinearizableReadNothingIsSaid() throws Exception {
        cluster.linearizes = false;
        cluster.own(hash(10, 5, 20)).theirs(said(B, 11, 5, 20));
        check.compareAll();
        assertThat(cluster.raised).isEmpty();
    }

    // ---- after compactions

    private List<Long> comparedCompactions(KeyHash... kept) throws InterruptedException {
        cluster.raised.clear();
        cluster.asked.clear();
        cluster.compactions = Stream.of(kept).toList();
        check.compareCompactions();
        return List.copyOf(cluster.raised);
    }

    @Test
    void withoutCompactionsNobodyIsAsked() throws Exception {
        assertThat(comparedCompactions()).isEmpty();
        assertThat(cluster.asked).isEmpty();
    }

    @Test
    void aHashThatAllHaveIsCheckedOnce() throws Exception {
        cluster.theirs(said(B, 2, 1, 2), said(C, 2, 1, 2));
        assertThat(comparedCompactions(hash(1, 0, 1), hash(2, 1, 2))).isEmpty();
        assertThat(cluster.asked).as("the newest, and then no older one").containsExactly(2L);
        assertThat(comparedCompactions(hash(1, 0, 1), hash(2, 1, 2))).isEmpty();
        assertThat(cluster.asked).isEmpty();
    }

    @Test
    void ifSomebodyDoesNotSayAnOlderOneIsLookedAt() throws Exception {
        cluster.theirs(said(B, 2, 1, 2), silent(C, Why.FUTURE_REVISION)).theirs(said(B, 1, 0, 1), said(C, 1, 0, 1));
        assertThat(comparedCompactions(hash(1, 0, 1), hash(2, 1, 2))).isEmpty();
        assertThat(cluster.asked).containsExactly(2L, 1L);
        cluster.theirs(said(B, 2, 1, 2), said(C, 2, 7, 2));
        assertThat(comparedCompactions(hash(1, 0, 1), hash(2, 1, 2))).as("across another compaction").isEmpty();
        assertThat(cluster.asked).as("the older one is known").containsExactly(2L);
    }

    @Test
    void theMinorityIsWrong() throws Exception {
        cluster.theirs(said(B, 2, 1, 2), said(C, 3, 1, 2));
        assertThat(comparedCompactions(hash(2, 1, 2))).containsExactly(C);
        cluster.theirs(said(B, 3, 1, 2), said(C, 3, 1, 2));
        assertThat(comparedCompactions(hash(2, 1, 2))).as("the leader").containsExactly(SELF);
    }

    @Test
    void withoutAMajorityItIsTheCluster() throws Exception {
        cluster.theirs(said(B, 3, 1, 2));
        assertThat(comparedCompactions(hash(2, 1, 2))).containsExactly(0L);
        cluster.theirs(said(B, 3, 1, 2), said(C, 4, 1, 2));
        assertThat(comparedCompactions(hash(2, 1, 2))).containsExactly(0L);
        cluster.theirs(said(B, 3, 1, 2), silent(C, Why.NO_ANSWER));
        assertThat(comparedCompactions(hash(2, 1, 2))).as("who is silent counts as a member").containsExactly(0L);
    }
}
