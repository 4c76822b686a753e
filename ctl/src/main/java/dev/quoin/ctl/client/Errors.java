package dev.quoin.ctl.client;

import java.util.Set;

import dev.quoin.ctl.rpc.Code;
import dev.quoin.ctl.rpc.RpcException;

/**
 * Errors in the words of etcd's client: one that etcd defines is told by its text alone (etcd: api/v3/v3rpc/rpctypes/error.go,
 * errStringToError), any other with its code.
 */
public final class Errors {
    public static final String NO_LEADER = "etcdserver: no leader";
    public static final String PERMISSION_DENIED = "etcdserver: permission denied";
    public static final String ROOT_ROLE_NOT_EXIST = "etcdserver: root user does not have root role";
    public static final String LEASE_NOT_FOUND = "etcdserver: requested lease not found";
    public static final String COMPACTED = "etcdserver: mvcc: required revision has been compacted";
    public static final String FUTURE_REVISION = "etcdserver: mvcc: required revision is a future revision";
    static final String AUTH_NOT_ENABLED = "etcdserver: authentication is not enabled";
    static final String USER_EMPTY = "etcdserver: user name is empty";
    static final String INVALID_AUTH_TOKEN = "etcdserver: invalid auth token";
    static final String AUTH_OLD_REVISION = "etcdserver: revision of auth store is old";
    static final String NOT_SUPPORTED_FOR_LEARNER = "etcdserver: rpc not supported for learner";

    private static final Set<String> KNOWN = Set.of("etcdserver: key is not provided", "etcdserver: key not found",
            "etcdserver: value is provided", "etcdserver: lease is provided",
            "etcdserver: too many operations in txn request", "etcdserver: duplicate key given in txn request",
            "etcdserver: invalid sort option", COMPACTED, FUTURE_REVISION,
            "etcdserver: mvcc: database space exceeded", LEASE_NOT_FOUND, "etcdserver: lease already exists",
            "etcdserver: too large lease TTL", "etcdserver: member ID already exist",
            "etcdserver: Peer URLs already exists",
            "etcdserver: re-configuration failed due to not enough started members",
            "etcdserver: given member URLs are invalid", "etcdserver: member not found",
            "etcdserver: can only promote a learner member",
            "etcdserver: can only promote a learner member which is in sync with leader",
            "etcdserver: too many learner members in cluster", "etcdserver: cluster ID mismatch",
            "etcdserver: request is too large", "etcdserver: too many requests", "etcdserver: root user does not exist",
            ROOT_ROLE_NOT_EXIST, "etcdserver: user name already exists", USER_EMPTY,
            "etcdserver: user name not found", "etcdserver: role name already exists",
            "etcdserver: role name not found", "etcdserver: role name is empty",
            "etcdserver: authentication failed, invalid user ID or password", PERMISSION_DENIED,
            "etcdserver: role is not granted to the user", "etcdserver: permission is not granted to the role",
            AUTH_NOT_ENABLED, INVALID_AUTH_TOKEN, "etcdserver: invalid auth management", AUTH_OLD_REVISION, NO_LEADER,
            "etcdserver: not leader", "etcdserver: leader changed", "etcdserver: not capable",
            "etcdserver: server stopped", "etcdserver: request timed out",
            "etcdserver: request timed out, possibly due to previous leader failure",
            "etcdserver: request timed out, possibly due to connection lost", "etcdserver: unhealthy cluster",
            "etcdserver: corrupt cluster", NOT_SUPPORTED_FOR_LEARNER, "etcdserver: bad leader transferee",
            "etcdserver: cluster version not found during downgrade",
            "etcdserver: wrong downgrade target version format", "etcdserver: invalid downgrade target version",
            "etcdserver: cluster has a downgrade job in progress", "etcdserver: no inflight downgrade job");

    private Errors() {}

    /** What a person is told. */
    public static String words(RpcException why) {
        if (why.isLate()) {
            return "context deadline exceeded";
        }
        if (why.code() == Code.CANCELED && why.outcome() != RpcException.Outcome.ANSWERED
                && why.description().equals("context canceled")) {
            return why.description();
        }
        return KNOWN.contains(why.description()) ? why.description() : String.valueOf(why.getMessage());
    }

    static boolean is(RpcException why, String text) {
        return why.description().equals(text);
    }
}
