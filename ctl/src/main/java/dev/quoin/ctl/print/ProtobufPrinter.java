package dev.quoin.ctl.print;

import java.io.PrintStream;
import java.util.List;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AuthRoleGetResponse;
import dev.quoin.api.etcdserverpb.AuthRoleListResponse;
import dev.quoin.api.etcdserverpb.AuthStatusResponse;
import dev.quoin.api.etcdserverpb.AuthUserGetResponse;
import dev.quoin.api.etcdserverpb.AuthUserListResponse;
import dev.quoin.api.etcdserverpb.DeleteRangeResponse;
import dev.quoin.api.etcdserverpb.DowngradeResponse;
import dev.quoin.api.etcdserverpb.LeaseGrantResponse;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.api.etcdserverpb.LeaseLeasesResponse;
import dev.quoin.api.etcdserverpb.LeaseRevokeResponse;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberAddResponse;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.MoveLeaderResponse;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.ctl.cli.Failure;

/**
 * The bytes of the answer, with nothing around them (etcd: printer_protobuf.go). Of answers about leases etcdctl prints the header
 * alone, since its own type for them hides the rest; so does this.
 */
final class ProtobufPrinter extends Printer {
    ProtobufPrinter(PrintStream out) {
        super("protobuf", out, false);
    }

    private void raw(MessageLite message) {
        out.writeBytes(message.toByteArray());
    }

    @Override
    public void done(String sentence, @Nullable ResponseHeader header, MessageLite answer) {
        raw(answer);
    }

    @Override
    public void get(RangeResponse answer, boolean isValueOnly) {
        raw(answer);
    }

    @Override
    public void put(PutResponse answer) {
        raw(answer);
    }

    @Override
    public void delete(DeleteRangeResponse answer) {
        raw(answer);
    }

    @Override
    public void txn(TxnResponse answer) {
        raw(answer);
    }

    @Override
    public void watch(WatchResponse answer) {
        raw(answer.toBuilder().clearWatchId().clearCancelReason().clearFragment().build());
    }

    @Override
    public void grant(LeaseGrantResponse answer) {
        raw(answer.getHeader());
    }

    @Override
    public void revoke(long lease, LeaseRevokeResponse answer) {
        throw Failure.badFeature("marshal unsupported for type *clientv3.LeaseRevokeResponse");
    }

    @Override
    public void keepAlive(LeaseKeepAliveResponse answer) {
        raw(answer.getHeader());
    }

    @Override
    public void timeToLive(LeaseTimeToLiveResponse answer, boolean withKeys) {
        raw(answer.getHeader());
    }

    @Override
    public void leases(LeaseLeasesResponse answer) {
        raw(answer.getHeader());
    }

    @Override
    public void memberAdd(MemberAddResponse answer) {
        raw(answer);
    }

    @Override
    public void memberChange(String verb, long member, ResponseHeader header, List<Member> members,
            MessageLite answer) {
        raw(answer);
    }

    @Override
    public void memberList(MemberListResponse answer) {
        raw(answer);
    }

    @Override
    public void moveLeader(long leader, long target, MoveLeaderResponse answer) {
        raw(answer);
    }

    @Override
    public void downgrade(String action, DowngradeResponse answer) {
        raw(answer);
    }

    @Override
    public void alarms(AlarmResponse answer) {
        raw(answer);
    }

    @Override
    public void role(String role, AuthRoleGetResponse answer) {
        raw(answer);
    }

    @Override
    public void roles(AuthRoleListResponse answer) {
        raw(answer);
    }

    @Override
    public void user(String user, AuthUserGetResponse answer) {
        raw(answer);
    }

    @Override
    public void users(AuthUserListResponse answer) {
        raw(answer);
    }

    @Override
    public void authStatus(AuthStatusResponse answer) {
        raw(answer);
    }
}
