package dev.quoin.member;

import java.util.List;
import java.util.Objects;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;

import dev.quoin.api.membershippb.Attributes;
import dev.quoin.api.membershippb.ClusterMemberAttrSetRequest;
import dev.quoin.api.membershippb.DowngradeInfoSetRequest;
import dev.quoin.api.raftpb.ConfChange;
import dev.quoin.api.raftpb.ConfChangeType;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.store.Bucket;
import dev.quoin.store.Records;
import dev.quoin.store.Store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Every kind of entry about the cluster, and every reason for which etcd's apply lets one take no effect. */
class MemberChangeTest {
    private static final long A = 0xa;
    private static final long B = 0xb;
    /** Beyond 2^63, as half of all ids are. */
    private static final long Z = 0xf000_0000_0000_0001L;

    private static final Membership ONE = Membership.NONE.with(voter(A));

    private static MemberInfo voter(long id) {
        return new MemberInfo(id, "m" + Long.toHexString(id), List.of("http://" + Long.toHexString(id) + ":2380"),
                List.of("http://" + Long.toHexString(id) + ":2379"), false);
    }

    private static MemberInfo learner(long id) {
        return new MemberInfo(id, "", List.of("http://" + Long.toHexString(id) + ":2380"), List.of(), true);
    }

    private static Bytes change(ConfChangeType type, long id, String context) {
        return Bytes.of(ConfChange.newBuilder().setType(type).setNodeId(id)
                .setContext(ByteString.copyFromUtf8(context)).build().toByteArray());
    }

    private static Bytes add(MemberInfo member) {
        ConfChangeType type = member.isLearner()
                ? ConfChangeType.ConfChangeAddLearnerNode
                : ConfChangeType.ConfChangeAddNode;
        return change(type, member.id(), MemberJson.write(member).toUtf8());
    }

    private static Bytes promote(long id) {
        return change(ConfChangeType.ConfChangeAddNode, id,
                "{\"id\":" + Long.toUnsignedString(id) + ",\"peerURLs\":null,\"isPromote\":true}");
    }

    private static Bytes remove(long id) {
        return change(ConfChangeType.ConfChangeRemoveNode, id, "");
    }

    private static Bytes update(MemberInfo member) {
        return change(ConfChangeType.ConfChangeUpdateNode, member.id(), MemberJson.write(member).toUtf8());
    }

    private static Membership done(Membership before, Bytes change) {
        MemberChange.Changed changed = MemberChange.applied(before, change, 1);
        assertThat(changed.refusal()).isNull();
        return changed.membership();
    }

    private static void refused(ChangeRefusal reason, Membership before, Bytes change) {
        MemberChange.Changed changed = MemberChange.applied(before, change, 1);
        assertThat(changed.refusal()).isEqualTo(reason);
        assertThat(changed.membership()).isEqualTo(before);
    }

    @Test
    void aMemberIsAddedPromotedUpdatedAndRemoved() {
        Membership added = done(ONE, add(learner(Z)));
        assertThat(added.confState().voters()).containsExactly(A);
        assertThat(added.confState().learners()).containsExactly(Z);

        Membership promoted = done(added, promote(Z));
        assertThat(promoted.confState().voters()).containsExactly(A, Z);
        assertThat(promoted.member(Z).orElseThrow().peerUrls()).containsExactly("http://f000000000000001:2380");

        // Only the URLs of peers are taken over: an update does not make a voter of a learner.
        Membership moved = done(added, update(new MemberInfo(Z, "x", List.of("http://z:1"), List.of(), false)));
        assertThat(moved.member(Z).orElseThrow())
                .isEqualTo(new MemberInfo(Z, "", List.of("http://z:1"), List.of(), true));

        Membership removed = done(promoted, remove(A));
        assertThat(removed.members()).extracting(MemberInfo::id).containsExactly(Z);
        assertThat(removed.isRemoved(A)).isTrue();
    }

    @Test
    void aChangeThatDoesNotFitTakesNoEffect() {
        Membership gone = done(ONE.with(voter(B)), remove(B));
        refused(ChangeRefusal.ID_REMOVED, gone, add(voter(B)));
        refused(ChangeRefusal.ID_REMOVED, gone, remove(B));
        refused(ChangeRefusal.ID_EXISTS, ONE, add(voter(A)));
        refused(ChangeRefusal.ID_NOT_FOUND, ONE, remove(B));
        refused(ChangeRefusal.ID_NOT_FOUND, ONE, update(voter(B)));
        refused(ChangeRefusal.ID_NOT_FOUND, ONE, promote(B));
        refused(ChangeRefusal.NOT_A_LEARNER, ONE, promote(A));
        refused(ChangeRefusal.TOO_MANY_LEARNERS, ONE.with(learner(B)), add(learner(Z)));
        MemberInfo sameUrl = new MemberInfo(B, "", voter(A).peerUrls(), List.of(), false);
        refused(ChangeRefusal.PEER_URL_EXISTS, ONE, add(sameUrl));
        refused(ChangeRefusal.PEER_URL_EXISTS, ONE.with(voter(B)), update(sameUrl));
        assertThat(done(ONE, update(voter(A)))).as("its own URLs are its own").isEqualTo(ONE);
    }

    @Test
    void aLogThatContradictsItselfIsRefused() {
        Bytes swapped = change(ConfChangeType.ConfChangeAddNode, B, MemberJson.write(voter(Z)).toUtf8());
        assertThatThrownBy(() -> MemberChange.applied(ONE, swapped, 1)).isInstanceOf(Invariant.Violation.class);
        Bytes noJson = change(ConfChangeType.ConfChangeAddNode, B, "{");
        assertThatThrownBy(() -> MemberChange.applied(ONE, noJson, 1)).isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void whatAMemberSaysOfItselfIsTakenOver() {
        ClusterMemberAttrSetRequest said = ClusterMemberAttrSetRequest.newBuilder().setMemberID(A)
                .setMemberAttributes(Attributes.newBuilder().setName("new").addClientUrls("http://new:2379")).build();
        assertThat(MemberChange.applied(ONE, said).member(A).orElseThrow().name()).isEqualTo("new");
        Membership without = ONE.without(A);
        assertThat(MemberChange.applied(without, said)).as("too late").isEqualTo(without);
        assertThatThrownBy(() -> MemberChange.applied(Membership.NONE, said)).isInstanceOf(Invariant.Violation.class);
    }

    @Test
    void aDowngradeBeginsAndEnds() {
        Membership begun = MemberChange.applied(ONE,
                DowngradeInfoSetRequest.newBuilder().setEnabled(true).setVer("3.6.0").build());
        assertThat(begun.downgradeTarget()).isEqualTo("3.6.0");
        Membership ended = MemberChange.applied(begun, DowngradeInfoSetRequest.newBuilder().setVer("3.6.0").build());
        assertThat(ended.downgradeTarget()).isEmpty();
    }

    @Test
    void theStoreKeepsItAsEtcdDoes() {
        Store store = new Store(new NoRecords(), 1);
        store.restored();
        Membership whole = ONE.with(learner(Z)).without(B).withClusterVersion("3.7.0").withDowngradeTarget("3.6.0");
        assertThat(Membership.load(store)).isEqualTo(Membership.NONE);
        whole.save(store, Membership.NONE);
        assertThat(Membership.load(store)).isEqualTo(whole);
        assertThat(Objects.requireNonNull(store.bucketGet(Bucket.MEMBERS, Bytes.utf8("a"))).toUtf8()).isEqualTo(
                "{\"id\":10,\"peerURLs\":[\"http://a:2380\"],\"name\":\"ma\",\"clientURLs\":[\"http://a:2379\"]}");
        ONE.save(store, whole);
        assertThat(Membership.load(store)).isEqualTo(ONE);
    }

    /** Takes every record and reads none. */
    private static final class NoRecords implements Records {
        @Override
        public long append(long main, int sub, int kind, Bytes payload) {
            return 0;
        }

        @Override
        public Bytes read(long position) {
            throw new AssertionError("nothing is read");
        }

        @Override
        public int length(long position) {
            throw new AssertionError("nothing is read");
        }
    }

    @Test
    void theLastVoterStays() {
        refused(ChangeRefusal.NOT_ENOUGH_STARTED, ONE, remove(A));
    }
}
