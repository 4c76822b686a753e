package dev.quoin.server.gateway;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.Rpc;
import dev.quoin.api.v3electionpb.V3Election;
import dev.quoin.api.v3lockpb.V3Lock;

/** Which path is which RPC: all that etcd 3.7.1 has (the {@code google.api.http} options of its rpc.proto). A value. */
final class Routes {
    private static final List<FileDescriptor> FILES = List.of(Rpc.getDescriptor(), V3Lock.getDescriptor(),
            V3Election.getDescriptor());

    /** Paths behind {@code /v3/}, and the RPC each is. */
    private static final String TABLE = """
            kv/range                          etcdserverpb.KV/Range
            kv/put                            etcdserverpb.KV/Put
            kv/deleterange                    etcdserverpb.KV/DeleteRange
            kv/txn                            etcdserverpb.KV/Txn
            kv/compaction                     etcdserverpb.KV/Compact
            watch                             etcdserverpb.Watch/Watch
            lease/grant                       etcdserverpb.Lease/LeaseGrant
            lease/revoke                      etcdserverpb.Lease/LeaseRevoke
            kv/lease/revoke                   etcdserverpb.Lease/LeaseRevoke
            lease/keepalive                   etcdserverpb.Lease/LeaseKeepAlive
            lease/timetolive                  etcdserverpb.Lease/LeaseTimeToLive
            kv/lease/timetolive               etcdserverpb.Lease/LeaseTimeToLive
            lease/leases                      etcdserverpb.Lease/LeaseLeases
            kv/lease/leases                   etcdserverpb.Lease/LeaseLeases
            cluster/member/add                etcdserverpb.Cluster/MemberAdd
            cluster/member/remove             etcdserverpb.Cluster/MemberRemove
            cluster/member/update             etcdserverpb.Cluster/MemberUpdate
            cluster/member/list               etcdserverpb.Cluster/MemberList
            cluster/member/promote            etcdserverpb.Cluster/MemberPromote
            maintenance/alarm                 etcdserverpb.Maintenance/Alarm
            maintenance/status                etcdserverpb.Maintenance/Status
            maintenance/defragment            etcdserverpb.Maintenance/Defragment
            maintenance/hash                  etcdserverpb.Maintenance/Hash
            maintenance/hashkv                etcdserverpb.Maintenance/HashKV
            maintenance/snapshot              etcdserverpb.Maintenance/Snapshot
            maintenance/transfer-leadership   etcdserverpb.Maintenance/MoveLeader
            maintenance/downgrade             etcdserverpb.Maintenance/Downgrade
            auth/enable                       etcdserverpb.Auth/AuthEnable
            auth/disable                      etcdserverpb.Auth/AuthDisable
            auth/status                       etcdserverpb.Auth/AuthStatus
            auth/authenticate                 etcdserverpb.Auth/Authenticate
            auth/user/add                     etcdserverpb.Auth/UserAdd
            auth/user/get                     etcdserverpb.Auth/UserGet
            auth/user/list                    etcdserverpb.Auth/UserList
            auth/user/delete                  etcdserverpb.Auth/UserDelete
            auth/user/changepw                etcdserverpb.Auth/UserChangePassword
            auth/user/grant                   etcdserverpb.Auth/UserGrantRole
            auth/user/revoke                  etcdserverpb.Auth/UserRevokeRole
            auth/role/add                     etcdserverpb.Auth/RoleAdd
            auth/role/get                     etcdserverpb.Auth/RoleGet
            auth/role/list                    etcdserverpb.Auth/RoleList
            auth/role/delete                  etcdserverpb.Auth/RoleDelete
            auth/role/grant                   etcdserverpb.Auth/RoleGrantPermission
            auth/role/revoke                  etcdserverpb.Auth/RoleRevokePermission
            lock/lock                         v3lockpb.Lock/Lock
            lock/unlock                       v3lockpb.Lock/Unlock
            election/campaign                 v3electionpb.Election/Campaign
            election/proclaim                 v3electionpb.Election/Proclaim
            election/leader                   v3electionpb.Election/Leader
            election/observe                  v3electionpb.Election/Observe
            election/resign                   v3electionpb.Election/Resign
            """;

    private static final String PREFIX = "/v3/";
    /** What the gateway was called before 3.4; etcd still takes it (accessController.ServeHTTP). */
    private static final String OLD_PREFIX = "/v3beta/";

    private final Map<String, Route> byPath = new HashMap<>();

    /**
     * One path.
     *
     * @param rpc the path of its method, as gRPC has it
     */
    record Route(String rpc, MethodDescriptor method) {
        boolean clientStreams() {
            return method.isClientStreaming();
        }

        boolean serverStreams() {
            return method.isServerStreaming();
        }
    }

    Routes() {
        TABLE.lines().forEach(line -> {
            String[] columns = line.split(" +", -1);
            byPath.put(PREFIX + columns[0], new Route("/" + columns[1], method(columns[1])));
        });
    }

    private static MethodDescriptor method(String rpc) {
        int slash = rpc.indexOf('/');
        String service = rpc.substring(0, slash);
        for (FileDescriptor file : FILES) {
            for (ServiceDescriptor one : file.getServices()) {
                if (one.getFullName().equals(service)) {
                    return Objects.requireNonNull(one.findMethodByName(rpc.substring(slash + 1)), rpc);
                }
            }
        }
        throw new IllegalStateException("no service of ours: " + rpc);
    }

    /** Whether a path is the gateway's, be it one that it knows or not. */
    static boolean isOurs(String path) {
        return path.startsWith(PREFIX) || path.startsWith(OLD_PREFIX);
    }

    @Nullable
    Route find(String path) {
        return byPath.get(path.startsWith(OLD_PREFIX) ? PREFIX + path.substring(OLD_PREFIX.length()) : path);
    }

    Map<String, Route> all() {
        return Map.copyOf(byPath);
    }
}
