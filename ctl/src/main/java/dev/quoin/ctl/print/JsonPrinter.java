package dev.quoin.ctl.print;

import java.io.PrintStream;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.authpb.Permission;
import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AuthRoleGetResponse;
import dev.quoin.api.etcdserverpb.AuthRoleListResponse;
import dev.quoin.api.etcdserverpb.AuthStatusResponse;
import dev.quoin.api.etcdserverpb.AuthUserGetResponse;
import dev.quoin.api.etcdserverpb.AuthUserListResponse;
import dev.quoin.api.etcdserverpb.DeleteRangeResponse;
import dev.quoin.api.etcdserverpb.DowngradeInfo;
import dev.quoin.api.etcdserverpb.DowngradeResponse;
import dev.quoin.api.etcdserverpb.HashKVResponse;
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
import dev.quoin.api.etcdserverpb.ResponseOp;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.api.mvccpb.KeyValue;

/**
 * One line of JSON for each answer: Go's structs as {@code encoding/json} writes them, which is not the JSON of the gateway (etcd:
 * printer_json.go). A line for each field, so that nothing is looked up by reflection.
 */
final class JsonPrinter extends Printer {
    JsonPrinter(PrintStream out, boolean isHex) {
        super("json", out, isHex);
    }

    private void print(Consumer<Json> fields) {
        Json json = new Json();
        json.object(() -> fields.accept(json));
        out.print(json);
        out.print('\n');
    }

    private static void headerFields(Json json, ResponseHeader header) {
        json.unsigned("cluster_id", header.getClusterId()).unsigned("member_id", header.getMemberId())
                .number("revision", header.getRevision()).unsigned("raft_term", header.getRaftTerm());
    }

    private static void header(Json json, @Nullable ResponseHeader header) {
        if (header != null) {
            json.name("header").object(() -> headerFields(json, header));
        }
    }

    private static void keyValue(Json json, KeyValue kv) {
        json.bytes("key", kv.getKey()).number("create_revision", kv.getCreateRevision())
                .number("mod_revision", kv.getModRevision()).number("version", kv.getVersion())
                .bytes("value", kv.getValue()).number("lease", kv.getLease());
    }

    @Override
    public void done(String sentence, @Nullable ResponseHeader header, MessageLite answer) {
        print(json -> header(json, header));
    }

    private static void range(Json json, RangeResponse answer) {
        header(json, answer.hasHeader() ? answer.getHeader() : null);
        json.objects("kvs", answer.getKvsList(), kv -> keyValue(json, kv)).flag("more", answer.getMore())
                .number("count", answer.getCount());
    }

    private static void put(Json json, PutResponse answer) {
        header(json, answer.hasHeader() ? answer.getHeader() : null);
        if (answer.hasPrevKv()) {
            json.name("prev_kv").object(() -> keyValue(json, answer.getPrevKv()));
        }
    }

    private static void delete(Json json, DeleteRangeResponse answer) {
        header(json, answer.hasHeader() ? answer.getHeader() : null);
        json.number("deleted", answer.getDeleted()).objects("prev_kvs", answer.getPrevKvsList(),
                kv -> keyValue(json, kv));
    }

    private static void txn(Json json, TxnResponse answer) {
        header(json, answer.hasHeader() ? answer.getHeader() : null);
        json.flag("succeeded", answer.getSucceeded()).objects("responses", answer.getResponsesList(),
                each -> json.name("Response").object(() -> response(json, each)));
    }

    private static void response(Json json, ResponseOp each) {
        switch (each.getResponseCase()) {
            case RESPONSE_RANGE ->
                json.name("response_range").object(() -> range(json, each.getResponseRange()));
            case RESPONSE_PUT -> json.name("response_put").object(() -> put(json, each.getResponsePut()));
            case RESPONSE_DELETE_RANGE ->
                json.name("response_delete_range").object(() -> delete(json, each.getResponseDeleteRange()));
            case RESPONSE_TXN -> json.name("response_txn").object(() -> txn(json, each.getResponseTxn()));
            case RESPONSE_NOT_SET -> {
                // An object without a field.
            }
        }
    }

    @Override
    public void get(RangeResponse answer, boolean isValueOnly) {
        print(json -> range(json, answer));
    }

    @Override
    public void put(PutResponse answer) {
        print(json -> put(json, answer));
    }

    @Override
    public void delete(DeleteRangeResponse answer) {
        print(json -> delete(json, answer));
    }

    @Override
    public void txn(TxnResponse answer) {
        print(json -> txn(json, answer));
    }

    @Override
    public void watch(WatchResponse answer) {
        print(json -> {
            json.name("Header").object(() -> headerFields(json, answer.getHeader())).name("Events");
            if (answer.getEventsCount() == 0) {
                json.nothing();
            } else {
                json.array(answer.getEventsList(), event -> json.object(() -> event(json, event)));
            }
            json.name("CompactRevision").value(answer.getCompactRevision()).name("Canceled")
                    .value(answer.getCanceled()).name("Created").value(answer.getCreated()).name("CancelReason")
                    .value(answer.getCancelReason());
        });
    }

    private static void event(Json json, Event event) {
        json.number("type", event.getTypeValue());
        if (event.hasKv()) {
            json.name("kv").object(() -> keyValue(json, event.getKv()));
        }
        if (event.hasPrevKv()) {
            json.name("prev_kv").object(() -> keyValue(json, event.getPrevKv()));
        }
    }

    // Answers about leases are structs of the client: their header is not set apart, and nothing of their own is left out.

    @Override
    public void grant(LeaseGrantResponse answer) {
        print(json -> {
            headerFields(json, answer.getHeader());
            json.name("ID").value(answer.getID()).name("TTL").value(answer.getTTL()).name("Error")
                    .value(answer.getError());
        });
    }

    @Override
    public void revoke(long lease, LeaseRevokeResponse answer) {
        print(json -> header(json, answer.hasHeader() ? answer.getHeader() : null));
    }

    @Override
    public void keepAlive(LeaseKeepAliveResponse answer) {
        print(json -> {
            headerFields(json, answer.getHeader());
            json.name("ID").value(answer.getID()).name("TTL").value(answer.getTTL());
        });
    }

    @Override
    public void timeToLive(LeaseTimeToLiveResponse answer, boolean withKeys) {
        print(json -> {
            headerFields(json, answer.getHeader());
            json.name("id").value(answer.getID()).name("ttl").value(answer.getTTL()).name("granted-ttl")
                    .value(answer.getGrantedTTL()).name("keys");
            if (answer.getKeysCount() == 0) {
                json.nothing();
            } else {
                json.array(answer.getKeysList(), json::value);
            }
        });
    }

    @Override
    public void leases(LeaseLeasesResponse answer) {
        print(json -> {
            headerFields(json, answer.getHeader());
            json.name("leases").array(answer.getLeasesList(),
                    lease -> json.object(() -> json.name("id").value(lease.getID())));
        });
    }

    // With --hex, ids in answers about members are texts, and nothing but what is empty of a member is left out.

    private void memberHeader(Json json, ResponseHeader header) {
        if (!isHex) {
            header(json, header);
            return;
        }
        json.name("header")
                .object(() -> json.name("cluster_id").value(Long.toHexString(header.getClusterId())).name("member_id")
                        .value(Long.toHexString(header.getMemberId())).number("revision", header.getRevision())
                        .unsigned("raft_term", header.getRaftTerm()));
    }

    private void member(Json json, Member member) {
        if (isHex) {
            json.name("ID").value(Long.toHexString(member.getID()));
        } else {
            json.unsigned("ID", member.getID());
        }
        json.string("name", member.getName()).strings("peerURLs", member.getPeerURLsList())
                .strings("clientURLs", member.getClientURLsList()).flag("isLearner", member.getIsLearner());
    }

    private void members(Json json, List<Member> members) {
        if (isHex) {
            json.name("members").array(members, each -> json.object(() -> member(json, each)));
        } else {
            json.objects("members", members, each -> member(json, each));
        }
    }

    @Override
    public void memberAdd(MemberAddResponse answer) {
        print(json -> {
            memberHeader(json, answer.getHeader());
            json.name("member").object(() -> member(json, answer.getMember()));
            members(json, answer.getMembersList());
        });
    }

    @Override
    public void memberChange(String verb, long member, ResponseHeader header, List<Member> members,
            MessageLite answer) {
        print(json -> {
            memberHeader(json, header);
            members(json, members);
        });
    }

    @Override
    public void memberList(MemberListResponse answer) {
        print(json -> {
            memberHeader(json, answer.getHeader());
            members(json, answer.getMembersList());
        });
    }

    /** An array, or {@code null} for none. */
    private <T> void printAll(List<T> items, BiConsumer<Json, T> each) {
        Json json = new Json();
        if (items.isEmpty()) {
            json.nothing();
        } else {
            json.array(items, item -> json.object(() -> each.accept(json, item)));
        }
        out.print(json);
        out.print('\n');
    }

    @Override
    public void endpointHealth(List<Health> health) {
        printAll(health, (json, each) -> json.name("endpoint").value(each.endpoint()).name("health")
                .value(each.isHealthy()).name("took").value(each.took()).string("error", each.error()));
    }

    @Override
    public void endpointStatus(List<EndpointStatus> statuses) {
        printAll(statuses, (json, each) -> json.name("Endpoint").value(each.endpoint()).name("Status")
                .object(() -> status(json, each.status())));
    }

    private static void status(Json json, StatusResponse status) {
        header(json, status.hasHeader() ? status.getHeader() : null);
        json.string("version", status.getVersion()).number("dbSize", status.getDbSize())
                .unsigned("leader", status.getLeader()).unsigned("raftIndex", status.getRaftIndex())
                .unsigned("raftTerm", status.getRaftTerm()).unsigned("raftAppliedIndex", status.getRaftAppliedIndex())
                .strings("errors", status.getErrorsList()).number("dbSizeInUse", status.getDbSizeInUse())
                .flag("isLearner", status.getIsLearner()).string("storageVersion", status.getStorageVersion())
                .number("dbSizeQuota", status.getDbSizeQuota());
        if (status.hasDowngradeInfo()) {
            DowngradeInfo info = status.getDowngradeInfo();
            json.name("downgradeInfo").object(
                    () -> json.flag("enabled", info.getEnabled()).string("targetVersion", info.getTargetVersion()));
        }
    }

    @Override
    public void endpointHash(List<EndpointHash> hashes) {
        printAll(hashes, (json, each) -> json.name("Endpoint").value(each.endpoint()).name("HashKV")
                .object(() -> hash(json, each.answer())));
    }

    private static void hash(Json json, HashKVResponse hash) {
        header(json, hash.hasHeader() ? hash.getHeader() : null);
        json.number("hash", Integer.toUnsignedLong(hash.getHash()))
                .number("compact_revision", hash.getCompactRevision())
                .number("hash_revision", hash.getHashRevision());
    }

    @Override
    public void moveLeader(long leader, long target, MoveLeaderResponse answer) {
        print(json -> header(json, answer.hasHeader() ? answer.getHeader() : null));
    }

    @Override
    public void downgrade(String action, DowngradeResponse answer) {
        print(json -> {
            header(json, answer.hasHeader() ? answer.getHeader() : null);
            json.string("version", answer.getVersion());
        });
    }

    @Override
    public void alarms(AlarmResponse answer) {
        print(json -> {
            header(json, answer.hasHeader() ? answer.getHeader() : null);
            json.objects("alarms", answer.getAlarmsList(), (AlarmMember alarm) -> json
                    .unsigned("memberID", alarm.getMemberID()).number("alarm", alarm.getAlarmValue()));
        });
    }

    @Override
    public void role(String role, AuthRoleGetResponse answer) {
        print(json -> {
            header(json, answer.hasHeader() ? answer.getHeader() : null);
            json.objects("perm", answer.getPermList(),
                    (Permission permission) -> json.number("permType", permission.getPermTypeValue())
                            .bytes("key", permission.getKey()).bytes("range_end", permission.getRangeEnd()));
        });
    }

    @Override
    public void roles(AuthRoleListResponse answer) {
        print(json -> {
            header(json, answer.hasHeader() ? answer.getHeader() : null);
            json.strings("roles", answer.getRolesList());
        });
    }

    @Override
    public void user(String user, AuthUserGetResponse answer) {
        print(json -> {
            header(json, answer.hasHeader() ? answer.getHeader() : null);
            json.strings("roles", answer.getRolesList());
        });
    }

    @Override
    public void users(AuthUserListResponse answer) {
        print(json -> {
            header(json, answer.hasHeader() ? answer.getHeader() : null);
            json.strings("users", answer.getUsersList());
        });
    }

    @Override
    public void authStatus(AuthStatusResponse answer) {
        print(json -> {
            header(json, answer.hasHeader() ? answer.getHeader() : null);
            json.flag("enabled", answer.getEnabled()).unsigned("authRevision", answer.getAuthRevision());
        });
    }
}
