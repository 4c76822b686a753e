package dev.quoin.server;

import java.util.List;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmRequest.AlarmAction;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.DefragmentRequest;
import dev.quoin.api.etcdserverpb.DefragmentResponse;
import dev.quoin.api.etcdserverpb.DowngradeInfo;
import dev.quoin.api.etcdserverpb.DowngradeRequest;
import dev.quoin.api.etcdserverpb.HashKVRequest;
import dev.quoin.api.etcdserverpb.HashKVResponse;
import dev.quoin.api.etcdserverpb.MoveLeaderRequest;
import dev.quoin.api.etcdserverpb.MoveLeaderResponse;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.base.Invariant;
import dev.quoin.base.Versions;
import dev.quoin.disk.Damaged;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.MemberStatus;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.Metadata;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.store.AlarmMember;
import dev.quoin.store.Caller;
import dev.quoin.store.HashWalk;
import dev.quoin.store.Hashing;
import dev.quoin.store.KeyHash;
import dev.quoin.store.Outcome;
import dev.quoin.store.Refusal;

/** etcdserverpb.Maintenance, but for what {@link SnapshotService} has. Of the headers, as in etcd: Defragment has none. */
final class MaintenanceService {
    private static final String SERVICE = "/etcdserverpb.Maintenance/";

    private final Member member;
    private final Access access;
    private final MemberCalls calls;
    private final Downgrades downgrades;

    MaintenanceService(Member member, Access access, MemberCalls calls) {
        this.member = member;
        this.access = access;
        this.calls = calls;
        downgrades = new Downgrades(member, calls);
    }

    List<Method> methods() {
        return List.of(Unary.method(SERVICE + "Status", StatusRequest.parser(), this::status),
                Unary.method(SERVICE + "Alarm", AlarmRequest.parser(), this::alarm),
                Unary.method(SERVICE + "HashKV", HashKVRequest.parser(), this::hashKv),
                Unary.method(SERVICE + "Defragment", DefragmentRequest.parser(), this::defragment),
                Unary.method(SERVICE + "MoveLeader", MoveLeaderRequest.parser(), this::moveLeader),
                Unary.method(SERVICE + "Downgrade", DowngradeRequest.parser(), downgrades::downgrade));
    }

    private StatusResponse status(Call call, StatusRequest request) {
        call.headers(Metadata.of(Versions.HEADER, Version.QUOIN));
        MemberStatus status = member.status();
        String downgradeTarget = member.membership().downgradeTarget();
        StatusResponse.Builder response = StatusResponse.newBuilder().setHeader(calls.header(member.view().revision()))
                .setVersion(Version.ETCD).setDbSize(status.storeBytes()).setDbSizeInUse(status.storeBytesInUse())
                .setDbSizeQuota(status.quotaBytes()).setLeader(status.leader()).setRaftIndex(status.committedIndex())
                .setRaftTerm(status.term()).setRaftAppliedIndex(status.appliedIndex())
                .setStorageVersion(member.membership().storageVersion())
                .setIsLearner(member.isLearner()).setDowngradeInfo(DowngradeInfo.newBuilder()
                        .setEnabled(!downgradeTarget.isEmpty()).setTargetVersion(downgradeTarget));
        if (status.leader() == 0) {
            response.addErrors(Errors.NO_LEADER.message());
        }
        member.view().alarms().forEach(alarm -> response.addErrors(text(alarm)));
        return response.build();
    }

    /** An alarm as etcd prints it: the fields that are set. */
    static String text(AlarmMember alarm) {
        AlarmType type = AlarmType.forNumber(alarm.type());
        String named = type == null ? Integer.toString(alarm.type()) : type.name();
        String text = alarm.memberId() == 0 ? "" : "memberID:" + Long.toUnsignedString(alarm.memberId()) + " ";
        return alarm.type() == AlarmMember.NONE ? text.strip() : text + "alarm:" + named;
    }

    /** Through the log, even to list: the list is then that of the whole cluster, and anybody who is somebody may have it. */
    private AlarmResponse alarm(Call call, AlarmRequest request) throws StatusException, InterruptedException {
        Caller caller = access.permit(call, Access.Word.OF_THE_MEMBER,
                request.getAction() == AlarmAction.GET ? Access.SOMEBODY : Access.ROOT);
        if (request.getAction() == AlarmAction.UNRECOGNIZED) {
            // An etcd that applied it would crash answering; it must not get into the log.
            throw new StatusException(Status.Code.INVALID_ARGUMENT, "quoin: an action that no alarm has");
        }
        AlarmResponse.Builder response = AlarmResponse.newBuilder();
        if (calls.propose(Requests.Kind.ALARM, request, caller) instanceof Outcome.Alarms outcome) {
            for (AlarmMember alarm : outcome.alarms()) {
                response.addAlarms(dev.quoin.api.etcdserverpb.AlarmMember.newBuilder().setMemberID(alarm.memberId())
                        .setAlarmValue(alarm.type()));
            }
        }
        return response.setHeader(calls.header(member.view().revision())).build();
    }

    private HashKVResponse hashKv(Call call, HashKVRequest request) throws StatusException {
        Hashing hashing;
        try {
            hashing = member.hash(request.getRevision());
        } catch (Damaged damaged) {
            throw new StatusException(Errors.lost(damaged));
        }
        return switch (hashing) {
            case Hashing.Known(KeyHash hash) -> HashKVResponse.newBuilder()
                    .setHeader(calls.header(member.view().revision())).setHash(hash.hash())
                    .setCompactRevision(hash.compactRevision()).setHashRevision(hash.revision()).build();
            case Hashing.Refused(Refusal reason) -> throw new StatusException(Errors.of(reason));
            case HashWalk walk -> throw Invariant.violation("a hash that nobody has computed: %s", walk);
        };
    }

    private DefragmentResponse defragment(Call call, DefragmentRequest request)
            throws StatusException, InterruptedException {
        calls.await(member::defragment);
        return DefragmentResponse.getDefaultInstance();
    }

    private MoveLeaderResponse moveLeader(Call call, MoveLeaderRequest request)
            throws StatusException, InterruptedException {
        if (member.leader() != member.memberId()) {
            throw new StatusException(Errors.of(Failure.NOT_LEADER));
        }
        long to = request.getTargetID();
        if (member.membership().member(to).filter(info -> !info.isLearner()).isEmpty()) {
            throw new StatusException(Errors.BAD_TRANSFEREE);
        }
        if (to != member.memberId()) {
            calls.transferLeadership(to);
        }
        return MoveLeaderResponse.getDefaultInstance();
    }
}
