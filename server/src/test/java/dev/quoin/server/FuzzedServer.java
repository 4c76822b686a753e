package dev.quoin.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.authpb.Permission;
import dev.quoin.api.authpb.UserAddOptions;
import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AuthDisableRequest;
import dev.quoin.api.etcdserverpb.AuthEnableRequest;
import dev.quoin.api.etcdserverpb.AuthRoleAddRequest;
import dev.quoin.api.etcdserverpb.AuthRoleGrantPermissionRequest;
import dev.quoin.api.etcdserverpb.AuthUserAddRequest;
import dev.quoin.api.etcdserverpb.AuthUserGrantRoleRequest;
import dev.quoin.api.etcdserverpb.AuthenticateRequest;
import dev.quoin.api.etcdserverpb.AuthenticateResponse;
import dev.quoin.api.etcdserverpb.DowngradeRequest;
import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.v3electionpb.CampaignRequest;
import dev.quoin.api.v3lockpb.LockRequest;
import dev.quoin.base.Bytes;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.net.InnerCall;
import dev.quoin.net.Metadata;
import dev.quoin.net.Peer;
import dev.quoin.net.Status;
import dev.quoin.server.config.Flags;
import dev.quoin.store.View;

/**
 * A whole server of one member, its disk in memory, asked from inside the process: a few keys, two leases, a lock, an election, the
 * users root and alice. What is asked of it may leave it another one; then the next question is for a new one.
 */
final class FuzzedServer {
    /** Longer than a server tries. */
    static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
    /** With which it is waited for what may never come. */
    static final long SHORT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    /** What was put by earlier inputs is in the way of nobody for so long. */
    private static final int INPUTS_MAX = 500;
    private static final int INPUTS_BETWEEN_FILLS = 20;
    private static final Peer PEER = new Peer(new InetSocketAddress(0), false, null);
    private static final List<String> FLAGS = List.of("--name=m", "--data-dir=/fuzzed",
            "--initial-cluster=m=http://127.0.0.1:0", "--listen-peer-urls=http://127.0.0.1:0",
            "--initial-advertise-peer-urls=http://127.0.0.1:0", "--listen-client-urls=http://127.0.0.1:0",
            "--advertise-client-urls=http://127.0.0.1:0", "--bcrypt-cost=4",
            "--heartbeat-interval=10", "--election-timeout=100");
    private static final String AUTH = "/etcdserverpb.Auth/";

    /** How a call ended, and the last that it answered before. */
    record Ended(Status status, Bytes last) {}

    private final boolean isControlled;
    private final AtomicReference<@Nullable Throwable> halted = new AtomicReference<>();
    private final Server server;
    private String rootsToken = "";
    private String alicesToken = "";
    private int inputs;
    /** The revision of users at which they were as they are meant to be. */
    private long usersKnown;

    /** @param isControlled whether access is */
    FuzzedServer(boolean isControlled) {
        this.isControlled = isControlled;
        server = started();
        admit();
        if (isControlled) {
            control();
        }
        fill(PATIENCE_NANOS);
        usersKnown = server.member().view().auth().revision();
    }

    private Server started() {
        try {
            if (!(Flags.read(FLAGS.toArray(String[]::new), Map.of()) instanceof Flags.Wish.Start(Flags flags))) {
                throw new AssertionError("these flags start nothing: " + FLAGS);
            }
            FaultyDisk disk = new FaultyDisk(new SplittableRandom(0));
            disk.shortTransfers(false);
            return Server.start(ServerConfig.of(flags), disk, new RealClock(),
                    (where, why) -> halted.compareAndSet(null, new AssertionError(where, why)), () -> {});
        } catch (Exception failed) {
            throw new AssertionError("no server to ask", failed);
        }
    }

    /**
     * Whatever is there already stays as it is.
     *
     * @param patienceNanos with which it waits for lock and election, which somebody else may have by now
     */
    private void fill(long patienceNanos) {
        for (long lease = 1; lease <= 2; lease++) {
            asked("/etcdserverpb.Lease/LeaseGrant", asRoot(),
                    LeaseGrantRequest.newBuilder().setID(lease).setTTL(3_600).build());
        }
        for (String key : List.of("a", "b", "c", "b")) {
            asked("/etcdserverpb.KV/Put", asRoot(), PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key))
                    .setValue(ByteString.copyFromUtf8("value")).setLease(key.equals("c") ? 1 : 0).build());
        }
        asked("/v3lockpb.Lock/Lock", asRoot(),
                LockRequest.newBuilder().setName(ByteString.copyFromUtf8("lock")).setLease(2).build(), patienceNanos);
        asked("/v3electionpb.Election/Campaign", asRoot(), CampaignRequest.newBuilder()
                .setName(ByteString.copyFromUtf8("election")).setLease(2).build(), patienceNanos);
    }

    private void admit() {
        for (String role : List.of("root", "reader")) {
            asked(AUTH + "RoleAdd", asRoot(), AuthRoleAddRequest.newBuilder().setName(role).build());
        }
        asked(AUTH + "RoleGrantPermission", asRoot(), AuthRoleGrantPermissionRequest.newBuilder().setName("reader")
                .setPerm(Permission.newBuilder().setPermType(Permission.Type.READWRITE)
                        .setKey(ByteString.copyFromUtf8("a")).setRangeEnd(ByteString.copyFromUtf8("c")))
                .build());
        for (String user : List.of("root", "alice")) {
            asked(AUTH + "UserAdd", asRoot(), AuthUserAddRequest.newBuilder().setName(user).setPassword("secret")
                    .setOptions(UserAddOptions.getDefaultInstance()).build());
            asked(AUTH + "UserGrantRole", asRoot(), AuthUserGrantRoleRequest.newBuilder().setUser(user)
                    .setRole(user.equals("root") ? "root" : "reader").build());
        }
    }

    /** Their token, or a text that is none, if they are not who they were. */
    private String login(String user) {
        Ended answer = asked(AUTH + "Authenticate", Metadata.EMPTY,
                AuthenticateRequest.newBuilder().setName(user).setPassword("secret").build());
        try {
            return AuthenticateResponse.parseFrom(answer.last().toByteArray()).getToken();
        } catch (InvalidProtocolBufferException unreadable) {
            throw new AssertionError(unreadable);
        }
    }

    private Ended asked(String path, Metadata headers, MessageLite request) {
        return asked(path, headers, request, PATIENCE_NANOS);
    }

    private Ended asked(String path, Metadata headers, MessageLite request, long patienceNanos) {
        try {
            InnerCall call = open(path, headers, patienceNanos);
            call.send(Bytes.of(request.toByteArray()));
            call.halfClose();
            return ended(call);
        } catch (InterruptedException stopped) {
            throw new AssertionError(stopped);
        }
    }

    InnerCall open(String path, Metadata headers, long patienceNanos) {
        return server.calls().open(path, headers, PEER, System.nanoTime() + patienceNanos);
    }

    /** Reads all that is answered. */
    static Ended ended(InnerCall call) throws InterruptedException {
        Bytes last = Bytes.EMPTY;
        while (true) {
            switch (call.receive()) {
                case InnerCall.Received.Ended(Status status) -> {
                    return new Ended(status, last);
                }
                case InnerCall.Received.Message message -> last = content(message, last);
            }
        }
    }

    /** One that breaks off is followed by the end of the call, which says why. */
    private static Bytes content(InnerCall.Received.Message message, Bytes otherwise) {
        try {
            return Bytes.of(message.content().readAllBytes());
        } catch (IOException brokenOff) {
            return otherwise;
        }
    }

    // ---- as inputs find it

    long memberId() {
        return server.member().memberId();
    }

    Metadata asRoot() {
        return isControlled ? Metadata.of("token", rootsToken) : Metadata.EMPTY;
    }

    Metadata asAlice() {
        return isControlled ? Metadata.of("token", alicesToken) : Metadata.EMPTY;
    }

    /** Puts something, and reads it; null, or what the first was answered that did not go well. */
    @Nullable
    Status refusal() {
        ByteString key = ByteString.copyFromUtf8("a");
        Status put = asked("/etcdserverpb.KV/Put", asRoot(),
                PutRequest.newBuilder().setKey(key).setValue(ByteString.copyFromUtf8("value")).build()).status();
        if (!put.isOk()) {
            return put;
        }
        Status got = asked("/etcdserverpb.KV/Range", asRoot(), RangeRequest.newBuilder().setKey(key).build()).status();
        return got.isOk() ? null : got;
    }

    /** What kept the member from going on. */
    @Nullable
    Throwable halted() {
        return halted.get();
    }

    /** Whether one member is all of the cluster; if not, nobody may be left who agrees to anything. */
    boolean isAlone() {
        return server.member().membership().members().size() == 1;
    }

    private boolean isAsItWas() {
        View view = server.member().view();
        return isAlone() && view.alarms().isEmpty() && view.auth().enabled() == isControlled
                && server.member().membership().downgradeTarget().isEmpty();
    }

    /**
     * Takes back what would be in the way of the next input, which is cheaper than another server.
     *
     * @return whether that could be done
     */
    boolean isMadeReady() {
        if (++inputs >= INPUTS_MAX || !isAlone()) {
            return false;
        }
        if (inputs % INPUTS_BETWEEN_FILLS == 0) {
            fill(SHORT_NANOS);
        }
        View view = server.member().view();
        if (view.auth().revision() == usersKnown && isAsItWas()) {
            return true;
        }
        if (view.auth().enabled() != isControlled) {
            controlAgain();
        }
        view.alarms().forEach(alarm -> asked("/etcdserverpb.Maintenance/Alarm", asRoot(),
                AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.DEACTIVATE).setMemberID(alarm.memberId())
                        .setAlarmValue(alarm.type()).build()));
        if (!server.member().membership().downgradeTarget().isEmpty()) {
            asked("/etcdserverpb.Maintenance/Downgrade", asRoot(), DowngradeRequest.newBuilder()
                    .setAction(DowngradeRequest.DowngradeAction.CANCEL).build());
        }
        admit();
        alicesToken = isControlled ? login("alice") : "";
        usersKnown = server.member().view().auth().revision();
        return isAsItWas();
    }

    private void controlAgain() {
        if (!isControlled) {
            asked(AUTH + "AuthDisable", Metadata.of("token", login("root")), AuthDisableRequest.getDefaultInstance());
            return;
        }
        control();
    }

    private void control() {
        asked(AUTH + "AuthEnable", Metadata.EMPTY, AuthEnableRequest.getDefaultInstance());
        rootsToken = login("root");
        alicesToken = login("alice");
    }

    void stop() throws InterruptedException {
        server.stop();
    }
}
