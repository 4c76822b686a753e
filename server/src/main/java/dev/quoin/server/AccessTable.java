package dev.quoin.server;

import java.util.Map;
import java.util.TreeMap;

import dev.quoin.base.Invariant;

/**
 * Who may call what while access is controlled: a row for each method that there is. A method without a row is not served, and
 * keeps the server from starting. Sources: etcd's v3rpc/{auth,maintenance,key}.go, v3_server.go, apply/auth.go.
 */
enum AccessTable {
    /** Everybody, and nobody is asked who they are. */
    EVERYBODY,
    /** Whoever can prove to be somebody. */
    SOMEBODY,
    /** Users with the role root, as this member knows them: that is all that decides. */
    ROOT,
    /** Users with the role root: it is decided when it is applied, and here only so that the log is spared. */
    ROOT_WHEN_APPLIED,
    /** It depends on what is asked for: the service itself asks {@link Access} about every request. */
    SERVICE;

    private static final Map<String, AccessTable> ROWS = rows();

    private static Map<String, AccessTable> rows() {
        Map<String, AccessTable> rows = new TreeMap<>();
        add(rows, "/etcdserverpb.KV/", SERVICE, "Range", "RangeStream", "Put", "DeleteRange", "Txn", "Compact");
        add(rows, "/etcdserverpb.Watch/", SERVICE, "Watch");
        add(rows, "/etcdserverpb.Lease/", SERVICE, "LeaseGrant", "LeaseRevoke", "LeaseKeepAlive", "LeaseTimeToLive",
                "LeaseLeases");
        add(rows, "/etcdserverpb.Cluster/", ROOT, "MemberAdd", "MemberRemove", "MemberUpdate", "MemberPromote");
        add(rows, "/etcdserverpb.Cluster/", SOMEBODY, "MemberList");
        add(rows, "/etcdserverpb.Maintenance/", ROOT, "Defragment", "Hash", "HashKV", "Snapshot", "MoveLeader",
                "Downgrade");
        add(rows, "/etcdserverpb.Maintenance/", SOMEBODY, "Status");
        add(rows, "/etcdserverpb.Maintenance/", SERVICE, "Alarm");
        add(rows, "/etcdserverpb.Auth/", EVERYBODY, "Authenticate");
        add(rows, "/etcdserverpb.Auth/", SERVICE, "AuthStatus", "UserGet", "RoleGet");
        add(rows, "/etcdserverpb.Auth/", ROOT_WHEN_APPLIED, "AuthEnable", "AuthDisable", "UserAdd", "UserDelete",
                "UserList", "UserChangePassword", "UserGrantRole", "UserRevokeRole", "RoleAdd", "RoleDelete",
                "RoleList", "RoleGrantPermission", "RoleRevokePermission");
        add(rows, "/v3lockpb.Lock/", SERVICE, "Lock", "Unlock");
        add(rows, "/v3electionpb.Election/", SERVICE, "Campaign", "Proclaim", "Leader", "Observe", "Resign");
        add(rows, "/grpc.health.v1.Health/", EVERYBODY, "Check", "List", "Watch");
        return rows;
    }

    private static void add(Map<String, AccessTable> rows, String service, AccessTable need, String... methods) {
        for (String method : methods) {
            Invariant.check(rows.put(service + method, need) == null, "two rows for %s%s", service, method);
        }
    }

    /** All rows, by path. */
    static Map<String, AccessTable> all() {
        return Map.copyOf(ROWS);
    }

    /** @throws Invariant.Violation if there is no row */
    static AccessTable of(String path) {
        AccessTable need = ROWS.get(path);
        if (need == null) {
            throw Invariant.violation("nobody has said who may call %s", path);
        }
        return need;
    }
}
