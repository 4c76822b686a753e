package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import org.junit.jupiter.api.Test;

import dev.quoin.api.authpb.Permission;
import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.AuthRoleAddRequest;
import dev.quoin.api.etcdserverpb.AuthRoleGrantPermissionRequest;
import dev.quoin.api.etcdserverpb.AuthUserAddRequest;
import dev.quoin.api.etcdserverpb.AuthUserGrantRoleRequest;
import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.api.etcdserverpb.LeaseCheckpoint;
import dev.quoin.api.etcdserverpb.LeaseCheckpointRequest;
import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.LeaseRevokeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RequestHeader;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Every kind of entry that etcd 3.7 writes is read, as what etcd's apply takes it for, and in the name it carries. */
class EveryEntryTest {
    private static final List<String> ABOUT_THE_CLUSTER = List.of("cluster_version_set", "cluster_member_attr_set",
            "downgrade_info_set", "downgrade_version_test");

    @Test
    void noKindOfRequestIsUnknown() {
        List<String> toStore = new ArrayList<>();
        List<String> toCluster = new ArrayList<>();
        for (FieldDescriptor field : InternalRaftRequest.getDescriptor().getFields()) {
            if (field.getName().equals("header") || field.getName().equals("ID")) {
                continue;
            }
            InternalRaftRequest request = InternalRaftRequest.newBuilder()
                    .setHeader(RequestHeader.newBuilder().setID(77))
                    .setField(field, DynamicMessage.getDefaultInstance(field.getMessageType()).toBuilder().build())
                    .build();
            Requests.Logged logged = Requests.logged(Bytes.of(request.toByteArray()));
            assertThat(logged.id()).as(field.getName()).isEqualTo(77);
            (logged instanceof Requests.Logged.ToCluster ? toCluster : toStore).add(field.getName());
        }
        assertThat(toCluster).containsExactlyInAnyOrderElementsOf(ABOUT_THE_CLUSTER);
        assertThat(toStore).as("all others").hasSizeGreaterThanOrEqualTo(26);
    }

    private static Command read(InternalRaftRequest.Builder request) {
        Bytes entry = Bytes.of(request.setHeader(RequestHeader.newBuilder().setID(1)).build().toByteArray());
        return ((Requests.Logged.ToStore) Requests.logged(entry)).command();
    }

    @Test
    void fieldsArriveWhereTheyBelong() {
        assertThat(read(InternalRaftRequest.newBuilder()
                .setLeaseGrant(LeaseGrantRequest.newBuilder().setID(5).setTTL(60))))
                .isEqualTo(new Command.LeaseGrant(5, 60));
        assertThat(read(InternalRaftRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(5))))
                .isEqualTo(new Command.LeaseRevoke(5));
        assertThat(read(InternalRaftRequest.newBuilder().setLeaseCheckpoint(LeaseCheckpointRequest.newBuilder()
                .addCheckpoints(LeaseCheckpoint.newBuilder().setID(5).setRemainingTTL(9)))))
                .isEqualTo(new Command.LeaseCheckpoint(List.of(new Command.LeaseCheckpoint.Remaining(5, 9))));
        assertThat(read(InternalRaftRequest.newBuilder().setAlarm(AlarmRequest.newBuilder()
                .setAction(AlarmRequest.AlarmAction.ACTIVATE).setMemberID(7).setAlarm(AlarmType.CORRUPT))))
                .isEqualTo(new Command.Alarm(Command.Alarm.Action.ACTIVATE, 7, 2));
        assertThat(read(InternalRaftRequest.newBuilder().setAuthUserAdd(AuthUserAddRequest.newBuilder().setName("u")
                .setHashedPassword("aGFzaA=="))))
                .isEqualTo(new Command.Auth(
                        new AuthCommand.UserAdd(Bytes.utf8("u"), Bytes.utf8("aGFzaA=="), false)));
        assertThat(read(InternalRaftRequest.newBuilder()
                .setAuthUserGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("u").setRole("r"))))
                .isEqualTo(new Command.Auth(new AuthCommand.UserGrantRole(Bytes.utf8("u"), Bytes.utf8("r"))));
        assertThat(read(InternalRaftRequest.newBuilder().setAuthRoleAdd(AuthRoleAddRequest.newBuilder().setName("r"))))
                .isEqualTo(new Command.Auth(new AuthCommand.RoleAdd(Bytes.utf8("r"))));
        assertThat(read(InternalRaftRequest.newBuilder().setAuthRoleGrantPermission(AuthRoleGrantPermissionRequest
                .newBuilder().setName("r").setPerm(Permission.newBuilder().setPermType(Permission.Type.WRITE)
                        .setKey(ByteString.copyFromUtf8("a")).setRangeEnd(ByteString.copyFromUtf8("b"))))))
                .isEqualTo(new Command.Auth(new AuthCommand.RoleGrantPermission(Bytes.utf8("r"),
                        new dev.quoin.store.Permission(1, new KeyRange(Bytes.utf8("a"), Bytes.utf8("b"))))));
    }

    @Test
    void inWhoseNameIsKept() {
        RequestHeader header = RequestHeader.newBuilder().setID(3).setUsername("alice").setAuthRevision(12).build();
        InternalRaftRequest put = InternalRaftRequest.newBuilder().setHeader(header)
                .setPut(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k"))).build();
        InternalRaftRequest revoke = InternalRaftRequest.newBuilder().setHeader(header)
                .setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(5)).build();
        for (InternalRaftRequest request : List.of(put, revoke)) {
            Requests.Logged.ToStore logged = (Requests.Logged.ToStore) Requests
                    .logged(Bytes.of(request.toByteArray()));
            assertThat(logged.caller()).isEqualTo(new Caller("alice", 12));
        }
    }

    @Test
    void whatNoEtcdCouldApplyIsRefused() {
        Bytes nothing = Bytes.of(InternalRaftRequest.newBuilder().setPut(PutRequest.newBuilder()).setID(0).build()
                .toByteArray());
        assertThat(Requests.logged(nothing).id()).isZero();
        Bytes noId = Bytes.of(InternalRaftRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder()).build()
                .toByteArray());
        assertThatThrownBy(() -> Requests.logged(noId)).isInstanceOf(Invariant.Violation.class);
    }
}
