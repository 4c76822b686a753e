package dev.quoin.store;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * What the cluster has agreed to do to users and roles, or to tell of them. Names are UTF-8.
 *
 * <p>Passwords come hashed, in base64, as etcd's servers put them into the log since 3.5. An older log may hold them in
 * the clear; an etcd 3.7 then hashes each at the moment it applies the entry, every member with a salt of its own. This
 * room knows no chance and no bcrypt, so such a password never gets here: the user is changed as etcd would change it,
 * but has a password that nothing matches, until the next change of it.
 */
public sealed interface AuthCommand {
    /** Controls access from now on. Done already is done. */
    record Enable() implements AuthCommand {}

    /** Lets everybody do everything from now on. Done already is done. */
    record Disable() implements AuthCommand {}

    /** Asks whether access is controlled, and for the revision of users and roles. */
    record Status() implements AuthCommand {}

    /**
     * Says that a user has shown its password; whoever proposed this has compared it.
     *
     * @param simpleToken the random part of the token that the user gets if tokens are simple ones
     */
    record Authenticate(Bytes name, Bytes simpleToken) implements AuthCommand {
        /** Without what makes the token. */
        @Override
        public String toString() {
            return "Authenticate[" + name + "]";
        }
    }

    record UserAdd(Bytes name, Bytes hashedPassword, boolean noPassword) implements AuthCommand {
        @Override
        public String toString() {
            return "UserAdd[" + name + ", " + noPassword + "]";
        }
    }

    record UserDelete(Bytes name) implements AuthCommand {}

    /** Asks for the roles of a user. */
    record UserGet(Bytes name) implements AuthCommand {}

    record UserList() implements AuthCommand {}

    record UserChangePassword(Bytes name, Bytes hashedPassword) implements AuthCommand {
        @Override
        public String toString() {
            return "UserChangePassword[" + name + "]";
        }
    }

    record UserGrantRole(Bytes name, Bytes role) implements AuthCommand {}

    record UserRevokeRole(Bytes name, Bytes role) implements AuthCommand {}

    record RoleAdd(Bytes name) implements AuthCommand {}

    /** Deletes a role, and takes it from all that hold it. */
    record RoleDelete(Bytes name) implements AuthCommand {}

    /** Asks for the permissions of a role. */
    record RoleGet(Bytes name) implements AuthCommand {}

    record RoleList() implements AuthCommand {}

    /**
     * Allows a role something.
     *
     * @param permission null if the request names none
     */
    record RoleGrantPermission(Bytes name, @Nullable Permission permission) implements AuthCommand {}

    record RoleRevokePermission(Bytes name, KeyRange range) implements AuthCommand {}
}
