package dev.quoin.member;

import java.util.List;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.base.Bytes;
import dev.quoin.store.Command;

/** What the requests that come seldom do to the store. They are read by generated classes. */
final class RareRequests {
    private RareRequests() {}

    /**
     * Null if the request is about the cluster, or is none that this version knows. Of several in one entry the first
     * counts, in the order in which etcd looks for them (etcdserver/apply/uber_applier.go dispatch).
     */
    static @Nullable Command command(InternalRaftRequest request) {
        if (isAboutTheCluster(request)) {
            return null;
        }
        if (request.hasRange()) {
            return new Command.Nothing();
        }
        if (request.hasPut()) {
            return Requests.put(bytes(request.getPut()));
        }
        if (request.hasDeleteRange()) {
            return Requests.deleteRange(bytes(request.getDeleteRange()));
        }
        if (request.hasTxn()) {
            return Requests.txn(bytes(request.getTxn()));
        }
        if (request.hasCompaction()) {
            return Requests.compaction(bytes(request.getCompaction()));
        }
        if (request.hasLeaseGrant()) {
            return new Command.LeaseGrant(request.getLeaseGrant().getID(), request.getLeaseGrant().getTTL());
        }
        if (request.hasLeaseRevoke()) {
            return new Command.LeaseRevoke(request.getLeaseRevoke().getID());
        }
        if (request.hasLeaseCheckpoint()) {
            List<Command.LeaseCheckpoint.Remaining> remaining = request.getLeaseCheckpoint().getCheckpointsList()
                    .stream()
                    .map(one -> new Command.LeaseCheckpoint.Remaining(one.getID(), one.getRemainingTTL())).toList();
            return new Command.LeaseCheckpoint(remaining);
        }
        if (request.hasAlarm()) {
            AlarmRequest alarm = request.getAlarm();
            return new Command.Alarm(Command.Alarm.Action.of(alarm.getActionValue()), alarm.getMemberID(),
                    alarm.getAlarmValue());
        }
        return null;
    }

    private static boolean isAboutTheCluster(InternalRaftRequest request) {
        return request.hasClusterVersionSet() || request.hasClusterMemberAttrSet() || request.hasDowngradeInfoSet()
                || request.hasDowngradeVersionTest();
    }

    private static Bytes bytes(MessageLite message) {
        return Bytes.of(message.toByteArray());
    }
}
