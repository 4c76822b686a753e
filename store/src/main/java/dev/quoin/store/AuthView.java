package dev.quoin.store;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * Users and roles after one change of them, and what follows for who may do what. Never changes, and may be asked on any
 * thread; the store itself asks the newest before it does anything ({@link Store#apply}), so that every member decides
 * alike.
 *
 * <p>Each method gives the reason to refuse, or null. While access is not controlled there is none. Where a user's rights
 * count, the order is etcd's: nobody; somebody identified too long ago; a user that is gone; what the roles allow. Where
 * only root may, the age of the identification does not matter.
 *
 * <p>What a user may is the union of its roles. Each role keeps its ranges merged; those of several roles are put together
 * when they are asked for ({@link PermissionSpans#cover}), so a change of a role costs nothing per user.
 */
public final class AuthView {
    /** What is attached to a lease; nothing if there is no such lease. */
    @FunctionalInterface
    public interface LeaseKeys {
        Iterable<Bytes> attachedTo(long lease);
    }

    /** A role, and what it allows. */
    record Granted(Role role, PermissionSpans reads, PermissionSpans writes) {
        static Granted of(Role role) {
            return new Granted(role, spans(role.permissions().stream().filter(Permission::reads).toList()),
                    spans(role.permissions().stream().filter(Permission::writes).toList()));
        }

        private static PermissionSpans spans(List<Permission> permissions) {
            return PermissionSpans.of(permissions.stream().map(Permission::range).toList());
        }
    }

    private final boolean enabled;
    private final long revision;
    private final NavigableMap<Bytes, User> users;
    private final NavigableMap<Bytes, Granted> roles;

    /** Copies the maps. */
    AuthView(boolean enabled, long revision, NavigableMap<Bytes, User> users, NavigableMap<Bytes, Granted> roles) {
        this.enabled = enabled;
        this.revision = revision;
        this.users = new TreeMap<>(users);
        this.roles = new TreeMap<>(roles);
    }

    /** Whether access is controlled. */
    public boolean enabled() {
        return enabled;
    }

    /** Grows with every change of users and roles, and when control of access ends. Unsigned. */
    public long revision() {
        return revision;
    }

    /** For comparing a password; null if there is no such user. */
    public @Nullable User user(Bytes name) {
        return users.get(name);
    }

    @Nullable
    Role role(Bytes name) {
        Granted granted = roles.get(name);
        return granted == null ? null : granted.role;
    }

    List<Bytes> userNames() {
        return List.copyOf(users.keySet());
    }

    List<Bytes> roleNames() {
        return List.copyOf(roles.keySet());
    }

    // ---- what the caller may

    /** Whether the caller may read all of these keys. */
    public @Nullable Refusal checkRead(Caller caller, KeyRange range) {
        return checkKeys(caller, range, Permission.READ);
    }

    /** Whether the caller may write all of these keys. */
    public @Nullable Refusal checkWrite(Caller caller, KeyRange range) {
        return checkKeys(caller, range, Permission.WRITE);
    }

    /** Whether the caller is a user with the role root. */
    public @Nullable Refusal checkRoot(Caller caller) {
        if (!enabled) {
            return null;
        }
        if (caller.name().isEmpty()) {
            return Refusal.USER_EMPTY;
        }
        User user = users.get(nameOf(caller));
        if (user == null) {
            return Refusal.USER_NOT_FOUND;
        }
        return user.isRoot() ? null : Refusal.PERMISSION_DENIED;
    }

    /** Whether the caller may be told which keys are attached to a lease. */
    public @Nullable Refusal checkLeaseRead(Caller caller, Iterable<Bytes> attached) {
        return checkAttached(caller, attached, Permission.READ);
    }

    /** Whether the caller may revoke a lease, keep it alive, or attach another key to it. */
    public @Nullable Refusal checkLeaseWrite(Caller caller, Iterable<Bytes> attached) {
        return checkAttached(caller, attached, Permission.WRITE);
    }

    private @Nullable Refusal checkAttached(Caller caller, Iterable<Bytes> attached, int type) {
        if (checkRoot(caller) == null) {
            return null;
        }
        for (Bytes key : attached) {
            Refusal refusal = checkKeys(caller, KeyRange.single(key), type);
            if (refusal != null) {
                return refusal;
            }
        }
        return null;
    }

    private @Nullable Refusal checkKeys(Caller caller, KeyRange range, int type) {
        if (!enabled) {
            return null;
        }
        if (caller.authRevision() == 0) {
            return Refusal.USER_EMPTY;
        }
        if (Long.compareUnsigned(caller.authRevision(), revision) < 0) {
            return Refusal.AUTH_OLD_REVISION;
        }
        User user = users.get(nameOf(caller));
        if (user == null) {
            return Refusal.PERMISSION_DENIED;
        }
        return user.isRoot() || allows(user, range, type) ? null : Refusal.PERMISSION_DENIED;
    }

    private boolean allows(User user, KeyRange range, int type) {
        if (!PermissionSpans.cover(spans(user, type), range)) {
            return false;
        }
        boolean isReversed = !range.isSingle() && !range.isUnbounded() && range.rangeEnd().compareTo(range.key()) < 0;
        return !isReversed
                || PermissionTree.of(permitted(user, type)).allowsReversed(range.key(), range.rangeEnd());
    }

    /** What the user's roles hold, in their order. */
    private List<KeyRange> permitted(User user, int type) {
        List<KeyRange> ranges = new ArrayList<>();
        for (Bytes name : user.roles()) {
            Granted granted = roles.get(name);
            if (granted != null) {
                granted.role.permissions().stream()
                        .filter(type == Permission.READ ? Permission::reads : Permission::writes)
                        .map(Permission::range).forEach(ranges::add);
            }
        }
        return ranges;
    }

    private List<PermissionSpans> spans(User user, int type) {
        List<PermissionSpans> spans = new ArrayList<>(user.roles().size());
        for (Bytes name : user.roles()) {
            Granted granted = roles.get(name);
            if (granted != null) {
                spans.add(type == Permission.READ ? granted.reads : granted.writes);
            }
        }
        return spans;
    }

    // ---- whole commands

    /** Whether the caller may do all that the command might do: of a transaction, all that any of its branches might. */
    public @Nullable Refusal check(Caller caller, Command command, LeaseKeys leases) {
        if (!enabled) {
            return null;
        }
        return command instanceof Command.Auth(AuthCommand auth)
                ? check(caller, auth)
                : AuthWalk.of(command, guard(caller, leases));
    }

    private AuthWalk.Guard guard(Caller caller, LeaseKeys leases) {
        return new AuthWalk.Guard() {
            @Override
            public @Nullable Refusal reads(KeyRange range) {
                return checkRead(caller, range);
            }

            @Override
            public @Nullable Refusal writes(KeyRange range) {
                return checkWrite(caller, range);
            }

            @Override
            public @Nullable Refusal writesAttached(long lease) {
                return checkLeaseWrite(caller, leases.attachedTo(lease));
            }
        };
    }

    /**
     * Users may be told of themselves and of the roles that they hold, all else that is not for everybody is root's. Whom
     * nobody knows is treated as etcd does: nobody, asking for the user without a name, asks for itself.
     */
    private @Nullable Refusal check(Caller caller, AuthCommand command) {
        boolean isForCaller = switch (command) {
            case AuthCommand.Status(),AuthCommand.Authenticate _ -> true;
            case AuthCommand.UserGet(Bytes name) -> name.equals(nameOf(caller));
            case AuthCommand.RoleGet(Bytes name) -> holds(caller, name);
            case AuthCommand.Enable(),AuthCommand.Disable() -> false;
            case AuthCommand.UserList(),AuthCommand.UserAdd _,AuthCommand.UserDelete _ -> false;
            case AuthCommand.UserChangePassword _,AuthCommand.UserGrantRole _,AuthCommand.UserRevokeRole _ -> false;
            case AuthCommand.RoleList(),AuthCommand.RoleAdd _,AuthCommand.RoleDelete _ -> false;
            case AuthCommand.RoleGrantPermission _,AuthCommand.RoleRevokePermission _ -> false;
        };
        return isForCaller ? null : checkRoot(caller);
    }

    private static Bytes nameOf(Caller caller) {
        return Bytes.utf8(caller.name());
    }

    private boolean holds(Caller caller, Bytes role) {
        User user = users.get(nameOf(caller));
        return user != null && user.has(role);
    }
}
