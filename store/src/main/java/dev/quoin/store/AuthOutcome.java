package dev.quoin.store;

import java.util.List;

import dev.quoin.base.Bytes;

/**
 * The answer to an {@link AuthCommand}. It also says what becomes of the tokens that each member keeps for itself, outside
 * of the store; so it matters on every member, not only where somebody waits for it.
 */
public sealed interface AuthOutcome {
    /** Done, and there is nothing to say. */
    record Done() implements AuthOutcome {}

    /** Access is controlled, by this command or an earlier one: tokens are given out. */
    record Enabled() implements AuthOutcome {}

    /** Access is not controlled, by this command or an earlier one: no token is good any more. */
    record Disabled() implements AuthOutcome {}

    /** Done, and no simple token of the user is good any more. */
    record LoggedOut(Bytes user) implements AuthOutcome {}

    /**
     * The user gets a token.
     *
     * @param simpleToken the random part of a simple one
     * @param authRevision what a signed one carries
     */
    record Authenticated(Bytes user, Bytes simpleToken, long authRevision) implements AuthOutcome {
        /** Without what makes the token. */
        @Override
        public String toString() {
            return "Authenticated[" + user + ", " + authRevision + "]";
        }
    }

    record Status(boolean enabled, long authRevision) implements AuthOutcome {}

    /** The roles of a user, ascending. */
    record UserRoles(List<Bytes> roles) implements AuthOutcome {}

    /** The names of all users, ascending. */
    record Users(List<Bytes> names) implements AuthOutcome {}

    /** The permissions of a role, in its order. */
    record RolePermissions(List<Permission> permissions) implements AuthOutcome {}

    /** The names of all roles, ascending. */
    record Roles(List<Bytes> names) implements AuthOutcome {}

    /** Not done, and nothing changed. The store turns it into {@link Outcome.Refused}. */
    record Refused(Refusal reason) implements AuthOutcome {}
}
