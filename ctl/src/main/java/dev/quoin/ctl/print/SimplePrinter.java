package dev.quoin.ctl.print;

import java.io.PrintStream;
import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.authpb.Permission;
import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
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
import dev.quoin.api.etcdserverpb.LeaseStatus;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberAddResponse;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.MoveLeaderResponse;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.ResponseOp;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.ctl.client.KeyRanges;
import dev.quoin.ctl.text.GoText;

/** Keys and values in lines of their own, sentences for the rest (etcd: printer_simple.go). */
final class SimplePrinter extends Printer {
    private static final String ROOT_ROLE = "root";

    private final PrintStream err;

    SimplePrinter(PrintStream out, PrintStream err, boolean isHex) {
        super("simple", out, isHex);
        this.err = err;
    }

    @Override
    public boolean isSimple() {
        return true;
    }

    private void line(String text) {
        out.print(text);
        out.print('\n');
    }

    private void line(ByteString bytes) {
        if (isHex) {
            out.print(GoText.hexEscaped(bytes.toByteArray()));
        } else {
            out.writeBytes(bytes.toByteArray());
        }
        out.print('\n');
    }

    private void keyValue(KeyValue kv) {
        line(kv.getKey());
        line(kv.getValue());
    }

    @Override
    public void done(String sentence, @Nullable ResponseHeader header, MessageLite answer) {
        line(sentence);
    }

    @Override
    public void get(RangeResponse answer, boolean isValueOnly) {
        for (KeyValue kv : answer.getKvsList()) {
            if (!isValueOnly) {
                line(kv.getKey());
            }
            line(kv.getValue());
        }
    }

    @Override
    public void put(PutResponse answer) {
        line("OK");
        if (answer.hasPrevKv()) {
            keyValue(answer.getPrevKv());
        }
    }

    @Override
    public void delete(DeleteRangeResponse answer) {
        line(String.valueOf(answer.getDeleted()));
        answer.getPrevKvsList().forEach(this::keyValue);
    }

    @Override
    public void txn(TxnResponse answer) {
        line(answer.getSucceeded() ? "SUCCESS" : "FAILURE");
        for (ResponseOp each : answer.getResponsesList()) {
            line("");
            switch (each.getResponseCase()) {
                case RESPONSE_DELETE_RANGE -> delete(each.getResponseDeleteRange());
                case RESPONSE_PUT -> put(each.getResponsePut());
                case RESPONSE_RANGE -> get(each.getResponseRange(), false);
                case RESPONSE_TXN, RESPONSE_NOT_SET -> line("unexpected response");
            }
        }
    }

    @Override
    public void watch(WatchResponse answer) {
        for (Event event : answer.getEventsList()) {
            line(event.getType() == Event.EventType.DELETE ? "DELETE" : "PUT");
            if (event.hasPrevKv()) {
                keyValue(event.getPrevKv());
            }
            keyValue(event.getKv());
        }
    }

    @Override
    public void grant(LeaseGrantResponse answer) {
        line("lease " + GoText.hex16(answer.getID()) + " granted with TTL(" + answer.getTTL() + "s)");
    }

    @Override
    public void revoke(long lease, LeaseRevokeResponse answer) {
        line("lease " + GoText.hex16(lease) + " revoked");
    }

    @Override
    public void keepAlive(LeaseKeepAliveResponse answer) {
        line("lease " + GoText.hex16(answer.getID()) + " keepalived with TTL(" + answer.getTTL() + ")");
    }

    @Override
    public void timeToLive(LeaseTimeToLiveResponse answer, boolean withKeys) {
        String lease = "lease " + GoText.hex16(answer.getID());
        if (answer.getGrantedTTL() == 0 && answer.getTTL() == -1) {
            line(lease + " already expired");
            return;
        }
        out.print(lease + " granted with TTL(" + answer.getGrantedTTL() + "s), remaining(" + answer.getTTL() + "s)");
        if (withKeys) {
            out.print(", attached keys([");
            for (int i = 0; i < answer.getKeysCount(); i++) {
                out.print(i == 0 ? "" : " ");
                out.writeBytes(answer.getKeys(i).toByteArray());
            }
            out.print("])");
        }
        line("");
    }

    @Override
    public void leases(LeaseLeasesResponse answer) {
        line("found " + answer.getLeasesCount() + " leases");
        for (LeaseStatus lease : answer.getLeasesList()) {
            line(GoText.hex16(lease.getID()));
        }
    }

    @Override
    public void alarms(AlarmResponse answer) {
        for (AlarmMember alarm : answer.getAlarmsList()) {
            StringBuilder text = new StringBuilder();
            if (alarm.getMemberID() != 0) {
                text.append("memberID:").append(Long.toUnsignedString(alarm.getMemberID()));
            }
            if (alarm.getAlarmValue() != AlarmType.NONE_VALUE) {
                text.append(text.isEmpty() ? "" : " ").append("alarm:").append(alarmName(alarm));
            }
            line(text.toString());
        }
    }

    /** The name of an alarm, or the number of one that is not known. */
    static String alarmName(AlarmMember alarm) {
        return switch (alarm.getAlarmValue()) {
            case AlarmType.NONE_VALUE -> "NONE";
            case AlarmType.NOSPACE_VALUE -> "NOSPACE";
            case AlarmType.CORRUPT_VALUE -> "CORRUPT";
            default -> String.valueOf(alarm.getAlarmValue());
        };
    }

    @Override
    public void memberAdd(MemberAddResponse answer) {
        line("Member " + GoText.padded16(answer.getMember().getID()) + " added"
                + (answer.getMember().getIsLearner() ? " as learner " : " ") + "to cluster "
                + GoText.padded16(answer.getHeader().getClusterId()));
    }

    @Override
    public void memberChange(String verb, long member, ResponseHeader header, List<Member> members,
            MessageLite answer) {
        line("Member " + GoText.padded16(member) + " " + verb + " cluster " + GoText.padded16(header.getClusterId()));
    }

    private void rows(List<List<String>> rows) {
        rows.forEach(row -> line(String.join(", ", row)));
    }

    @Override
    public void memberList(MemberListResponse answer) {
        rows(Rows.members(answer.getMembersList()));
    }

    @Override
    public void endpointHealth(List<Health> health) {
        for (Health each : health) {
            if (each.error().isEmpty()) {
                line(each.endpoint() + " is healthy: successfully committed proposal: took = " + each.took());
            } else {
                err.print(each.endpoint() + " is unhealthy: failed to commit proposal: " + each.error() + "\n");
            }
        }
    }

    @Override
    public void endpointStatus(List<EndpointStatus> statuses) {
        rows(Rows.statuses(statuses));
    }

    @Override
    public void endpointHash(List<EndpointHash> hashes) {
        rows(Rows.hashes(hashes));
    }

    @Override
    public void moveLeader(long leader, long target, MoveLeaderResponse answer) {
        line("Leadership transferred from " + Long.toHexString(leader) + " to " + Long.toHexString(target));
    }

    @Override
    public void downgrade(String action, DowngradeResponse answer) {
        line("Downgrade " + action + " success, cluster version " + answer.getVersion());
    }

    @Override
    public void role(String role, AuthRoleGetResponse answer) {
        line("Role " + role);
        if (role.equals(ROOT_ROLE) && answer.getPermCount() == 0) {
            line("KV Read:\n\t[, <open ended>\nKV Write:\n\t[, <open ended>");
            return;
        }
        line("KV Read:");
        permissions(answer, Permission.Type.WRITE);
        line("KV Write:");
        permissions(answer, Permission.Type.READ);
    }

    private void permissions(AuthRoleGetResponse answer, Permission.Type except) {
        for (Permission permission : answer.getPermList()) {
            if (permission.getPermType() != except) {
                out.print('\t');
                range(permission.getKey(), permission.getRangeEnd());
            }
        }
    }

    private void range(ByteString key, ByteString end) {
        if (end.isEmpty()) {
            out.writeBytes(key.toByteArray());
        } else {
            out.print('[');
            out.writeBytes(key.toByteArray());
            out.print(", ");
            if (end.equals(KeyRanges.ZERO)) {
                out.print("<open ended>");
            } else {
                out.writeBytes(end.toByteArray());
                out.print(')');
            }
            if (!key.isEmpty() && KeyRanges.endOf(key).equals(end)) {
                out.print(" (prefix ");
                out.writeBytes(key.toByteArray());
                out.print(')');
            }
        }
        out.print('\n');
    }

    @Override
    public void roles(AuthRoleListResponse answer) {
        answer.getRolesList().forEach(this::line);
    }

    @Override
    public void user(String user, AuthUserGetResponse answer) {
        line("User: " + user);
        out.print("Roles:");
        answer.getRolesList().forEach(role -> out.print(" " + role));
        line("");
    }

    @Override
    public void users(AuthUserListResponse answer) {
        answer.getUsersList().forEach(this::line);
    }

    @Override
    public void authStatus(AuthStatusResponse answer) {
        line("Authentication Status: " + answer.getEnabled());
        line("AuthRevision: " + Long.toUnsignedString(answer.getAuthRevision()));
    }
}
