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
import dev.quoin.api.membershippb.DowngradeInfoSetRequest;

/**
 * What a member tells its cluster without being asked, as etcd's do (etcdserver/server.go publishV3, version/monitor.go):
 * its name and client URLs, and as a leader the version they all agree on.
 */
final class Chores {
    private Chores() {}

    /** A request that still lacks its id. */
    record Request(InternalRaftRequest.Builder builder) {
        MessageLite withId(long id) {
            return builder.setHeader(RequestHeader.newBuilder().setID(id)).build();
        }
    }

    /**
     * @param leads whether this member is the leader. One that is alone decides on the cluster's version by itself; with
     *        others, their versions count too, and have to be asked for
     */
    static List<Request> of(Membership membership, long self, MemberConfig config, boolean leads) {
        List<Request> due = new ArrayList<>();
        membership.member(self).filter(known -> !known.name().equals(config.name())
                || !known.clientUrls().equals(config.clientUrls()))
                .ifPresent(known -> due.add(attributes(self, config)));
        if (leads && membership.members().size() == 1 && membership.clusterVersion().isEmpty()) {
            due.add(clusterVersion(config.minorVersion()));
        }
        return due;
    }

    private static Request attributes(long self, MemberConfig config) {
        return new Request(InternalRaftRequest.newBuilder().setClusterMemberAttrSet(
                ClusterMemberAttrSetRequest.newBuilder().setMemberID(self).setMemberAttributes(Attributes
                        .newBuilder().setName(config.name()).addAllClientUrls(config.clientUrls()))));
    }

    /** What all members can do, {@code 3.7.0}. */
    static Request clusterVersion(String version) {
        return new Request(InternalRaftRequest.newBuilder()
                .setClusterVersionSet(ClusterVersionSetRequest.newBuilder().setVer(version)));
    }

    /** All members are of the version that was to be gone back to. */
    static Request downgradeEnd() {
        return new Request(
                InternalRaftRequest.newBuilder().setDowngradeInfoSet(DowngradeInfoSetRequest.getDefaultInstance()));
    }

    /** A member holds something else than the others; 0: some member does. */
    static Request corruptAlarm(long member) {
        return new Request(InternalRaftRequest.newBuilder().setAlarm(AlarmRequest.newBuilder()
                .setAction(AlarmRequest.AlarmAction.ACTIVATE).setMemberID(member).setAlarm(AlarmType.CORRUPT)));
    }

    /** A downgrade to this version begins. */
    static Request downgrade(String target) {
        return new Request(InternalRaftRequest.newBuilder()
                .setDowngradeInfoSet(DowngradeInfoSetRequest.newBuilder().setEnabled(true).setVer(target)));
    }

    /** This member has space again. */
    static Request noSpaceAlarmEnd(long self) {
        return new Request(InternalRaftRequest.newBuilder().setAlarm(AlarmRequest.newBuilder()
                .setAction(AlarmRequest.AlarmAction.DEACTIVATE).setMemberID(self).setAlarm(AlarmType.NOSPACE)));
    }

    /** This member has no space left. */
    static Request noSpaceAlarm(long self) {
        return new Request(InternalRaftRequest.newBuilder().setAlarm(AlarmRequest.newBuilder()
                .setAction(AlarmRequest.AlarmAction.ACTIVATE).setMemberID(self).setAlarm(AlarmType.NOSPACE)));
    }
}
