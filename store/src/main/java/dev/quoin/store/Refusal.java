package dev.quoin.store;

/** Why a command or a question was not answered. The words that clients see belong to the server. */
public enum Refusal {
    /** A key is empty. */
    EMPTY_KEY,
    /** A put that keeps the value or the lease names a key that is not there; or a step of a transaction is empty. */
    KEY_NOT_FOUND,
    /** A put that keeps the value brings one. */
    VALUE_PROVIDED,
    /** A put that keeps the lease names one. */
    LEASE_PROVIDED,
    /** A lease that is named was not granted, or its id is 0. */
    LEASE_NOT_FOUND,
    /** A lease of this id is granted already. */
    LEASE_EXISTS,
    /** A lease is asked for longer than {@link Lease#TTL_MAX}. */
    LEASE_TTL_TOO_LARGE,
    /** The alarm about space is raised, and the command would take some. */
    NO_SPACE,
    /** The alarm about members that differ is raised. */
    CORRUPT,
    /** A transaction has more conditions or steps than the limit. */
    TOO_MANY_OPS,
    /** Two steps of a transaction would write the same key. */
    DUPLICATE_KEY,
    /** A sort order or target that does not exist. */
    INVALID_SORT_OPTION,
    /** The revision asked for has been compacted. */
    COMPACTED,
    /** The revision asked for does not exist yet. */
    FUTURE_REVISION,
    /** Access cannot be controlled while there is no user root. */
    ROOT_USER_NOT_EXIST,
    /** Access cannot be controlled while the user root does not hold the role root. */
    ROOT_ROLE_NOT_EXIST,
    /** The user to add is there. */
    USER_ALREADY_EXIST,
    /** A user without a name is to be added; or nobody in particular asks for what only somebody may. */
    USER_EMPTY,
    /** No such user; or who asks for what only root may has been deleted. */
    USER_NOT_FOUND,
    /** The role to add is there. */
    ROLE_ALREADY_EXIST,
    /** No such role. */
    ROLE_NOT_FOUND,
    /** A role without a name is to be added. */
    ROLE_EMPTY,
    /** A permission is to be granted, and the request names none. */
    PERMISSION_NOT_GIVEN,
    /** Who logs in is not a user with a password, or the password is wrong. */
    AUTH_FAILED,
    /** A password was given for a user that has none; or one to be stored is not base64. */
    NO_PASSWORD_USER,
    /** The user may not. */
    PERMISSION_DENIED,
    /** The user does not hold the role to be taken away. */
    ROLE_NOT_GRANTED,
    /** The role does not have the permission to be taken away. */
    PERMISSION_NOT_GRANTED,
    /** Nobody can log in while access is not controlled. */
    AUTH_NOT_ENABLED,
    /** Users or roles have changed since the caller was identified. */
    AUTH_OLD_REVISION,
    /** Root would lose what it must have, or a permission's range is not one. */
    INVALID_AUTH_MANAGEMENT
}
