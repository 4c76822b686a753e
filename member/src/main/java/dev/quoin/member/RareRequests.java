package dev.quoin.member;

import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.authpb.Permission;
import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AuthRoleGrantPermissionRequest;
import dev.quoin.api.etcdserverpb.AuthRoleRevokePermissionRequest;
import dev.quoin.api.etcdserverpb.AuthUserAddRequest;
import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.base.Bytes;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;

/** What the requests that come seldom do to the store. They are read by generated classes. */
final class RareRequests {
    private RareRequests() {}

    /**
     * Null if the request is about the cluster, or is none that this version knows. Of several in one entry the first
     * counts, in the order in which etcd looks for them (etcdserver/apply/uber_applier.go dispatch).
     */
    static @Nullable Command command(InternalRaftRequest request) {
        if (isAboutTheCluster(request)) {
            return null;
        }
        if (request.hasRange()) {
            return new Command.Nothing();
        }
        if (request.hasPut()) {
            return Requests.put(bytes(request.getPut()));
        }
        if (request.hasDeleteRange()) {
            return Requests.deleteRange(bytes(request.getDeleteRange()));
        }
        if (request.hasTxn()) {
            return Requests.txn(bytes(request.getTxn()));
        }
        if (request.hasCompaction()) {
            return Requests.compaction(bytes(request.getCompaction()));
        }
        if (request.hasLeaseGrant()) {
            return new Command.LeaseGrant(request.getLeaseGrant().getID(), request.getLeaseGrant().getTTL());
        }
        if (request.hasLeaseRevoke()) {
            return new Command.LeaseRevoke(request.getLeaseRevoke().getID());
        }
        if (request.hasLeaseCheckpoint()) {
            List<Command.LeaseCheckpoint.Remaining> remaining = request.getLeaseCheckpoint().getCheckpointsList()
                    .stream()
                    .map(one -> new Command.LeaseCheckpoint.Remaining(one.getID(), one.getRemainingTTL())).toList();
            return new Command.LeaseCheckpoint(remaining);
        }
        if (request.hasAlarm()) {
            AlarmRequest alarm = request.getAlarm();
            return new Command.Alarm(Command.Alarm.Action.of(alarm.getActionValue()), alarm.getMemberID(),
                    alarm.getAlarmValue());
        }
        AuthCommand auth = authCommand(request);
        return auth == null ? null : new Command.Auth(auth);
    }

    private static @Nullable AuthCommand authCommand(InternalRaftRequest request) {
        if (request.hasAuthenticate()) {
            return new AuthCommand.Authenticate(Bytes.utf8(request.getAuthenticate().getName()),
                    Bytes.utf8(request.getAuthenticate().getSimpleToken()));
        }
        if (request.hasAuthEnable()) {
            return new AuthCommand.Enable();
        }
        if (request.hasAuthDisable()) {
            return new AuthCommand.Disable();
        }
        if (request.hasAuthStatus()) {
            return new AuthCommand.Status();
        }
        AuthCommand user = userCommand(request);
        return user == null ? roleCommand(request) : user;
    }

    private static @Nullable AuthCommand userCommand(InternalRaftRequest request) {
        if (request.hasAuthUserAdd()) {
            AuthUserAddRequest add = request.getAuthUserAdd();
            return new AuthCommand.UserAdd(Bytes.utf8(add.getName()), Bytes.utf8(add.getHashedPassword()),
                    add.getOptions().getNoPassword());
        }
        if (request.hasAuthUserDelete()) {
            return new AuthCommand.UserDelete(Bytes.utf8(request.getAuthUserDelete().getName()));
        }
        if (request.hasAuthUserChangePassword()) {
            return new AuthCommand.UserChangePassword(Bytes.utf8(request.getAuthUserChangePassword().getName()),
                    Bytes.utf8(request.getAuthUserChangePassword().getHashedPassword()));
        }
        if (request.hasAuthUserGrantRole()) {
            return new AuthCommand.UserGrantRole(Bytes.utf8(request.getAuthUserGrantRole().getUser()),
                    Bytes.utf8(request.getAuthUserGrantRole().getRole()));
        }
        if (request.hasAuthUserGet()) {
            return new AuthCommand.UserGet(Bytes.utf8(request.getAuthUserGet().getName()));
        }
        if (request.hasAuthUserRevokeRole()) {
            return new AuthCommand.UserRevokeRole(Bytes.utf8(request.getAuthUserRevokeRole().getName()),
                    Bytes.utf8(request.getAuthUserRevokeRole().getRole()));
        }
        return request.hasAuthUserList() ? new AuthCommand.UserList() : null;
    }

    private static @Nullable AuthCommand roleCommand(InternalRaftRequest request) {
        if (request.hasAuthRoleAdd()) {
            return new AuthCommand.RoleAdd(Bytes.utf8(request.getAuthRoleAdd().getName()));
        }
        if (request.hasAuthRoleGrantPermission()) {
            AuthRoleGrantPermissionRequest grant = request.getAuthRoleGrantPermission();
            return new AuthCommand.RoleGrantPermission(Bytes.utf8(grant.getName()),
                    grant.hasPerm() ? permission(grant.getPerm()) : null);
        }
        if (request.hasAuthRoleGet()) {
            return new AuthCommand.RoleGet(Bytes.utf8(request.getAuthRoleGet().getRole()));
        }
        if (request.hasAuthRoleRevokePermission()) {
            AuthRoleRevokePermissionRequest revoke = request.getAuthRoleRevokePermission();
            return new AuthCommand.RoleRevokePermission(Bytes.utf8(revoke.getRole()),
                    range(revoke.getKey(), revoke.getRangeEnd()));
        }
        if (request.hasAuthRoleDelete()) {
            return new AuthCommand.RoleDelete(Bytes.utf8(request.getAuthRoleDelete().getRole()));
        }
        return request.hasAuthRoleList() ? new AuthCommand.RoleList() : null;
    }

    private static dev.quoin.store.Permission permission(Permission permission) {
        return new dev.quoin.store.Permission(permission.getPermTypeValue(),
                range(permission.getKey(), permission.getRangeEnd()));
    }

    private static KeyRange range(ByteString key, ByteString rangeEnd) {
        return new KeyRange(Bytes.of(key.toByteArray()), Bytes.of(rangeEnd.toByteArray()));
    }

    static boolean isAboutTheCluster(InternalRaftRequest request) {
        return request.hasClusterVersionSet() || request.hasClusterMemberAttrSet() || request.hasDowngradeInfoSet()
                || request.hasDowngradeVersionTest();
    }

    private static Bytes bytes(MessageLite message) {
        return Bytes.of(message.toByteArray());
    }
}
