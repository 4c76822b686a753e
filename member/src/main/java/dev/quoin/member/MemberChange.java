package dev.quoin.member;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.membershippb.ClusterMemberAttrSetRequest;
import dev.quoin.api.membershippb.DowngradeInfoSetRequest;
import dev.quoin.api.raftpb.ConfChange;
import dev.quoin.api.raftpb.ConfChangeType;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * What the entries about the cluster itself do to the {@link Membership}, as etcd's apply does it
 * (etcdserver/server.go applyConfChange, api/membership/cluster.go). Pure: every member must come to the same.
 */
final class MemberChange {
    private MemberChange() {}

    /** A configuration change as applied: the membership after it, which is the one before if it was refused. */
    record Changed(Membership membership, @Nullable ChangeRefusal refusal) {}

    /** How whoever proposed it finds it again. */
    static long idOf(Bytes confChange) {
        return parse(confChange).getId();
    }

    static Changed applied(Membership before, Bytes confChange, int learnersMax) {
        ConfChange change = parse(confChange);
        ChangeRefusal refusal = refusal(before, change, learnersMax);
        return refusal == null ? new Changed(after(before, change), null) : new Changed(before, refusal);
    }

    private static @Nullable ChangeRefusal refusal(Membership before, ConfChange change, int learnersMax) {
        long id = change.getNodeId();
        if (before.isRemoved(id)) {
            return ChangeRefusal.ID_REMOVED;
        }
        MemberInfo known = before.member(id).orElse(null);
        return switch (change.getType()) {
            case ConfChangeAddNode, ConfChangeAddLearnerNode -> addRefusal(before, known, change, learnersMax);
            case ConfChangeRemoveNode -> removeRefusal(before, known);
            case ConfChangeUpdateNode ->
                known == null ? ChangeRefusal.ID_NOT_FOUND : urlRefusal(before, member(change), id);
        };
    }

    /** Without a voter nothing could be decided any more: an etcd panics. */
    private static @Nullable ChangeRefusal removeRefusal(Membership before, @Nullable MemberInfo known) {
        if (known == null) {
            return ChangeRefusal.ID_NOT_FOUND;
        }
        boolean isLastVoter = !known.isLearner() && before.members().size() - before.learnerCount() == 1;
        return isLastVoter ? ChangeRefusal.NOT_ENOUGH_STARTED : null;
    }

    private static @Nullable ChangeRefusal addRefusal(Membership before, @Nullable MemberInfo known, ConfChange change,
            int learnersMax) {
        if (MemberJson.isPromote(context(change))) {
            return known == null ? ChangeRefusal.ID_NOT_FOUND : known.isLearner() ? null : ChangeRefusal.NOT_A_LEARNER;
        }
        if (known != null) {
            return ChangeRefusal.ID_EXISTS;
        }
        MemberInfo added = member(change);
        ChangeRefusal urls = urlRefusal(before, added, 0);
        boolean isLearner = added.isLearner() && change.getType() == ConfChangeType.ConfChangeAddLearnerNode;
        if (urls == null && isLearner && before.learnerCount() >= learnersMax) {
            return ChangeRefusal.TOO_MANY_LEARNERS;
        }
        return urls;
    }

    /** A peer URL belongs to one member; {@code self} may keep its own. */
    private static @Nullable ChangeRefusal urlRefusal(Membership before, MemberInfo wanted, long self) {
        boolean taken = before.members().stream().filter(member -> member.id() != self)
                .flatMap(member -> member.peerUrls().stream()).anyMatch(wanted.peerUrls()::contains);
        return taken ? ChangeRefusal.PEER_URL_EXISTS : null;
    }

    private static Membership after(Membership before, ConfChange change) {
        long id = change.getNodeId();
        return switch (change.getType()) {
            case ConfChangeAddNode, ConfChangeAddLearnerNode -> MemberJson.isPromote(context(change))
                    ? before.with(known(before, id).withVote())
                    : before.with(member(change));
            case ConfChangeRemoveNode -> before.without(id);
            case ConfChangeUpdateNode -> before.with(known(before, id).withPeerUrls(member(change).peerUrls()));
        };
    }

    /** The member that the change is about, as it describes it. */
    private static MemberInfo member(ConfChange change) {
        MemberInfo member = MemberJson.read(context(change));
        Invariant.check(member.id() == change.getNodeId(), "a change of node %x describes member %x",
                change.getNodeId(), member.id());
        return member;
    }

    private static MemberInfo known(Membership before, long id) {
        return before.member(id).orElseThrow(() -> Invariant.violation("member %x is not known", id));
    }

    private static Bytes context(ConfChange change) {
        return Bytes.of(change.getContext().toByteArray());
    }

    /** Name and client URLs that a member says of itself; what a removed one says comes too late. */
    static Membership applied(Membership before, ClusterMemberAttrSetRequest set) {
        long id = set.getMemberID();
        if (before.isRemoved(id)) {
            return before;
        }
        return before.with(known(before, id).withAttributes(set.getMemberAttributes().getName(),
                set.getMemberAttributes().getClientUrlsList()));
    }

    /** A downgrade that begins, or one that ends. */
    static Membership applied(Membership before, DowngradeInfoSetRequest set) {
        return before.withDowngradeTarget(set.getEnabled() ? set.getVer() : "");
    }

    /** Why a change that comes from elsewhere could not be applied, whoever the members are; null if it can be read. */
    static @Nullable String obstacle(Bytes data) {
        try {
            ConfChange change = ConfChange.parseFrom(data.toByteArray());
            if (change.getType() == ConfChangeType.ConfChangeRemoveNode) {
                return null;
            }
            long said = MemberJson.parse(context(change)).id();
            return said == change.getNodeId() || MemberJson.isPromote(context(change))
                    ? null
                    : "a change of members that names two of them";
        } catch (InvalidProtocolBufferException | IllegalArgumentException malformed) {
            return "a change of members that does not parse, " + malformed.getMessage();
        }
    }

    private static ConfChange parse(Bytes data) {
        try {
            return ConfChange.parseFrom(ByteString.copyFrom(data.array(), data.offset(), data.length()));
        } catch (InvalidProtocolBufferException e) {
            throw Invariant.violation("a committed configuration change does not parse: %s", e.getMessage());
        }
    }
}
