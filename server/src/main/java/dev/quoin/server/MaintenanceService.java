package dev.quoin.server;

import java.util.List;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmRequest.AlarmAction;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.DowngradeInfo;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.member.Member;
import dev.quoin.member.MemberStatus;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

/**
 * etcdserverpb.Maintenance, as far as it is served: Status, and Alarm to list alarms. No alarm can be raised yet, so the
 * list is empty; raising and disarming is refused rather than pretended.
 */
final class MaintenanceService {
    private static final String SERVICE = "/etcdserverpb.Maintenance/";
    /** What a quota of 0 means, and what Status reports for it. */
    private static final long QUOTA_BYTES_DEFAULT = 2L << 30;

    private final Member member;
    private final MemberCalls calls;

    MaintenanceService(Member member, MemberCalls calls) {
        this.member = member;
        this.calls = calls;
    }

    List<Method> methods() {
        return List.of(Unary.method(SERVICE + "Status", StatusRequest.parser(), this::status),
                Unary.method(SERVICE + "Alarm", AlarmRequest.parser(), this::alarm));
    }

    private StatusResponse status(Call call, StatusRequest request) {
        MemberStatus status = member.status();
        StatusResponse.Builder response = StatusResponse.newBuilder().setHeader(calls.header(member.view().revision()))
                .setVersion(Version.ETCD).setDbSize(status.storeBytes()).setDbSizeInUse(status.storeBytes())
                .setDbSizeQuota(QUOTA_BYTES_DEFAULT).setLeader(status.leader()).setRaftIndex(status.committedIndex())
                .setRaftTerm(status.term()).setRaftAppliedIndex(status.appliedIndex())
                .setStorageVersion(Version.CLUSTER).setDowngradeInfo(DowngradeInfo.getDefaultInstance());
        if (status.leader() == 0) {
            response.addErrors(Errors.NO_LEADER.message());
        }
        return response.build();
    }

    private AlarmResponse alarm(Call call, AlarmRequest request) throws StatusException, InterruptedException {
        if (request.getAction() != AlarmAction.GET) {
            throw new StatusException(Status.Code.UNIMPLEMENTED,
                    "quoin: alarms can be listed, not yet raised or disarmed");
        }
        // Through the log, as etcd does it: the list is then that of the whole cluster.
        calls.propose(Requests.Kind.ALARM, request);
        return AlarmResponse.newBuilder().setHeader(calls.header(member.view().revision())).build();
    }
}
