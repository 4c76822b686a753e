package dev.quoin.server;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.member.Failure;
import dev.quoin.member.ReadAnswer;
import dev.quoin.net.Call;
import dev.quoin.net.Handler;
import dev.quoin.net.Metadata;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.server.auth.Tokens;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;
import dev.quoin.store.Permission;
import dev.quoin.store.Records;
import dev.quoin.store.Refusal;
import dev.quoin.store.Store;
import dev.quoin.store.View;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Who makes a call is found out as etcd does, and what may be out of date is no reason to refuse. */
class AccessTest {
    private static final Status EMPTY = Errors.of(Refusal.USER_EMPTY);
    private static final Status DENIED = Errors.of(Refusal.PERMISSION_DENIED);
    private static final KeyRange FOO = KeyRange.single(Bytes.utf8("foo"));
    private static final Method METHOD = Method.hot("/a.B/C", Method.Kind.UNARY, new Handler() {
        @Override
        public void onMessage(Call call, Bytes message) {}
    });

    private final Store store = new Store(new Records() {
        private final List<Bytes> payloads = new ArrayList<>();

        @Override
        public long append(long revision, int sub, int kind, Bytes payload) {
            payloads.add(payload);
            return payloads.size() - 1L;
        }

        @Override
        public Bytes read(long position) {
            return payloads.get((int) position);
        }

        @Override
        public int length(long position) {
            return payloads.get((int) position).length();
        }
    }, 2);
    /** What each token is found to be. */
    private final Map<String, Tokens.Found> known = new HashMap<>();
    private final Tokens tokens = new Tokens() {
        @Override
        public Found find(String token, AuthView auth) {
            return known.getOrDefault(token, new Found.Nobodys());
        }

        @Override
        public String prefix() {
            return "";
        }

        @Override
        public String issue(AuthOutcome.Authenticated login) {
            return "";
        }

        @Override
        public void noted(long index, AuthOutcome outcome) {}

        @Override
        public void sweep() {}
    };
    /** What happens when it is asked what was acknowledged elsewhere. */
    private Runnable elsewhere = () -> {};
    private @Nullable Failure readFails;
    private int reads;
    private int turns;
    private final Access access = access(true);

    private Access access(boolean byCertificate) {
        return new Access(store::view, this::read, tokens, byCertificate, loop -> turns++);
    }

    private void read(ReadAnswer answer) {
        reads++;
        elsewhere.run();
        if (readFails == null) {
            answer.ready();
        } else {
            answer.failed(readFails);
        }
    }

    @BeforeEach
    void aStoreWithUsers() {
        store.restored();
        apply(new AuthCommand.UserAdd(Bytes.utf8("root"), Bytes.EMPTY, true));
        apply(new AuthCommand.UserGrantRole(Bytes.utf8("root"), Bytes.utf8("root")));
        apply(new AuthCommand.UserAdd(Bytes.utf8("alice"), Bytes.EMPTY, true));
        apply(new AuthCommand.RoleAdd(Bytes.utf8("reader")));
        apply(new AuthCommand.RoleGrantPermission(Bytes.utf8("reader"), new Permission(Permission.READ, FOO)));
    }

    private void apply(AuthCommand command) {
        assertThat(store.apply(new Command.Auth(command), new Caller("root", 0)))
                .isInstanceOf(Outcome.Auth.class);
        store.publish();
    }

    private void control() {
        apply(new AuthCommand.Enable());
        known.put("alices", new Tokens.Found.Of(as("alice")));
        known.put("roots", new Tokens.Found.Of(as("root")));
        known.put("new", new Tokens.Found.NotYet());
    }

    private Caller as(String name) {
        return new Caller(name, store.view().auth().revision());
    }

    private RecordedCall call(@Nullable String commonName, String... headers) {
        Metadata.Builder metadata = Metadata.builder();
        for (int i = 0; i < headers.length; i += 2) {
            metadata.add(headers[i], headers[i + 1]);
        }
        return new RecordedCall(METHOD, metadata.build(), commonName, Bytes.EMPTY);
    }

    /** The name under which the call goes on, or the status with which it ends. */
    private Object decided(Access of, Access.Word word, Access.Check check, RecordedCall call) throws Exception {
        List<Object> found = new ArrayList<>();
        of.decide(call, word, check, (view, caller) -> found.add(caller.name()));
        if (found.isEmpty()) {
            found.add(call.status());
        }
        assertThat(found).hasSize(1);
        return found.getFirst();
    }

    private Object who(RecordedCall call) throws Exception {
        return decided(access, Access.Word.OF_THE_MEMBER, Access.SOMEBODY, call);
    }

    @Test
    void nobodyIsAskedWhileAccessIsNotControlled() throws Exception {
        Access.Check never = (view, caller) -> {
            throw new AssertionError("asked");
        };
        assertThat(decided(access, Access.Word.OF_THE_LOG, never, call("alice", "token", "nonsense"))).isEqualTo("");
    }

    @Test
    void theTokenIsFoundWhereClientsPutIt() throws Exception {
        control();
        assertThat(who(call(null, "token", "alices"))).isEqualTo("alice");
        assertThat(who(call(null, "token", "Bearer alices"))).isEqualTo("alice");
        assertThat(who(call(null, "authorization", "alices"))).isEqualTo("alice");
        assertThat(who(call(null, "authorization", "Bearer alices"))).isEqualTo("alice");
        assertThat(who(call(null, "authorization", "roots", "token", "alices"))).isEqualTo("alice");
        assertThat(who(call(null))).isEqualTo(EMPTY);
    }

    @Test
    void aTokenThatIsNoneEndsTheCallWhateverElseItHas() throws Exception {
        control();
        assertThat(who(call("root", "token", "stolen"))).isEqualTo(Errors.INVALID_TOKEN);
        assertThat(who(call("root", "token", "", "authorization", "roots"))).isEqualTo(Errors.INVALID_TOKEN);
        assertThat(who(call("root", "authorization", "bearer roots"))).isEqualTo(Errors.INVALID_TOKEN);
        assertThat(reads).isZero();
    }

    @Test
    void cve201816886ACertificateCountsOnlyIfCertificatesAreAskedForAndNotByTheGateway() throws Exception {
        control();
        assertThat(who(call("alice"))).isEqualTo("alice");
        assertThat(who(call("alice", "token", "roots"))).isEqualTo("root");
        assertThat(decided(access(false), Access.Word.OF_THE_MEMBER, Access.SOMEBODY, call("alice")))
                .isEqualTo(EMPTY);
        assertThat(who(call("alice", "grpcgateway-accept", "*/*"))).isEqualTo(EMPTY);
        assertThat(who(call(""))).as("a name that is empty is none").isEqualTo(EMPTY);
    }

    @Test
    void aTokenNotHeardOfYetIsLookedForAgainOnceAllIsKnown() throws Exception {
        control();
        elsewhere = () -> known.put("new", new Tokens.Found.Of(as("alice")));
        assertThat(who(call(null, "token", "new"))).isEqualTo("alice");
        assertThat(reads).isEqualTo(1);
        assertThat(turns).isEqualTo(1);
        elsewhere = () -> {};
        known.put("new", new Tokens.Found.NotYet());
        assertThat(who(call(null, "token", "new"))).isEqualTo(Errors.INVALID_TOKEN);
        readFails = Failure.TIMEOUT;
        assertThat(who(call(null, "token", "new"))).isEqualTo(Errors.of(Failure.TIMEOUT));
    }

    @Test
    void whatTheLogDecidesIsRefusedOnlyWhenAllIsKnown() throws Exception {
        control();
        Access.Check reading = (view, caller) -> view.auth().checkRead(new Caller(caller.name(), 99), FOO);
        assertThat(decided(access, Access.Word.OF_THE_MEMBER, reading, call(null, "token", "alices")))
                .isEqualTo(DENIED);
        assertThat(reads).isZero();
        elsewhere = () -> apply(new AuthCommand.UserGrantRole(Bytes.utf8("alice"), Bytes.utf8("reader")));
        assertThat(decided(access, Access.Word.OF_THE_LOG, reading, call(null, "token", "alices")))
                .isEqualTo("alice");
        elsewhere = () -> apply(new AuthCommand.UserRevokeRole(Bytes.utf8("alice"), Bytes.utf8("reader")));
        assertThat(decided(access, Access.Word.OF_THE_LOG, reading, call(null, "token", "alices")))
                .as("who is permitted need not wait").isEqualTo("alice");
        assertThat(reads).isEqualTo(1);
    }

    @Test
    void controlOfAccessMayEndMeanwhile() throws Exception {
        control();
        elsewhere = () -> apply(new AuthCommand.Disable());
        assertThat(decided(access, Access.Word.OF_THE_LOG, Access.ROOT, call(null))).isEqualTo("");
    }

    @Test
    void handlersThatWaitAreToldTheSame() throws Exception {
        control();
        assertThat(access.permit(call(null, "token", "roots"), Access.Word.OF_THE_LOG, Access.ROOT).name())
                .isEqualTo("root");
        assertThatThrownBy(() -> access.permit(call(null, "token", "alices"), Access.Word.OF_THE_LOG, Access.ROOT))
                .isInstanceOfSatisfying(StatusException.class,
                        refused -> assertThat(refused.status()).isEqualTo(DENIED));
        assertThat(reads).isEqualTo(1);
        elsewhere = () -> known.put("new", new Tokens.Found.Of(as("root")));
        assertThat(access.permit(call(null, "token", "new"), Access.Word.OF_THE_MEMBER, Access.ROOT).name())
                .isEqualTo("root");
    }

    @Test
    void aReadIsRefusedToWhoComesFromTheFuture() throws Exception {
        control();
        apply(new AuthCommand.UserGrantRole(Bytes.utf8("alice"), Bytes.utf8("reader")));
        long now = store.view().auth().revision();
        for (long revision : new long[]{now - 1, now, now + 1}) {
            known.put("signed", new Tokens.Found.Of(new Caller("alice", revision)));
            assertThat(decided(access, Access.Word.OF_THE_MEMBER, Access.reading(FOO), call(null, "token", "signed")))
                    .isEqualTo(revision == now ? "alice" : Errors.of(Refusal.AUTH_OLD_REVISION));
        }
    }

    /** As in etcd: what touches no key needs nobody to ask for it. */
    @Test
    void aTransactionOfNothingIsForEverybody() throws Exception {
        control();
        Access.Check nothing = Access.reading(new Command.Txn(List.of(), List.of(), List.of()));
        assertThat(decided(access, Access.Word.OF_THE_MEMBER, nothing, call(null))).isEqualTo("");
        assertThat(decided(access, Access.Word.OF_THE_MEMBER, nothing, call(null, "token", "stolen")))
                .isEqualTo(Errors.INVALID_TOKEN);
    }

    @Test
    void underAnAlarmTheLogIsLeftToAnswer() throws Exception {
        control();
        Access.Check doing = Access.doing(new Command.DeleteRange(FOO, false));
        assertThat(decided(access, Access.Word.OF_THE_LOG, doing, call(null, "token", "alices"))).isEqualTo(DENIED);
        store.apply(new Command.Alarm(Command.Alarm.Action.ACTIVATE, 1, 1));
        store.publish();
        assertThat(decided(access, Access.Word.OF_THE_LOG, doing, call(null, "token", "alices")))
                .isEqualTo("alice");
    }

    @Test
    void aCallThatIsOverMeanwhileIsNotGivenToItsHandler() {
        control();
        List<Bytes> heard = new ArrayList<>();
        Method method = new AccessGate(access).before(
                Method.hot("/etcdserverpb.Maintenance/Defragment", Method.Kind.UNARY, new Handler() {
                    @Override
                    public void onMessage(Call call, Bytes message) {
                        heard.add(message);
                    }
                }));
        elsewhere = () -> known.put("new", new Tokens.Found.Of(as("root")));
        method.handler().onMessage(call(null, "token", "new"), Bytes.EMPTY);
        assertThat(heard).hasSize(1);
        known.put("new", new Tokens.Found.NotYet());
        RecordedCall over = call(null, "token", "new");
        elsewhere = () -> {
            known.put("new", new Tokens.Found.Of(as("root")));
            over.cancel();
        };
        method.handler().onMessage(over, Bytes.EMPTY);
        assertThat(heard).hasSize(1);
    }

    @Test
    void theGateDoesWhatTheTableSays() throws Exception {
        control();
        assertThat(gated("/etcdserverpb.Maintenance/Defragment")).containsExactly(EMPTY, DENIED, Status.OK);
        assertThat(gated("/etcdserverpb.Cluster/MemberRemove")).containsExactly(EMPTY, DENIED, Status.OK);
        assertThat(gated("/etcdserverpb.Maintenance/Status")).containsExactly(EMPTY, Status.OK, Status.OK);
        assertThat(gated("/etcdserverpb.Auth/Authenticate")).containsExactly(Status.OK, Status.OK, Status.OK);
        assertThat(reads).isZero();
        assertThat(gated("/etcdserverpb.Auth/UserDelete")).containsExactly(EMPTY, DENIED, Status.OK);
        assertThat(reads).isEqualTo(2);
    }

    /** What nobody, a user and root are answered. */
    private List<Status> gated(String path) throws Exception {
        Method method = new AccessGate(access).before(Method.hot(path, Method.Kind.UNARY, new Handler() {
            @Override
            public void onMessage(Call call, Bytes message) {
                call.finish(Status.OK);
            }
        }));
        return List.of(new RecordedCall(method, Bytes.EMPTY).status(),
                new RecordedCall(method, Metadata.of("token", "alices"), Bytes.EMPTY).status(),
                new RecordedCall(method, Metadata.of("token", "roots"), Bytes.EMPTY).status());
    }

    @Test
    void whatOneMemberPassesOnToAnotherNeedsRootsToken() {
        View before = store.view();
        assertThat(Access.isRoots(null, before, tokens)).isTrue();
        control();
        View view = store.view();
        assertThat(Access.isRoots(null, view, tokens)).isFalse();
        assertThat(Access.isRoots("alices", view, tokens)).isFalse();
        assertThat(Access.isRoots("new", view, tokens)).isFalse();
        assertThat(Access.isRoots("Bearer roots", view, tokens)).isTrue();
    }
}
