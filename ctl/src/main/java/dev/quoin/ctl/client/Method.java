package dev.quoin.ctl.client;

/** The RPCs of etcd that a client calls. */
public enum Method {
    RANGE("KV/Range", true),
    RANGE_STREAM("KV/RangeStream", true),
    PUT("KV/Put", false),
    DELETE_RANGE("KV/DeleteRange", false),
    TXN("KV/Txn", false),
    COMPACT("KV/Compact", false),
    WATCH("Watch/Watch", true),
    LEASE_GRANT("Lease/LeaseGrant", false),
    LEASE_REVOKE("Lease/LeaseRevoke", false),
    LEASE_KEEP_ALIVE("Lease/LeaseKeepAlive", true),
    LEASE_TIME_TO_LIVE("Lease/LeaseTimeToLive", true),
    LEASE_LEASES("Lease/LeaseLeases", true),
    MEMBER_ADD("Cluster/MemberAdd", false),
    MEMBER_REMOVE("Cluster/MemberRemove", false),
    MEMBER_UPDATE("Cluster/MemberUpdate", false),
    MEMBER_PROMOTE("Cluster/MemberPromote", false),
    MEMBER_LIST("Cluster/MemberList", true),
    ALARM_LIST("Maintenance/Alarm", true),
    ALARM_DISARM("Maintenance/Alarm", false),
    STATUS("Maintenance/Status", true),
    DEFRAGMENT("Maintenance/Defragment", false),
    HASH_KV("Maintenance/HashKV", true),
    SNAPSHOT("Maintenance/Snapshot", true),
    MOVE_LEADER("Maintenance/MoveLeader", false),
    DOWNGRADE("Maintenance/Downgrade", false),
    AUTHENTICATE("Auth/Authenticate", false),
    AUTH_ENABLE("Auth/AuthEnable", false),
    AUTH_DISABLE("Auth/AuthDisable", false),
    AUTH_STATUS("Auth/AuthStatus", true),
    USER_ADD("Auth/UserAdd", false),
    USER_DELETE("Auth/UserDelete", false),
    USER_GET("Auth/UserGet", true),
    USER_LIST("Auth/UserList", true),
    USER_CHANGE_PASSWORD("Auth/UserChangePassword", false),
    USER_GRANT_ROLE("Auth/UserGrantRole", false),
    USER_REVOKE_ROLE("Auth/UserRevokeRole", false),
    ROLE_ADD("Auth/RoleAdd", false),
    ROLE_DELETE("Auth/RoleDelete", false),
    ROLE_GET("Auth/RoleGet", true),
    ROLE_LIST("Auth/RoleList", true),
    ROLE_GRANT_PERMISSION("Auth/RoleGrantPermission", false),
    ROLE_REVOKE_PERMISSION("Auth/RoleRevokePermission", false);

    private final String path;
    private final boolean isRepeatable;

    Method(String name, boolean isRepeatable) {
        this.path = "/etcdserverpb." + name;
        this.isRepeatable = isRepeatable;
    }

    String path() {
        return path;
    }

    /**
     * Whether it may be sent again when nobody knows what became of it. etcd's client repeats grants and revocations of leases and
     * moves of leadership as well; here nothing that changes anything is.
     */
    boolean isRepeatable() {
        return isRepeatable;
    }
}
