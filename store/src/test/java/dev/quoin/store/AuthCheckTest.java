package dev.quoin.store;

import java.util.List;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** Who may do what: the order of the reasons, and the ways around the check that others have found. */
class AuthCheckTest {
    /** Attached to it are {@code mine}, which the tenant may write, and {@code secret}, which is somebody else's. */
    private static final long SHARED_LEASE = 7;
    private static final long OWN_LEASE = 8;
    private static final AuthView.LeaseKeys LEASES = lease -> lease == SHARED_LEASE
            ? List.of(b("mine"), b("secret"))
            : lease == OWN_LEASE ? List.of(b("mine")) : List.of();

    private final Auth auth = AuthTest.open(new Buckets(payload -> {}));

    AuthCheckTest() {
        for (AuthCommand command : List.of(new AuthCommand.UserAdd(b("root"), Bytes.EMPTY, false),
                new AuthCommand.UserGrantRole(b("root"), b("root")),
                // The tenant may read and write "mine", only write "drop", and only read "public".
                new AuthCommand.UserAdd(b("tenant"), Bytes.EMPTY, false), new AuthCommand.RoleAdd(b("r")),
                new AuthCommand.UserGrantRole(b("tenant"), b("r")), permit(Permission.READWRITE, "mine", ""),
                permit(Permission.WRITE, "drop", ""), permit(Permission.READ, "public", ""),
                permit(Permission.READWRITE, "k", "m"),
                new AuthCommand.UserAdd(b("admin"), Bytes.EMPTY, false),
                new AuthCommand.UserGrantRole(b("admin"), b("root")), new AuthCommand.Enable())) {
            assertThat(auth.apply(command)).isNotInstanceOf(AuthOutcome.Refused.class);
        }
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static KeyRange key(String key) {
        return KeyRange.single(b(key));
    }

    private static KeyRange range(String key, String end) {
        return new KeyRange(b(key), b(end));
    }

    private static AuthCommand permit(int type, String key, String end) {
        return new AuthCommand.RoleGrantPermission(b("r"), new Permission(type, range(key, end)));
    }

    private Caller tenant() {
        return new Caller("tenant", auth.view().revision());
    }

    private static Command.Put put(String key, long lease, boolean prevKv) {
        return new Command.Put(b(key), b("v"), lease, prevKv, false, false);
    }

    private static Op putOp(String key) {
        return new Op.Put(put(key, 0, false));
    }

    private static Op get(String key) {
        return new Op.Range(Query.get(b(key)));
    }

    private static Op delete(KeyRange range, boolean prevKv) {
        return new Op.Delete(new Command.DeleteRange(range, prevKv));
    }

    private static Command.Txn txn(Op... ops) {
        return new Command.Txn(List.of(), List.of(ops), List.of());
    }

    private @Nullable Refusal check(Caller caller, Command.Txn txn) {
        return auth.view().check(caller, txn, LEASES);
    }

    // ---- the order

    /** A caller, and what it is told when it reads a key that no role of the tenant covers, and when only root may. */
    record Asking(String name, long revision, @Nullable Refusal key, @Nullable Refusal root) {}

    private static Stream<Asking> callers() {
        return Stream.of(new Asking("", 0, Refusal.USER_EMPTY, Refusal.USER_EMPTY),
                new Asking("root", 0, Refusal.USER_EMPTY, null),
                new Asking("x", 0, Refusal.USER_EMPTY, Refusal.USER_NOT_FOUND),
                new Asking("root", 1, Refusal.AUTH_OLD_REVISION, null),
                new Asking("x", 1, Refusal.AUTH_OLD_REVISION, Refusal.USER_NOT_FOUND),
                new Asking("", 13, Refusal.PERMISSION_DENIED, Refusal.USER_EMPTY),
                new Asking("x", 13, Refusal.PERMISSION_DENIED, Refusal.USER_NOT_FOUND),
                new Asking("tenant", 12, Refusal.PERMISSION_DENIED, Refusal.PERMISSION_DENIED),
                new Asking("tenant", 13, Refusal.PERMISSION_DENIED, Refusal.PERMISSION_DENIED),
                // Unsigned: this is the newest of all.
                new Asking("tenant", -1, Refusal.PERMISSION_DENIED, Refusal.PERMISSION_DENIED),
                new Asking("admin", 13, null, null), new Asking("root", -1, null, null));
    }

    @ParameterizedTest
    @MethodSource("callers")
    void theFirstReasonIsEtcds(Asking asking) {
        assertThat(auth.view().revision()).isEqualTo(12);
        Caller caller = new Caller(asking.name, asking.revision);
        assertThat(auth.view().checkRead(caller, key("secret"))).isEqualTo(asking.key);
        assertThat(auth.view().checkWrite(caller, key("secret"))).isEqualTo(asking.key);
        assertThat(check(caller, txn(get("secret")))).isEqualTo(asking.key);
        assertThat(auth.view().checkRoot(caller)).isEqualTo(asking.root);
    }

    @Test
    void nothingIsAskedWhileAccessIsNotControlled() {
        assertThat(auth.apply(new AuthCommand.Disable())).isEqualTo(new AuthOutcome.Disabled());
        assertThat(auth.view().checkWrite(Caller.NONE, KeyRange.everything())).isNull();
        assertThat(auth.view().checkRoot(Caller.NONE)).isNull();
        assertThat(auth.view().check(Caller.NONE, new Command.Auth(new AuthCommand.Enable()), LEASES)).isNull();
        assertThat(check(Caller.NONE, txn(putOp("secret")))).isNull();
    }

    @Test
    void whatTouchesNothingIsForEverybody() {
        assertThat(check(Caller.NONE, txn())).isNull();
        assertThat(check(Caller.NONE, txn(new Op.Unset(), new Op.Txn(txn())))).isNull();
        assertThat(auth.view().checkLeaseWrite(Caller.NONE, LEASES.attachedTo(99))).isNull();
    }

    // ---- keys

    @Test
    void readingAndWritingAreDifferentRights() {
        AuthView view = auth.view();
        assertThat(view.checkRead(tenant(), key("public"))).isNull();
        assertThat(view.checkWrite(tenant(), key("public"))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.checkWrite(tenant(), key("drop"))).isNull();
        assertThat(view.checkRead(tenant(), key("drop"))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.checkRead(tenant(), key("mine"))).isNull();
        assertThat(view.checkWrite(tenant(), key("mine"))).isNull();
    }

    @Test
    void aRangeMustBeCoveredToItsEnd() {
        AuthView view = auth.view();
        assertThat(view.checkRead(tenant(), range("k", "m"))).isNull();
        assertThat(view.checkRead(tenant(), range("l", "m"))).isNull();
        assertThat(view.checkRead(tenant(), range("k", "m\0"))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.checkRead(tenant(), KeyRange.from(b("k")))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.checkRead(tenant(), key("m"))).isEqualTo(Refusal.PERMISSION_DENIED);
    }

    @Test
    void ghsaXg4h6gfcH4m8WhoMayReadAKeyMayNotReadFromItOn() {
        AuthView view = auth.view();
        assertThat(view.checkRead(tenant(), KeyRange.from(b("mine")))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.checkRead(tenant(), new KeyRange(b("mine"), Bytes.of(new byte[1]))))
                .isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.checkRead(tenant(), range("mine", "mine\0"))).isNull();
    }

    @Test
    void rangesOfSeveralRolesAddUp() {
        for (AuthCommand command : List.of(new AuthCommand.RoleAdd(b("s")),
                new AuthCommand.UserGrantRole(b("tenant"), b("s")),
                new AuthCommand.RoleGrantPermission(b("s"), new Permission(Permission.READ, range("m", "p"))),
                new AuthCommand.RoleGrantPermission(b("s"), new Permission(Permission.READ, KeyRange.from(b("q")))),
                permit(Permission.READ, "n", "q"))) {
            assertThat(auth.apply(command)).isEqualTo(new AuthOutcome.Done());
        }
        assertThat(auth.view().checkRead(tenant(), KeyRange.from(b("k")))).isNull();
        assertThat(auth.view().checkWrite(tenant(), range("k", "p"))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(auth.view().checkRead(tenant(), KeyRange.everything())).isEqualTo(Refusal.PERMISSION_DENIED);
    }

    @Test
    void aKeyThatIsEmptyIsNobodysButRoots() {
        assertThat(auth.apply(new AuthCommand.RoleGrantPermission(b("r"),
                new Permission(Permission.READWRITE, KeyRange.everything())))).isEqualTo(new AuthOutcome.Done());
        assertThat(auth.view().checkRead(tenant(), KeyRange.everything())).isNull();
        assertThat(auth.view().checkRead(tenant(), key(""))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(auth.view().checkRead(tenant(), KeyRange.from(Bytes.EMPTY))).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(auth.view().checkRead(tenant(), range("", "z"))).isEqualTo(Refusal.PERMISSION_DENIED);
    }

    // ---- transactions

    @Test
    void aConditionReads() {
        Compare compare = Compare.number(key("secret"), Compare.Target.VERSION, Compare.Result.EQUAL, 0);
        assertThat(check(tenant(), new Command.Txn(List.of(compare), List.of(), List.of())))
                .isEqualTo(Refusal.PERMISSION_DENIED);
        Compare wide = Compare.number(range("k", "z"), Compare.Target.VERSION, Compare.Result.EQUAL, 0);
        assertThat(check(tenant(), new Command.Txn(List.of(wide), List.of(), List.of())))
                .isEqualTo(Refusal.PERMISSION_DENIED);
    }

    /** Steps that the tenant may not do, each for one reason. */
    private static List<Op> forbidden() {
        return List.of(get("secret"), new Op.Range(Query.of(KeyRange.from(b("mine")))), putOp("secret"),
                new Op.Put(put("drop", 0, true)), new Op.Put(put("mine", SHARED_LEASE, false)),
                delete(key("secret"), false), delete(key("drop"), true), delete(range("k", "z"), false));
    }

    /** Steps that it may do. */
    private static List<Op> allowed() {
        return List.of(get("public"), new Op.Put(put("mine", OWN_LEASE, true)), putOp("drop"),
                delete(key("drop"), false), delete(range("k", "m"), true), new Op.Unset());
    }

    private static Command.Txn nested(Op op, int depth, boolean failure) {
        List<Op> ops = List.of(get("public"), depth == 0 ? op : new Op.Txn(nested(op, depth - 1, !failure)));
        return failure ? new Command.Txn(List.of(), List.of(), ops) : new Command.Txn(List.of(), ops, List.of());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void cve202633343aStepMeansTheSameAtEveryDepth(int depth) {
        for (boolean failure : List.of(false, true)) {
            for (Op op : forbidden()) {
                assertThat(check(tenant(), nested(op, depth, failure))).as("%s", op)
                        .isEqualTo(Refusal.PERMISSION_DENIED);
                assertThat(check(new Caller("admin", 12), nested(op, depth, failure))).as("%s", op).isNull();
            }
            for (Op op : allowed()) {
                assertThat(check(tenant(), nested(op, depth, failure))).as("%s", op).isNull();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void cve202644283aPutReadsWhatItReplacesAndTouchesWhatItsLeaseHolds(int depth) {
        assertThat(check(tenant(), nested(new Op.Put(put("drop", 0, false)), depth, false))).isNull();
        assertThat(check(tenant(), nested(new Op.Put(put("drop", 0, true)), depth, false)))
                .isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(check(tenant(), nested(new Op.Put(put("drop", OWN_LEASE, false)), depth, false))).isNull();
        assertThat(check(tenant(), nested(new Op.Put(put("drop", SHARED_LEASE, false)), depth, false)))
                .isEqualTo(Refusal.PERMISSION_DENIED);
        // No such lease: that is for the put itself to find.
        assertThat(check(tenant(), nested(new Op.Put(put("drop", 99, false)), depth, false))).isNull();
    }

    @Test
    void theSameOutsideOfTransactions() {
        AuthView view = auth.view();
        assertThat(view.check(tenant(), put("mine", OWN_LEASE, true), LEASES)).isNull();
        assertThat(view.check(tenant(), put("secret", 0, false), LEASES)).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.check(tenant(), put("drop", 0, true), LEASES)).isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.check(tenant(), put("mine", SHARED_LEASE, false), LEASES))
                .isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.check(tenant(), new Command.DeleteRange(key("drop"), false), LEASES)).isNull();
        assertThat(view.check(tenant(), new Command.DeleteRange(key("drop"), true), LEASES))
                .isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.check(tenant(), new Command.DeleteRange(KeyRange.everything(), false), LEASES))
                .isEqualTo(Refusal.PERMISSION_DENIED);
    }

    // ---- leases

    @Test
    void aLeaseIsWhoseItsKeysAre() {
        AuthView view = auth.view();
        assertThat(view.checkLeaseWrite(tenant(), LEASES.attachedTo(OWN_LEASE))).isNull();
        assertThat(view.checkLeaseWrite(tenant(), LEASES.attachedTo(SHARED_LEASE)))
                .isEqualTo(Refusal.PERMISSION_DENIED);
        assertThat(view.checkLeaseRead(tenant(), List.of(b("mine"), b("public")))).isNull();
        assertThat(view.checkLeaseRead(tenant(), List.of(b("drop")))).isEqualTo(Refusal.PERMISSION_DENIED);
        // Root may, however long ago it was identified; others must be known.
        assertThat(view.checkLeaseWrite(new Caller("root", 1), LEASES.attachedTo(SHARED_LEASE))).isNull();
        assertThat(view.checkLeaseWrite(Caller.NONE, LEASES.attachedTo(OWN_LEASE))).isEqualTo(Refusal.USER_EMPTY);
        assertThat(view.checkLeaseWrite(new Caller("tenant", 1), LEASES.attachedTo(OWN_LEASE)))
                .isEqualTo(Refusal.AUTH_OLD_REVISION);
    }

    // ---- users and roles

    /** A command, and what nobody, a user whom nobody knows, the tenant and root are told. */
    record Administering(AuthCommand command, @Nullable Refusal nobody, @Nullable Refusal unknown,
            @Nullable Refusal tenant) {}

    private static Administering forRoot(AuthCommand command) {
        return new Administering(command, Refusal.USER_EMPTY, Refusal.USER_NOT_FOUND, Refusal.PERMISSION_DENIED);
    }

    private static Administering forAll(AuthCommand command) {
        return new Administering(command, null, null, null);
    }

    private static Stream<Administering> commands() {
        return Stream.of(forRoot(new AuthCommand.Enable()), forRoot(new AuthCommand.Disable()),
                forAll(new AuthCommand.Status()), forAll(new AuthCommand.Authenticate(b("tenant"), b("t"))),
                forRoot(new AuthCommand.UserAdd(b("w"), Bytes.EMPTY, false)),
                forRoot(new AuthCommand.UserDelete(b("tenant"))),
                forRoot(new AuthCommand.UserChangePassword(b("tenant"), Bytes.EMPTY)),
                forRoot(new AuthCommand.UserGrantRole(b("tenant"), b("root"))),
                forRoot(new AuthCommand.UserRevokeRole(b("tenant"), b("r"))), forRoot(new AuthCommand.UserList()),
                forRoot(new AuthCommand.UserGet(b("admin"))),
                new Administering(new AuthCommand.UserGet(b("tenant")), Refusal.USER_EMPTY, Refusal.USER_NOT_FOUND,
                        null),
                // Nobody asks for itself, as etcd sees it; there is no such user.
                new Administering(new AuthCommand.UserGet(Bytes.EMPTY), null, Refusal.USER_NOT_FOUND,
                        Refusal.PERMISSION_DENIED),
                new Administering(new AuthCommand.UserGet(b("x")), Refusal.USER_EMPTY, null,
                        Refusal.PERMISSION_DENIED),
                forRoot(new AuthCommand.RoleAdd(b("t"))), forRoot(new AuthCommand.RoleDelete(b("r"))),
                forRoot(new AuthCommand.RoleList()), forRoot(new AuthCommand.RoleGet(b("s"))),
                new Administering(new AuthCommand.RoleGet(b("r")), Refusal.USER_EMPTY, Refusal.USER_NOT_FOUND, null),
                forRoot(permit(Permission.READ, "a", "b")), forRoot(new AuthCommand.RoleGrantPermission(b("r"), null)),
                forRoot(new AuthCommand.RoleRevokePermission(b("r"), key("mine"))));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void usersAndRolesAreRootsAndTheirOwn(Administering row) {
        AuthView view = auth.view();
        assertThat(view.check(Caller.NONE, new Command.Auth(row.command), LEASES)).isEqualTo(row.nobody);
        assertThat(view.check(new Caller("x", 12), new Command.Auth(row.command), LEASES)).isEqualTo(row.unknown);
        assertThat(view.check(tenant(), new Command.Auth(row.command), LEASES)).isEqualTo(row.tenant);
        assertThat(view.check(new Caller("tenant", 0), new Command.Auth(row.command), LEASES)).isEqualTo(row.tenant);
        assertThat(view.check(new Caller("admin", 1), new Command.Auth(row.command), LEASES)).isNull();
    }
}
