package dev.quoin.ctl.print;

import java.io.PrintStream;
import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.authpb.Permission;
import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AuthRoleGetResponse;
import dev.quoin.api.etcdserverpb.AuthRoleListResponse;
import dev.quoin.api.etcdserverpb.DeleteRangeResponse;
import dev.quoin.api.etcdserverpb.LeaseGrantResponse;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.api.etcdserverpb.LeaseLeasesResponse;
import dev.quoin.api.etcdserverpb.LeaseRevokeResponse;
import dev.quoin.api.etcdserverpb.LeaseStatus;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.ResponseOp;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.text.GoText;

/** {@code "Name" : value} in each line (etcd: printer_fields.go). */
final class FieldsPrinter extends Printer {
    FieldsPrinter(PrintStream out, boolean isHex) {
        super("fields", out, isHex);
    }

    @Override
    public boolean isFields() {
        return true;
    }

    private void field(String name, Object value) {
        out.print("\"" + name + "\" : " + value + "\n");
    }

    private void quoted(String name, ByteString value) {
        field(name, GoQuote.of(value.toByteArray()));
    }

    private void quoted(String name, String value) {
        field(name, GoQuote.of(value));
    }

    private void unsigned(String name, long value) {
        field(name, Long.toUnsignedString(value));
    }

    /** An id of a member or a cluster. */
    private void id(String name, long value) {
        field(name, isHex ? Long.toHexString(value) : Long.toUnsignedString(value));
    }

    private void lease(String name, long value) {
        field(name, isHex ? GoText.hex16(value) : Long.toString(value));
    }

    private void blank() {
        out.print('\n');
    }

    private void header(ResponseHeader header) {
        id("ClusterID", header.getClusterId());
        id("MemberID", header.getMemberId());
        if (header.getRevision() > 0) {
            field("Revision", header.getRevision());
        }
        unsigned("RaftTerm", header.getRaftTerm());
    }

    private void keyValue(String prefix, KeyValue kv) {
        quoted(prefix + "Key", kv.getKey());
        field(prefix + "CreateRevision", kv.getCreateRevision());
        field(prefix + "ModRevision", kv.getModRevision());
        field(prefix + "Version", kv.getVersion());
        quoted(prefix + "Value", kv.getValue());
        lease(prefix + "Lease", kv.getLease());
    }

    @Override
    public void done(String sentence, @Nullable ResponseHeader header, MessageLite answer) {
        header(header == null ? ResponseHeader.getDefaultInstance() : header);
    }

    @Override
    public void get(RangeResponse answer, boolean isValueOnly) {
        header(answer.getHeader());
        answer.getKvsList().forEach(kv -> keyValue("", kv));
        field("More", answer.getMore());
        field("Count", answer.getCount());
    }

    @Override
    public void put(PutResponse answer) {
        header(answer.getHeader());
        if (answer.hasPrevKv()) {
            keyValue("Prev", answer.getPrevKv());
        }
    }

    @Override
    public void delete(DeleteRangeResponse answer) {
        header(answer.getHeader());
        field("Deleted", answer.getDeleted());
        answer.getPrevKvsList().forEach(kv -> keyValue("Prev", kv));
    }

    @Override
    public void txn(TxnResponse answer) {
        header(answer.getHeader());
        field("Succeeded", answer.getSucceeded());
        for (ResponseOp each : answer.getResponsesList()) {
            switch (each.getResponseCase()) {
                case RESPONSE_DELETE_RANGE -> delete(each.getResponseDeleteRange());
                case RESPONSE_PUT -> put(each.getResponsePut());
                case RESPONSE_RANGE -> get(each.getResponseRange(), false);
                case RESPONSE_TXN, RESPONSE_NOT_SET -> quoted("Unknown", "");
            }
        }
    }

    @Override
    public void watch(WatchResponse answer) {
        header(answer.getHeader());
        for (Event event : answer.getEventsList()) {
            field("Type", event.getType() == Event.EventType.DELETE ? "DELETE" : "PUT");
            if (event.hasPrevKv()) {
                keyValue("Prev", event.getPrevKv());
            }
            keyValue("", event.getKv());
        }
    }

    @Override
    public void grant(LeaseGrantResponse answer) {
        header(answer.getHeader());
        lease("ID", answer.getID());
        field("TTL", answer.getTTL());
    }

    @Override
    public void revoke(long lease, LeaseRevokeResponse answer) {
        header(answer.getHeader());
    }

    @Override
    public void keepAlive(LeaseKeepAliveResponse answer) {
        header(answer.getHeader());
        lease("ID", answer.getID());
        field("TTL", answer.getTTL());
    }

    @Override
    public void timeToLive(LeaseTimeToLiveResponse answer, boolean withKeys) {
        header(answer.getHeader());
        lease("ID", answer.getID());
        field("TTL", answer.getTTL());
        field("GrantedTTL", answer.getGrantedTTL());
        answer.getKeysList().forEach(key -> quoted("Key", key));
    }

    @Override
    public void leases(LeaseLeasesResponse answer) {
        header(answer.getHeader());
        for (LeaseStatus each : answer.getLeasesList()) {
            lease("ID", each.getID());
        }
    }

    @Override
    public void memberList(MemberListResponse answer) {
        header(answer.getHeader());
        for (Member member : answer.getMembersList()) {
            id("ID", member.getID());
            quoted("Name", member.getName());
            member.getPeerURLsList().forEach(url -> quoted("PeerURL", url));
            member.getClientURLsList().forEach(url -> quoted("ClientURL", url));
            field("IsLearner", member.getIsLearner());
            blank();
        }
    }

    @Override
    public void endpointHealth(List<Health> health) {
        for (Health each : health) {
            quoted("Endpoint", each.endpoint());
            field("Health", each.isHealthy());
            field("Took", each.took());
            field("Error", each.error());
            blank();
        }
    }

    @Override
    public void endpointStatus(List<EndpointStatus> statuses) {
        for (EndpointStatus each : statuses) {
            StatusResponse status = each.status();
            header(status.getHeader());
            quoted("Version", status.getVersion());
            quoted("StorageVersion", status.getStorageVersion());
            field("DBSize", status.getDbSize());
            field("DBSizeInUse", status.getDbSizeInUse());
            field("DBSizeQuota", status.getDbSizeQuota());
            unsigned("Leader", status.getLeader());
            field("IsLearner", status.getIsLearner());
            unsigned("RaftIndex", status.getRaftIndex());
            unsigned("RaftTerm", status.getRaftTerm());
            unsigned("RaftAppliedIndex", status.getRaftAppliedIndex());
            field("Errors", "[" + String.join(" ", status.getErrorsList()) + "]");
            quoted("Endpoint", each.endpoint());
            quoted("DowngradeTargetVersion", status.getDowngradeInfo().getTargetVersion());
            field("DowngradeEnabled", status.getDowngradeInfo().getEnabled());
            blank();
        }
    }

    @Override
    public void endpointHash(List<EndpointHash> hashes) {
        for (EndpointHash each : hashes) {
            header(each.answer().getHeader());
            quoted("Endpoint", each.endpoint());
            field("Hash", Integer.toUnsignedString(each.answer().getHash()));
            field("HashRevision", each.answer().getHashRevision());
            blank();
        }
    }

    @Override
    public void alarms(AlarmResponse answer) {
        header(answer.getHeader());
        for (AlarmMember alarm : answer.getAlarmsList()) {
            id("MemberID", alarm.getMemberID());
            field("AlarmType", SimplePrinter.alarmName(alarm));
            blank();
        }
    }

    @Override
    public void role(String role, AuthRoleGetResponse answer) {
        header(answer.getHeader());
        for (Permission permission : answer.getPermList()) {
            field("PermType", " " + permission.getPermType());
            quoted("Key", permission.getKey());
            quoted("RangeEnd", permission.getRangeEnd());
        }
    }

    @Override
    public void roles(AuthRoleListResponse answer) {
        header(answer.getHeader());
        out.print("\"Roles\" :");
        answer.getRolesList().forEach(role -> out.print(" " + GoQuote.of(role)));
        blank();
    }
}
