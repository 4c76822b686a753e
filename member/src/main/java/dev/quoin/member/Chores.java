package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.MessageLite;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.api.etcdserverpb.RequestHeader;
import dev.quoin.api.membershippb.Attributes;
import dev.quoin.api.membershippb.ClusterMemberAttrSetRequest;
import dev.quoin.api.membershippb.ClusterVersionSetRequest;

/**
 * What a member tells its cluster without being asked, as etcd's do (etcdserver/server.go publishV3, version/monitor.go):
 * its name and client URLs, and as the leader the version they all agree on.
 */
final class Chores {
    private Chores() {}

    /** A request that still lacks its id. */
    record Request(InternalRaftRequest.Builder builder) {
        MessageLite withId(long id) {
            return builder.setHeader(RequestHeader.newBuilder().setID(id)).build();
        }
    }

    static List<Request> of(Membership membership, long self, MemberConfig config) {
        List<Request> due = new ArrayList<>();
        boolean published = membership.member(self).filter(member -> member.name().equals(config.name())
                && member.clientUrls().equals(config.clientUrls())).isPresent();
        if (!published) {
            due.add(new Request(InternalRaftRequest.newBuilder().setClusterMemberAttrSet(
                    ClusterMemberAttrSetRequest.newBuilder().setMemberID(self).setMemberAttributes(Attributes
                            .newBuilder().setName(config.name()).addAllClientUrls(config.clientUrls())))));
        }
        if (membership.clusterVersion().isEmpty()) {
            due.add(new Request(InternalRaftRequest.newBuilder().setClusterVersionSet(
                    ClusterVersionSetRequest.newBuilder().setVer(config.minorVersion()))));
        }
        return due;
    }

    /** This member has no space left. */
    static Request noSpaceAlarm(long self) {
        return new Request(InternalRaftRequest.newBuilder().setAlarm(AlarmRequest.newBuilder()
                .setAction(AlarmRequest.AlarmAction.ACTIVATE).setMemberID(self).setAlarm(AlarmType.NOSPACE)));
    }
}
