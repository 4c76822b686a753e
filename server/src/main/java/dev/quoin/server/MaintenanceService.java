package dev.quoin.server;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmRequest.AlarmAction;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.DefragmentRequest;
import dev.quoin.api.etcdserverpb.DefragmentResponse;
import dev.quoin.api.etcdserverpb.DowngradeInfo;
import dev.quoin.api.etcdserverpb.HashKVRequest;
import dev.quoin.api.etcdserverpb.HashKVResponse;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.member.Member;
import dev.quoin.member.MemberStatus;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.store.AlarmMember;
import dev.quoin.store.Outcome;

/**
 * etcdserverpb.Maintenance, as far as it is served. Status and the list of alarms always are. HashKV, Defragment and the
 * raising of alarms are once there is an {@link Upkeep} that does them; until then the first two are not there, and the
 * third is refused rather than pretended.
 *
 * <p>Of the headers, as in etcd: Defragment has none.
 */
final class MaintenanceService {
    private static final String SERVICE = "/etcdserverpb.Maintenance/";
    /** What a quota of 0 means, and what Status reports for it. */
    private static final long QUOTA_BYTES_DEFAULT = 2L << 30;

    private final Member member;
    private final MemberCalls calls;
    private final @Nullable Upkeep upkeep;

    MaintenanceService(Member member, MemberCalls calls, @Nullable Upkeep upkeep) {
        this.member = member;
        this.calls = calls;
        this.upkeep = upkeep;
    }

    List<Method> methods() {
        List<Method> methods = new ArrayList<>();
        methods.add(Unary.method(SERVICE + "Status", StatusRequest.parser(), this::status));
        methods.add(Unary.method(SERVICE + "Alarm", AlarmRequest.parser(), this::alarm));
        Upkeep does = upkeep;
        if (does != null) {
            methods.add(Unary.method(SERVICE + "HashKV", HashKVRequest.parser(),
                    (call, request) -> hashKv(does, request)));
            methods.add(Unary.method(SERVICE + "Defragment", DefragmentRequest.parser(),
                    (call, request) -> defragment(does)));
        }
        return List.copyOf(methods);
    }

    private StatusResponse status(Call call, StatusRequest request) {
        MemberStatus status = member.status();
        Upkeep.Bytes bytes = upkeep != null ? upkeep.bytes()
                : new Upkeep.Bytes(status.storeBytes(), status.storeBytes(), QUOTA_BYTES_DEFAULT);
        StatusResponse.Builder response = StatusResponse.newBuilder().setHeader(calls.header(member.view().revision()))
                .setVersion(Version.ETCD).setDbSize(bytes.total()).setDbSizeInUse(bytes.inUse())
                .setDbSizeQuota(bytes.quota()).setLeader(status.leader()).setRaftIndex(status.committedIndex())
                .setRaftTerm(status.term()).setRaftAppliedIndex(status.appliedIndex())
                .setStorageVersion(Version.CLUSTER).setDowngradeInfo(DowngradeInfo.getDefaultInstance());
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

    /** Through the log, even to list: the list is then that of the whole cluster. */
    private AlarmResponse alarm(Call call, AlarmRequest request) throws StatusException, InterruptedException {
        if (request.getAction() != AlarmAction.GET && upkeep == null) {
            throw new StatusException(Status.Code.UNIMPLEMENTED,
                    "quoin: alarms can be listed, not yet raised or disarmed");
        }
        if (request.getAction() == AlarmAction.UNRECOGNIZED) {
            // An etcd that applied it would crash answering; it must not get into the log.
            throw new StatusException(Status.Code.INVALID_ARGUMENT, "quoin: an action that no alarm has");
        }
        AlarmResponse.Builder response = AlarmResponse.newBuilder();
        if (calls.propose(Requests.Kind.ALARM, request) instanceof Outcome.Alarms outcome) {
            for (AlarmMember alarm : outcome.alarms()) {
                response.addAlarms(dev.quoin.api.etcdserverpb.AlarmMember.newBuilder().setMemberID(alarm.memberId())
                        .setAlarmValue(alarm.type()));
            }
        }
        return response.setHeader(calls.header(member.view().revision())).build();
    }

    private HashKVResponse hashKv(Upkeep does, HashKVRequest request) throws StatusException, InterruptedException {
        Upkeep.KvHash hash = does.hashKv(request.getRevision());
        return HashKVResponse.newBuilder().setHeader(calls.header(hash.storeRevision())).setHash(hash.hash())
                .setCompactRevision(hash.compactedRevision()).setHashRevision(hash.hashedRevision()).build();
    }

    private static DefragmentResponse defragment(Upkeep does) throws StatusException, InterruptedException {
        does.defragment();
        return DefragmentResponse.getDefaultInstance();
    }
}
