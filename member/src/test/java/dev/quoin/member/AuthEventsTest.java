package dev.quoin.member;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import com.google.protobuf.MessageLite;
import org.junit.jupiter.api.Test;

import dev.quoin.api.authpb.UserAddOptions;
import dev.quoin.api.etcdserverpb.AuthDisableRequest;
import dev.quoin.api.etcdserverpb.AuthEnableRequest;
import dev.quoin.api.etcdserverpb.AuthUserAddRequest;
import dev.quoin.api.etcdserverpb.AuthUserDeleteRequest;
import dev.quoin.api.etcdserverpb.AuthUserGrantRoleRequest;
import dev.quoin.api.etcdserverpb.InternalAuthenticateRequest;
import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.raft.LogLine;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.Caller;
import dev.quoin.store.Outcome;

import static org.assertj.core.api.Assertions.assertThat;

/** What is done to users is told in the order of the log, with the place of its entry, before it is answered or said to be applied. */
class AuthEventsTest {
    private final List<String> told = new ArrayList<>();
    private long nanos;

    /** Notes what it is told, and what could be seen then. */
    private final class Noting implements Events {
        @Override
        public void auth(long index, AuthOutcome outcome) {
            assertThat(member.appliedIndex()).isLessThan(index);
            told.add(index + " " + outcome);
        }

        @Override
        public void damaged(Damaged damage) {
            throw damage;
        }

        @Override
        public void repaired(String what) {
            throw new AssertionError(what);
        }

        @Override
        public void housekeepingRefused(DiskFailure failure) {
            throw failure;
        }

        @Override
        public void changeRefused(String why) {
            throw new AssertionError(why);
        }

        @Override
        public void changeRejected(String arithmetic) {
            throw new AssertionError(arithmetic);
        }

        @Override
        public void forced(String what) {
            throw new AssertionError(what);
        }

        @Override
        public void consensus(LogLine line) {}

        @Override
        public void removed(String why) {
            throw new AssertionError(why);
        }

        @Override
        public void diskHangs(long hangs) {
            throw new AssertionError("the disk hangs");
        }

        @Override
        public void diskFull(DiskFailure failure) {
            throw failure;
        }

        @Override
        public void diskHasRoom() {}

        @Override
        public void quotaFills(int percent, long bytesInUse, long quotaBytes) {}

        @Override
        public void alarmLifted() {}
    }

    private final Member member = Member.open(
            MemberConfig.alone("m", Path.of("/data"), List.of("http://localhost:2380"),
                    List.of("http://localhost:2379"), "etcd-cluster", "3.7.1", MemberLimits.DEFAULT),
            new FaultyDisk(new Random(7)), new Clock() {
                @Override
                public long nanos() {
                    return nanos;
                }

                @Override
                public Instant now() {
                    return Instant.ofEpochMilli(1_700_000_000_000L).plusNanos(nanos);
                }
            }, bound -> 0, Network.NONE, new Noting());

    private String ask(Requests.Kind kind, MessageLite request, Caller caller) {
        List<String> answer = new ArrayList<>();
        member.propose(List.of(member.prepare(kind, Bytes.of(request.toByteArray()), caller, new Answer() {
            @Override
            public void outcome(Outcome outcome) {
                answer.add(outcome instanceof Outcome.Refused(var why) ? why.name() : told.getLast());
            }

            @Override
            public void failed(Failure failure) {
                answer.add(failure.name());
            }
        })));
        for (int round = 0; round < 600 && answer.isEmpty(); round++) {
            nanos += Duration.ofMillis(5).toNanos();
            member.actors().values().forEach(Actor::turn);
        }
        assertThat(answer).hasSize(1);
        return answer.getFirst();
    }

    private String ask(Requests.Kind kind, MessageLite request) {
        return ask(kind, request, Caller.NONE);
    }

    @Test
    void everyMemberIsToldWhatBecomesOfUsers() {
        ask(Requests.Kind.AUTH_USER_ADD, AuthUserAddRequest.newBuilder().setName("root")
                .setOptions(UserAddOptions.newBuilder().setNoPassword(true)).build());
        ask(Requests.Kind.AUTH_USER_ADD, AuthUserAddRequest.newBuilder().setName("alice")
                .setHashedPassword("aGFzaA==").build());
        ask(Requests.Kind.AUTH_USER_GRANT_ROLE,
                AuthUserGrantRoleRequest.newBuilder().setUser("root").setRole("root").build());
        told.clear();
        ask(Requests.Kind.AUTH_ENABLE, AuthEnableRequest.getDefaultInstance());
        long enabled = member.appliedIndex();
        assertThat(told).containsExactly(enabled + " Enabled[]");
        assertThat(ask(Requests.Kind.AUTHENTICATE,
                InternalAuthenticateRequest.newBuilder().setName("alice").setSimpleToken("letters").build()))
                .isEqualTo(enabled + 1 + " Authenticated[\"alice\", 4]");
        told.clear();
        assertThat(ask(Requests.Kind.AUTH_USER_DELETE,
                AuthUserDeleteRequest.newBuilder().setName("alice").build())).isEqualTo("USER_EMPTY");
        assertThat(ask(Requests.Kind.AUTH_USER_DELETE, AuthUserDeleteRequest.newBuilder().setName("alice").build(),
                new Caller("alice", 4))).isEqualTo("PERMISSION_DENIED");
        assertThat(told).isEmpty();
        Caller root = member.ownName();
        assertThat(root).isEqualTo(new Caller("root", 4));
        ask(Requests.Kind.AUTH_USER_DELETE, AuthUserDeleteRequest.newBuilder().setName("alice").build(), root);
        ask(Requests.Kind.AUTH_DISABLE, AuthDisableRequest.getDefaultInstance(), root);
        assertThat(told).containsExactly(enabled + 4 + " LoggedOut[user=\"alice\"]", enabled + 5 + " Disabled[]");
        assertThat(member.ownName()).isEqualTo(Caller.NONE);
        member.close();
    }
}
