package dev.quoin.store;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

/** What every command about users and roles does, and each reason for which it does nothing. */
class AuthTest {
    private static final KeyRange A_TO_C = range("a", "c");
    private static final Permission READ_A_TO_C = new Permission(Permission.READ, A_TO_C);
    /** Users root, u and n (without password), roles r and s; u holds r, which may read from a to c; all is controlled. */
    private static final List<AuthCommand> CONTROLLED = List.of(addUser("root"), grant("root", "root"), addUser("u"),
            new AuthCommand.UserAdd(b("n"), Bytes.EMPTY, true), addRole("r"), addRole("s"), grant("u", "r"),
            new AuthCommand.RoleGrantPermission(b("r"), READ_A_TO_C), new AuthCommand.Enable());

    private final List<Bytes> journal = new ArrayList<>();
    private final Buckets buckets = new Buckets(journal::add);
    private final Auth auth = open(buckets);

    /** Of a store that was just opened. */
    static Auth open(Buckets buckets) {
        Auth auth = new Auth(buckets);
        auth.reload();
        return auth;
    }

    private static Bytes b(String text) {
        return Bytes.utf8(text);
    }

    private static KeyRange range(String key, String end) {
        return new KeyRange(b(key), b(end));
    }

    private static Bytes base64(String password) {
        return Bytes.of(Base64.getEncoder().encode(password.getBytes(StandardCharsets.UTF_8)));
    }

    private static AuthCommand addUser(String name) {
        return new AuthCommand.UserAdd(b(name), base64("hash of " + name), false);
    }

    private static AuthCommand addRole(String name) {
        return new AuthCommand.RoleAdd(b(name));
    }

    private static AuthCommand grant(String user, String role) {
        return new AuthCommand.UserGrantRole(b(user), b(role));
    }

    private static AuthCommand permit(String role, Permission permission) {
        return new AuthCommand.RoleGrantPermission(b(role), permission);
    }

    private static AuthCommand permit(String role, String key, String end) {
        return permit(role, new Permission(Permission.WRITE, range(key, end)));
    }

    private void apply(List<AuthCommand> commands) {
        for (AuthCommand command : commands) {
            assertThat(auth.apply(command)).as("%s", command).isNotInstanceOf(AuthOutcome.Refused.class);
        }
    }

    private static User user(Auth auth, String name) {
        User user = auth.view().user(b(name));
        assertThat(user).isNotNull();
        return user;
    }

    // ---- refusals

    /** A command that is refused after the others were done. */
    record Refusing(List<AuthCommand> before, AuthCommand command, Refusal reason) {}

    private static Refusing onNew(AuthCommand command, Refusal reason) {
        return new Refusing(List.of(), command, reason);
    }

    private static Refusing onControlled(AuthCommand command, Refusal reason) {
        return new Refusing(CONTROLLED, command, reason);
    }

    private static Stream<Refusing> refusals() {
        return Stream.of(onNew(new AuthCommand.Enable(), Refusal.ROOT_USER_NOT_EXIST),
                new Refusing(List.of(addUser("root"), addRole("root")), new AuthCommand.Enable(),
                        Refusal.ROOT_ROLE_NOT_EXIST),
                onNew(new AuthCommand.Authenticate(b("u"), b("t")), Refusal.AUTH_NOT_ENABLED),
                onControlled(new AuthCommand.Authenticate(b("x"), b("t")), Refusal.AUTH_FAILED),
                onControlled(new AuthCommand.Authenticate(b("n"), b("t")), Refusal.AUTH_FAILED),
                onNew(addUser(""), Refusal.USER_EMPTY),
                onControlled(addUser("u"), Refusal.USER_ALREADY_EXIST),
                onNew(new AuthCommand.UserAdd(b("u"), b("?"), false), Refusal.NO_PASSWORD_USER),
                onControlled(new AuthCommand.UserAdd(b("u"), b("?"), false), Refusal.USER_ALREADY_EXIST),
                onControlled(new AuthCommand.UserDelete(b("root")), Refusal.INVALID_AUTH_MANAGEMENT),
                onNew(new AuthCommand.UserDelete(b("root")), Refusal.USER_NOT_FOUND),
                onControlled(new AuthCommand.UserDelete(b("x")), Refusal.USER_NOT_FOUND),
                onNew(new AuthCommand.UserGet(b("x")), Refusal.USER_NOT_FOUND),
                onNew(new AuthCommand.UserGet(Bytes.EMPTY), Refusal.USER_NOT_FOUND),
                onNew(new AuthCommand.UserChangePassword(b("x"), b("?")), Refusal.USER_NOT_FOUND),
                onControlled(new AuthCommand.UserChangePassword(b("u"), b("?")), Refusal.NO_PASSWORD_USER),
                onControlled(grant("x", "r"), Refusal.USER_NOT_FOUND),
                onControlled(grant("x", "x"), Refusal.USER_NOT_FOUND),
                onControlled(grant("u", "x"), Refusal.ROLE_NOT_FOUND),
                onControlled(new AuthCommand.UserRevokeRole(b("root"), b("root")), Refusal.INVALID_AUTH_MANAGEMENT),
                onNew(new AuthCommand.UserRevokeRole(b("root"), b("root")), Refusal.USER_NOT_FOUND),
                onControlled(new AuthCommand.UserRevokeRole(b("x"), b("r")), Refusal.USER_NOT_FOUND),
                onControlled(new AuthCommand.UserRevokeRole(b("u"), b("s")), Refusal.ROLE_NOT_GRANTED),
                onControlled(new AuthCommand.UserRevokeRole(b("u"), b("x")), Refusal.ROLE_NOT_GRANTED),
                onNew(addRole(""), Refusal.ROLE_EMPTY),
                onControlled(addRole("r"), Refusal.ROLE_ALREADY_EXIST),
                onControlled(new AuthCommand.RoleDelete(b("root")), Refusal.INVALID_AUTH_MANAGEMENT),
                onNew(new AuthCommand.RoleDelete(b("root")), Refusal.ROLE_NOT_FOUND),
                onControlled(new AuthCommand.RoleDelete(b("x")), Refusal.ROLE_NOT_FOUND),
                onControlled(new AuthCommand.RoleGet(b("x")), Refusal.ROLE_NOT_FOUND),
                // The role is held, but was never added.
                onControlled(new AuthCommand.RoleGet(b("root")), Refusal.ROLE_NOT_FOUND),
                onControlled(new AuthCommand.RoleGrantPermission(b("x"), null), Refusal.PERMISSION_NOT_GIVEN),
                onControlled(permit("x", "", ""), Refusal.INVALID_AUTH_MANAGEMENT),
                onControlled(permit("r", "", "\0"), Refusal.INVALID_AUTH_MANAGEMENT),
                onControlled(permit("r", "b", "b"), Refusal.INVALID_AUTH_MANAGEMENT),
                onControlled(permit("r", "b", "a"), Refusal.INVALID_AUTH_MANAGEMENT),
                onControlled(permit("x", "a", "b"), Refusal.ROLE_NOT_FOUND),
                onControlled(new AuthCommand.RoleRevokePermission(b("x"), A_TO_C), Refusal.ROLE_NOT_FOUND),
                onControlled(new AuthCommand.RoleRevokePermission(b("r"), range("a", "b")),
                        Refusal.PERMISSION_NOT_GRANTED),
                onControlled(new AuthCommand.RoleRevokePermission(b("s"), A_TO_C), Refusal.PERMISSION_NOT_GRANTED));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refusesAndChangesNothing(Refusing row) {
        apply(row.before);
        List<Bytes> before = List.copyOf(journal);
        AuthView view = auth.view();
        assertThat(auth.apply(row.command)).isEqualTo(new AuthOutcome.Refused(row.reason));
        assertThat(journal).isEqualTo(before);
        assertThat(auth.view()).isSameAs(view);
    }

    @Test
    void theTableNamesEveryRefusalThatIsNotOfTheCheck() {
        Set<Refusal> named = EnumSet.noneOf(Refusal.class);
        refusals().forEach(row -> named.add(row.reason));
        assertThat(named).isEqualTo(EnumSet.of(Refusal.ROOT_USER_NOT_EXIST, Refusal.ROOT_ROLE_NOT_EXIST,
                Refusal.USER_ALREADY_EXIST, Refusal.USER_EMPTY, Refusal.USER_NOT_FOUND, Refusal.ROLE_ALREADY_EXIST,
                Refusal.ROLE_NOT_FOUND, Refusal.ROLE_EMPTY, Refusal.PERMISSION_NOT_GIVEN, Refusal.AUTH_FAILED,
                Refusal.NO_PASSWORD_USER, Refusal.ROLE_NOT_GRANTED, Refusal.PERMISSION_NOT_GRANTED,
                Refusal.AUTH_NOT_ENABLED, Refusal.INVALID_AUTH_MANAGEMENT));
    }

    // ---- the revision

    /** What a command that is done does to the revision, after the users and roles above are there. */
    record Counting(AuthCommand command, int raise, AuthOutcome outcome) {}

    private static Stream<Counting> counted() {
        AuthOutcome done = new AuthOutcome.Done();
        return Stream.of(new Counting(new AuthCommand.Enable(), 0, new AuthOutcome.Enabled()),
                new Counting(new AuthCommand.Disable(), 1, new AuthOutcome.Disabled()),
                new Counting(new AuthCommand.Status(), 0, new AuthOutcome.Status(true, 9)),
                new Counting(new AuthCommand.Authenticate(b("u"), b("t")), 0,
                        new AuthOutcome.Authenticated(b("u"), b("t"), 9)),
                new Counting(addUser("w"), 1, done),
                new Counting(new AuthCommand.UserAdd(b("w"), b("ignored!"), true), 1, done),
                new Counting(new AuthCommand.UserDelete(b("u")), 1, new AuthOutcome.LoggedOut(b("u"))),
                new Counting(new AuthCommand.UserGet(b("u")), 0, new AuthOutcome.UserRoles(List.of(b("r")))),
                new Counting(new AuthCommand.UserList(), 0,
                        new AuthOutcome.Users(List.of(b("n"), b("root"), b("u")))),
                new Counting(new AuthCommand.UserChangePassword(b("u"), base64("new")), 1,
                        new AuthOutcome.LoggedOut(b("u"))),
                new Counting(new AuthCommand.UserChangePassword(b("n"), b("ignored!")), 1,
                        new AuthOutcome.LoggedOut(b("n"))),
                new Counting(grant("u", "s"), 1, done), new Counting(grant("u", "r"), 0, done),
                new Counting(grant("u", "root"), 1, done),
                new Counting(new AuthCommand.UserRevokeRole(b("u"), b("r")), 1, done),
                new Counting(addRole("q"), 1, done), new Counting(addRole("root"), 1, done),
                new Counting(new AuthCommand.RoleDelete(b("r")), 1, done),
                new Counting(new AuthCommand.RoleGet(b("r")), 0,
                        new AuthOutcome.RolePermissions(List.of(READ_A_TO_C))),
                new Counting(new AuthCommand.RoleList(), 0, new AuthOutcome.Roles(List.of(b("r"), b("s")))),
                new Counting(permit("r", "x", "y"), 1, done), new Counting(permit("r", READ_A_TO_C), 1, done),
                new Counting(new AuthCommand.RoleRevokePermission(b("r"), A_TO_C), 1, done));
    }

    @ParameterizedTest
    @MethodSource("counted")
    void everyChangeRaisesTheRevisionByOne(Counting row) {
        apply(CONTROLLED);
        assertThat(auth.view().revision()).isEqualTo(9);
        assertThat(auth.apply(row.command)).isEqualTo(row.outcome);
        assertThat(auth.view().revision()).isEqualTo(9 + row.raise);
        assertThat(buckets.get(Bucket.AUTH, b("authRevision"))).isEqualTo(
                Bytes.of(new byte[]{0, 0, 0, 0, 0, 0, 0, (byte) (9 + row.raise)}));
    }

    @Test
    void aNewStoreIsAtRevisionOneWithoutARecordOfIt() {
        assertThat(auth.view().revision()).isEqualTo(1);
        assertThat(buckets.get(Bucket.AUTH, b("authRevision"))).isEqualTo(Bytes.of(new byte[]{0, 0, 0, 0, 0, 0, 0, 1}));
        assertThat(buckets.get(Bucket.AUTH, b("authEnabled"))).isNull();
        assertThat(open(buckets).view().revision()).isEqualTo(1);
        assertThat(journal).isEmpty();
    }

    @Test
    void enablingAndDisablingIsOneByte() {
        apply(CONTROLLED);
        assertThat(buckets.get(Bucket.AUTH, b("authEnabled"))).isEqualTo(Bytes.of(new byte[]{1}));
        assertThat(auth.apply(new AuthCommand.Disable())).isEqualTo(new AuthOutcome.Disabled());
        assertThat(buckets.get(Bucket.AUTH, b("authEnabled"))).isEqualTo(Bytes.of(new byte[]{0}));
        // Once more is no change.
        int records = journal.size();
        assertThat(auth.apply(new AuthCommand.Disable())).isEqualTo(new AuthOutcome.Disabled());
        assertThat(journal).hasSize(records);
    }

    // ---- users

    @Test
    void rolesOfAUserAreInTheOrderOfTheirBytes() {
        // U+10000 comes before U+FFEE in UTF-16, and behind it in UTF-8.
        List<String> names = List.of("\uD800\uDC00", "b", "\uFFEE", "a");
        apply(List.of(addUser("u")));
        names.forEach(name -> apply(List.of(addRole(name), grant("u", name))));
        assertThat(user(auth, "u").roles()).containsExactly(b("a"), b("b"), b("\uFFEE"), b("\uD800\uDC00"));
    }

    @Test
    void aNewPasswordKeepsTheRoles() {
        apply(CONTROLLED);
        apply(List.of(new AuthCommand.UserChangePassword(b("u"), base64("new"))));
        assertThat(user(auth, "u")).isEqualTo(new User(b("u"), b("new"), List.of(b("r")), User.Options.PASSWORD));
    }

    @Test
    void aUserWithoutPasswordNeverGetsOne() {
        apply(List.of(new AuthCommand.UserAdd(b("n"), base64("one"), true),
                new AuthCommand.UserChangePassword(b("n"), base64("two"))));
        assertThat(user(auth, "n").password()).isEqualTo(Bytes.EMPTY);
        assertThat(user(auth, "n").hasPassword()).isFalse();
    }

    @Test
    void anEntryOlderThanEtcd35LeavesAPasswordThatNothingMatches() {
        // It held the password in the clear and no hash of it; the clear one never gets here.
        apply(List.of(new AuthCommand.UserAdd(b("u"), Bytes.EMPTY, false)));
        assertThat(user(auth, "u")).isEqualTo(new User(b("u"), Bytes.EMPTY, List.of(), User.Options.PASSWORD));
    }

    @Test
    void passwordsAreReadAsGoReadsBase64() {
        record Row(String text, @Nullable String password) {}
        for (Row row : List.of(new Row("", ""), new Row("QUI=", "AB"), new Row("QU\r\nI\n=\n", "AB"),
                new Row("QUJ=", "AB"), new Row("QUI", null), new Row("QUI==", null), new Row("Q===", null),
                new Row("=QUI", null), new Row("QQ==QQ==", null), new Row("QU I", null), new Row("Q_I=", null),
                new Row("QQ=Q", null), new Row("====", null))) {
            Auth one = open(new Buckets(payload -> {}));
            AuthOutcome outcome = one.apply(new AuthCommand.UserAdd(b("u"), b(row.text), false));
            if (row.password == null) {
                assertThat(outcome).as("%s", row).isEqualTo(new AuthOutcome.Refused(Refusal.NO_PASSWORD_USER));
            } else {
                assertThat(user(one, "u").password()).as("%s", row).isEqualTo(b(row.password));
            }
        }
    }

    // ---- roles

    @Test
    void aDeletedRoleIsTakenFromAllWhoHoldIt() {
        apply(CONTROLLED);
        apply(List.of(grant("root", "r"), grant("u", "s"), new AuthCommand.RoleDelete(b("r"))));
        assertThat(user(auth, "u").roles()).containsExactly(b("s"));
        assertThat(user(auth, "root").roles()).containsExactly(b("root"));
        // A new role of that name is nobody's.
        apply(List.of(addRole("r")));
        assertThat(user(auth, "u").roles()).containsExactly(b("s"));
    }

    @Test
    void theRoleRootIsSaidToHoldEverythingWhateverItHolds() {
        apply(List.of(addRole("root"), permit("root", "a", "b")));
        assertThat(auth.apply(new AuthCommand.RoleGet(b("root")))).isEqualTo(new AuthOutcome.RolePermissions(
                List.of(new Permission(Permission.READWRITE, new KeyRange(Bytes.EMPTY, Bytes.of(new byte[1]))))));
        assertThat(buckets.get(Bucket.AUTH_ROLES, b("root"))).isEqualTo(new Role(b("root"),
                List.of(new Permission(Permission.WRITE, range("a", "b")))).encode());
    }

    @Test
    void aPermissionTakesThePlaceOfOneOnTheSameRange() {
        apply(List.of(addRole("r"), permit("r", "b", ""), permit("r", "a", "c"), permit("r", READ_A_TO_C)));
        assertThat(auth.apply(new AuthCommand.RoleGet(b("r")))).isEqualTo(new AuthOutcome.RolePermissions(
                List.of(READ_A_TO_C, new Permission(Permission.WRITE, range("b", "")))));
    }

    @Test
    void onlyTheFirstPermissionOfAKeyIsReplaced() {
        Permission first = new Permission(Permission.READ, range("a", "b"));
        Permission second = new Permission(Permission.READ, range("a", "c"));
        Permission again = new Permission(Permission.WRITE, range("a", "c"));
        apply(List.of(addRole("r"), permit("r", first), permit("r", second), permit("r", again)));
        assertThat(auth.apply(new AuthCommand.RoleGet(b("r"))))
                .isEqualTo(new AuthOutcome.RolePermissions(List.of(first, second, again)));
        // Both go at once.
        apply(List.of(new AuthCommand.RoleRevokePermission(b("r"), range("a", "c"))));
        assertThat(auth.apply(new AuthCommand.RoleGet(b("r"))))
                .isEqualTo(new AuthOutcome.RolePermissions(List.of(first)));
    }

    // ---- restart

    @Test
    void whatTheRecordsSayIsWhatThereWas() {
        apply(CONTROLLED);
        apply(List.of(new AuthCommand.UserDelete(b("n")), new AuthCommand.RoleDelete(b("s"))));
        Buckets restored = new Buckets(payload -> assertThat(payload).as("a restart changes nothing").isNull());
        journal.forEach(restored::restore);
        Auth again = open(restored);
        assertThat(again.view().enabled()).isTrue();
        assertThat(again.view().revision()).isEqualTo(auth.view().revision());
        assertThat(again.view().userNames()).isEqualTo(auth.view().userNames());
        assertThat(user(again, "u")).isEqualTo(user(auth, "u"));
        assertThat(again.view().role(b("r"))).isEqualTo(auth.view().role(b("r")));
        Caller caller = new Caller("u", again.view().revision());
        assertThat(again.view().checkRead(caller, range("a", "b"))).isNull();
        assertThat(again.view().checkRead(caller, range("a", "d"))).isEqualTo(Refusal.PERMISSION_DENIED);
    }
}
