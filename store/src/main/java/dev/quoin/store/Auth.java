package dev.quoin.store;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * Users and roles, for the one thread that owns the store: does what an {@link AuthCommand} says, keeps all of it in
 * buckets with etcd's names and encodings, and holds the {@link AuthView} that follows. Who may ask for what is not asked
 * here.
 *
 * <p>Every change raises the revision by one, except that control of access begins; a request that was let in before it is
 * then refused, and identified anew.
 */
final class Auth {
    private static final long FIRST_REVISION = 1;
    private static final Bytes ENABLED_KEY = Bytes.utf8("authEnabled");
    private static final Bytes REVISION_KEY = Bytes.utf8("authRevision");
    private static final Bytes YES = Bytes.of(new byte[]{1});
    private static final Bytes NO = Bytes.of(new byte[]{0});

    private final Buckets buckets;
    private final TreeMap<Bytes, User> users = new TreeMap<>();
    private final TreeMap<Bytes, AuthView.Granted> roles = new TreeMap<>();
    private boolean enabled;
    private long revision;
    private AuthView view;

    Auth(Buckets buckets) {
        this.buckets = buckets;
        view = newView();
    }

    /**
     * Takes up what the buckets hold. Those of a new store get the first revision, as etcd puts it there when it opens one;
     * no record tells of it, since it follows from there being none.
     */
    void reload() {
        users.clear();
        roles.clear();
        enabled = YES.equals(buckets.get(Bucket.AUTH, ENABLED_KEY));
        Bytes saved = buckets.get(Bucket.AUTH, REVISION_KEY);
        revision = saved == null ? 0 : ByteBuffer.wrap(saved.toByteArray()).getLong();
        buckets.scan(Bucket.AUTH_USERS).forEach((name, user) -> users.put(name, User.decode(user)));
        buckets.scan(Bucket.AUTH_ROLES)
                .forEach((name, role) -> roles.put(name, AuthView.Granted.of(Role.decode(role))));
        if (revision == 0) {
            revision = FIRST_REVISION;
            buckets.set(Bucket.AUTH, REVISION_KEY, bigEndian(revision));
        }
        view = newView();
    }

    /** What is true now, for all readers from the moment it is published. */
    AuthView view() {
        return view;
    }

    AuthOutcome apply(AuthCommand command) {
        return switch (command) {
            case AuthCommand.Enable() -> enable();
            case AuthCommand.Disable() -> disable();
            case AuthCommand.Status() -> new AuthOutcome.Status(enabled, revision);
            case AuthCommand.Authenticate authenticate -> authenticate(authenticate);
            case AuthCommand.UserAdd add -> addUser(add);
            case AuthCommand.UserDelete(Bytes name) -> deleteUser(name);
            case AuthCommand.UserGet(Bytes name) -> userRoles(name);
            case AuthCommand.UserList() -> new AuthOutcome.Users(view.userNames());
            case AuthCommand.UserChangePassword change -> changePassword(change);
            case AuthCommand.UserGrantRole(Bytes name, Bytes role) -> grantRole(name, role);
            case AuthCommand.UserRevokeRole(Bytes name, Bytes role) -> revokeRole(name, role);
            case AuthCommand.RoleAdd(Bytes name) -> addRole(name);
            case AuthCommand.RoleDelete(Bytes name) -> deleteRole(name);
            case AuthCommand.RoleGet(Bytes name) -> rolePermissions(name);
            case AuthCommand.RoleList() -> new AuthOutcome.Roles(view.roleNames());
            case AuthCommand.RoleGrantPermission(Bytes name, @Nullable Permission permission) ->
                grantPermission(name, permission);
            case AuthCommand.RoleRevokePermission(Bytes name, KeyRange range) -> revokePermission(name, range);
        };
    }

    // ---- control of access

    private AuthOutcome enable() {
        if (enabled) {
            return new AuthOutcome.Enabled();
        }
        User root = users.get(User.ROOT);
        if (root == null) {
            return refused(Refusal.ROOT_USER_NOT_EXIST);
        }
        if (!root.isRoot()) {
            return refused(Refusal.ROOT_ROLE_NOT_EXIST);
        }
        enabled = true;
        buckets.put(Bucket.AUTH, ENABLED_KEY, YES);
        view = newView();
        return new AuthOutcome.Enabled();
    }

    private AuthOutcome disable() {
        if (!enabled) {
            return new AuthOutcome.Disabled();
        }
        enabled = false;
        buckets.put(Bucket.AUTH, ENABLED_KEY, NO);
        return changed(new AuthOutcome.Disabled());
    }

    private AuthOutcome authenticate(AuthCommand.Authenticate authenticate) {
        if (!enabled) {
            return refused(Refusal.AUTH_NOT_ENABLED);
        }
        User user = users.get(authenticate.name());
        if (user == null || !user.hasPassword()) {
            return refused(Refusal.AUTH_FAILED);
        }
        return new AuthOutcome.Authenticated(user.name(), authenticate.simpleToken(), revision);
    }

    // ---- users

    private AuthOutcome addUser(AuthCommand.UserAdd add) {
        if (add.name().isEmpty()) {
            return refused(Refusal.USER_EMPTY);
        }
        if (users.containsKey(add.name())) {
            return refused(Refusal.USER_ALREADY_EXIST);
        }
        User.Options options = add.noPassword() ? User.Options.NO_PASSWORD : User.Options.PASSWORD;
        Bytes password = add.noPassword() ? Bytes.EMPTY : decodeBase64(add.hashedPassword());
        if (password == null) {
            return refused(Refusal.NO_PASSWORD_USER);
        }
        put(new User(add.name().compact(), password, List.of(), options));
        return changed(new AuthOutcome.Done());
    }

    private AuthOutcome deleteUser(Bytes name) {
        if (enabled && name.equals(User.ROOT)) {
            return refused(Refusal.INVALID_AUTH_MANAGEMENT);
        }
        if (users.remove(name) == null) {
            return refused(Refusal.USER_NOT_FOUND);
        }
        buckets.delete(Bucket.AUTH_USERS, name);
        return changed(new AuthOutcome.LoggedOut(name.compact()));
    }

    /** For a user without a password it changes nothing, yet counts as a change. */
    private AuthOutcome changePassword(AuthCommand.UserChangePassword change) {
        User user = users.get(change.name());
        if (user == null) {
            return refused(Refusal.USER_NOT_FOUND);
        }
        Bytes password = user.hasPassword() ? decodeBase64(change.hashedPassword()) : Bytes.EMPTY;
        if (password == null) {
            return refused(Refusal.NO_PASSWORD_USER);
        }
        put(user.withPassword(password));
        return changed(new AuthOutcome.LoggedOut(user.name()));
    }

    /** The role root may be held without having been added. */
    private AuthOutcome grantRole(Bytes name, Bytes role) {
        User user = users.get(name);
        if (user == null) {
            return refused(Refusal.USER_NOT_FOUND);
        }
        if (!role.equals(User.ROOT) && !roles.containsKey(role)) {
            return refused(Refusal.ROLE_NOT_FOUND);
        }
        if (user.has(role)) {
            return new AuthOutcome.Done();
        }
        put(user.grant(role.compact()));
        return changed(new AuthOutcome.Done());
    }

    private AuthOutcome revokeRole(Bytes name, Bytes role) {
        if (enabled && name.equals(User.ROOT) && role.equals(User.ROOT)) {
            return refused(Refusal.INVALID_AUTH_MANAGEMENT);
        }
        User user = users.get(name);
        if (user == null) {
            return refused(Refusal.USER_NOT_FOUND);
        }
        if (!user.has(role)) {
            return refused(Refusal.ROLE_NOT_GRANTED);
        }
        put(user.revoke(role));
        return changed(new AuthOutcome.Done());
    }

    private AuthOutcome userRoles(Bytes name) {
        User user = users.get(name);
        return user == null ? refused(Refusal.USER_NOT_FOUND) : new AuthOutcome.UserRoles(user.roles());
    }

    // ---- roles

    private AuthOutcome addRole(Bytes name) {
        if (name.isEmpty()) {
            return refused(Refusal.ROLE_EMPTY);
        }
        if (roles.containsKey(name)) {
            return refused(Refusal.ROLE_ALREADY_EXIST);
        }
        put(new Role(name.compact(), List.of()));
        return changed(new AuthOutcome.Done());
    }

    private AuthOutcome deleteRole(Bytes name) {
        if (enabled && name.equals(User.ROOT)) {
            return refused(Refusal.INVALID_AUTH_MANAGEMENT);
        }
        if (roles.remove(name) == null) {
            return refused(Refusal.ROLE_NOT_FOUND);
        }
        buckets.delete(Bucket.AUTH_ROLES, name);
        users.values().stream().filter(user -> user.has(name)).toList().forEach(user -> put(user.revoke(name)));
        return changed(new AuthOutcome.Done());
    }

    private AuthOutcome rolePermissions(Bytes name) {
        AuthView.Granted granted = roles.get(name);
        if (granted == null) {
            return refused(Refusal.ROLE_NOT_FOUND);
        }
        return new AuthOutcome.RolePermissions(name.equals(User.ROOT)
                ? List.of(Permission.EVERYTHING)
                : granted.role().permissions());
    }

    private AuthOutcome grantPermission(Bytes name, @Nullable Permission permission) {
        if (permission == null) {
            return refused(Refusal.PERMISSION_NOT_GIVEN);
        }
        if (!permission.isValid()) {
            return refused(Refusal.INVALID_AUTH_MANAGEMENT);
        }
        AuthView.Granted granted = roles.get(name);
        if (granted == null) {
            return refused(Refusal.ROLE_NOT_FOUND);
        }
        put(granted.role().grant(permission.compact()));
        return changed(new AuthOutcome.Done());
    }

    private AuthOutcome revokePermission(Bytes name, KeyRange range) {
        AuthView.Granted granted = roles.get(name);
        if (granted == null) {
            return refused(Refusal.ROLE_NOT_FOUND);
        }
        Role revoked = granted.role().revoke(range);
        if (revoked == null) {
            return refused(Refusal.PERMISSION_NOT_GRANTED);
        }
        put(revoked);
        return changed(new AuthOutcome.Done());
    }

    // ---- keeping it

    private void put(User user) {
        users.put(user.name(), user);
        buckets.put(Bucket.AUTH_USERS, user.name(), user.encode());
    }

    private void put(Role role) {
        roles.put(role.name(), AuthView.Granted.of(role));
        buckets.put(Bucket.AUTH_ROLES, role.name(), role.encode());
    }

    private AuthOutcome changed(AuthOutcome outcome) {
        revision++;
        buckets.put(Bucket.AUTH, REVISION_KEY, bigEndian(revision));
        view = newView();
        return outcome;
    }

    private static Bytes bigEndian(long number) {
        return Bytes.of(ByteBuffer.allocate(Long.BYTES).putLong(number).array());
    }

    private AuthView newView() {
        return new AuthView(enabled, revision, users, roles);
    }

    private static AuthOutcome refused(Refusal reason) {
        return new AuthOutcome.Refused(reason);
    }

    /**
     * Null if it is none, by Go's rules: ends of lines are passed over, padding must be there, and bits that are left over
     * may be anything.
     */
    private static @Nullable Bytes decodeBase64(Bytes text) {
        byte[] digits = new byte[text.length()];
        int length = 0;
        for (int i = 0; i < text.length(); i++) {
            if (text.at(i) != '\r' && text.at(i) != '\n') {
                digits[length++] = text.at(i);
            }
        }
        if (length % 4 != 0) {
            return null;
        }
        try {
            return Bytes.of(Base64.getDecoder().decode(Arrays.copyOf(digits, length)));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
