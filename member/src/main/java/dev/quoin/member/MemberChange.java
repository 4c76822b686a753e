package dev.quoin.member;

import java.util.Optional;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;

import dev.quoin.api.etcdserverpb.AlarmRequest.AlarmAction;
import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.api.membershippb.ClusterMemberAttrSetRequest;
import dev.quoin.api.raftpb.ConfChange;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;

/**
 * What the entries about the cluster itself do to the {@link Membership}, as etcd's apply does it
 * (etcdserver/server.go applyConfChange, etcdserver/apply). Pure.
 */
final class MemberChange {
    private MemberChange() {}

    /** The membership after a configuration change. So far a cluster has one member, which it starts with. */
    static Membership applied(Membership before, Bytes confChange) {
        ConfChange change = parse(confChange);
        return switch (change.getType()) {
            case ConfChangeAddNode -> {
                MemberInfo added = MemberJson.read(Bytes.of(change.getContext().toByteArray()));
                Invariant.check(added.id() == change.getNodeId(), "member %x is added as node %x", added.id(),
                        change.getNodeId());
                yield before.with(added);
            }
            case ConfChangeRemoveNode, ConfChangeUpdateNode, ConfChangeAddLearnerNode ->
                throw Invariant.violation("the log holds a %s, which needs a version with clusters", change.getType());
        };
    }

    /** The membership after one of the rare requests, if it changes it. */
    static Optional<Membership> applied(Membership before, InternalRaftRequest request) {
        if (request.hasClusterVersionSet()) {
            return Optional.of(before.withClusterVersion(request.getClusterVersionSet().getVer()));
        }
        if (request.hasClusterMemberAttrSet()) {
            ClusterMemberAttrSetRequest set = request.getClusterMemberAttrSet();
            MemberInfo member = before.member(set.getMemberID())
                    .orElseThrow(() -> Invariant.violation("attributes for unknown member %x", set.getMemberID()));
            return Optional.of(before.with(member.withAttributes(set.getMemberAttributes().getName(),
                    set.getMemberAttributes().getClientUrlsList())));
        }
        if (request.hasAlarm() && request.getAlarm().getAction() == AlarmAction.GET) {
            return Optional.empty();
        }
        throw Invariant.violation("the log holds a request that this version cannot apply: fields %s",
                request.getAllFields().keySet());
    }

    private static ConfChange parse(Bytes data) {
        try {
            return ConfChange.parseFrom(ByteString.copyFrom(data.array(), data.offset(), data.length()));
        } catch (InvalidProtocolBufferException e) {
            throw Invariant.violation("a committed configuration change does not parse: %s", e.getMessage());
        }
    }
}
