package dev.quoin.server;

import java.util.Locale;

import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.Failure;
import dev.quoin.net.Status;
import dev.quoin.net.Status.Code;
import dev.quoin.net.StatusException;
import dev.quoin.store.Refusal;

/**
 * Refusals in etcd's words (api/v3rpc/rpctypes/error.go): clients compare code and text, so both are the contract.
 */
final class Errors {
    static final Status REQUEST_TOO_LARGE = Status.of(Code.INVALID_ARGUMENT, "etcdserver: request is too large");
    /** Where a member may be older than 3.7: one that was not asked itself passes such a read over, and writes whether or not it could be. */
    static final Status PAST_AMONG_OLDER = Status.of(Code.FAILED_PRECONDITION,
            "quoin: a transaction that writes cannot read at a revision in a cluster of a version before 3.7");
    static final Status STREAM_SORTED = Status.of(Code.UNIMPLEMENTED,
            "RangeStream does not support custom sort orders");
    static final Status STREAM_FILTERED = Status.of(Code.UNIMPLEMENTED,
            "RangeStream does not support revision filters");
    static final Status BAD_MEMBER_URLS = invalid("etcdserver: given member URLs are invalid");
    static final Status BAD_TRANSFEREE = precondition("etcdserver: bad leader transferee");
    /** Etcd's server does not translate this one. */
    static final Status TRANSFER_TIMEOUT = Status.of(Code.UNKNOWN,
            "etcdserver: request timed out, leader transfer took too long");
    static final Status NOT_FOR_LEARNERS = precondition("etcdserver: rpc not supported for learner");
    static final Status NO_LEADER = Status.of(Code.UNAVAILABLE, "etcdserver: no leader");
    static final Status LEADER_CHANGED = Status.of(Code.UNAVAILABLE, "etcdserver: leader changed");
    /** Etcd's server does not translate this one, either. */
    static final Status NOT_PRIMARY = Status.of(Code.UNKNOWN, "not a primary lessor");
    static final Status APPLYING_TOO_LONG = Status.of(Code.UNAVAILABLE,
            "etcdserver: request timed out, waiting for the applied index took too long");
    static final Status INVALID_TOKEN = Status.of(Code.UNAUTHENTICATED, "etcdserver: invalid auth token");
    static final Status SNAPSHOT_TOO_SLOW = Status.of(Code.ABORTED,
            "quoin: the snapshot took longer than its records are kept for, and is not whole; take it again, faster");
    /** In gRPC's words; whoever it is for has gone. */
    static final Status CANCELLED = Status.of(Code.CANCELLED, "context canceled");
    static final Status SESSION_EXPIRED = Status.of(Code.UNKNOWN, "mutex: session is expired");
    static final Status NOT_ELECTED = Status.of(Code.UNKNOWN, "election: not leader");
    static final Status NOBODY_ELECTED = Status.of(Code.UNKNOWN, "election: no leader");
    static final Status LEADER_MISSING = Status.of(Code.UNKNOWN, "\"leader\" field must be provided");

    private static final Status EMPTY_KEY = invalid("etcdserver: key is not provided");
    private static final Status KEY_NOT_FOUND = invalid("etcdserver: key not found");
    private static final Status VALUE_PROVIDED = invalid("etcdserver: value is provided");
    private static final Status LEASE_PROVIDED = invalid("etcdserver: lease is provided");
    private static final Status TOO_MANY_OPS = invalid("etcdserver: too many operations in txn request");
    private static final Status DUPLICATE_KEY = invalid("etcdserver: duplicate key given in txn request");
    private static final Status INVALID_SORT = invalid("etcdserver: invalid sort option");
    private static final Status LEASE_NOT_FOUND = Status.of(Code.NOT_FOUND,
            "etcdserver: requested lease not found");
    private static final Status LEASE_EXISTS = Status.of(Code.FAILED_PRECONDITION,
            "etcdserver: lease already exists");
    private static final Status LEASE_TTL_TOO_LARGE = Status.of(Code.OUT_OF_RANGE,
            "etcdserver: too large lease TTL");
    private static final Status NO_ROOM = Status.of(Code.RESOURCE_EXHAUSTED,
            "quoin: the disk has no room for the files that would give space back; make some first");
    private static final Status NO_SPACE = Status.of(Code.RESOURCE_EXHAUSTED,
            "etcdserver: mvcc: database space exceeded");
    private static final Status CORRUPT = Status.of(Code.DATA_LOSS, "etcdserver: corrupt cluster");
    private static final Status ROOT_USER_NOT_EXIST = precondition("etcdserver: root user does not exist");
    private static final Status ROOT_ROLE_NOT_EXIST = precondition("etcdserver: root user does not have root role");
    private static final Status USER_ALREADY_EXIST = precondition("etcdserver: user name already exists");
    private static final Status USER_EMPTY = invalid("etcdserver: user name is empty");
    private static final Status USER_NOT_FOUND = precondition("etcdserver: user name not found");
    private static final Status ROLE_ALREADY_EXIST = precondition("etcdserver: role name already exists");
    private static final Status ROLE_NOT_FOUND = precondition("etcdserver: role name not found");
    private static final Status ROLE_EMPTY = invalid("etcdserver: role name is empty");
    private static final Status PERMISSION_NOT_GIVEN = invalid("etcdserver: permission not given");
    private static final Status AUTH_FAILED = invalid(
            "etcdserver: authentication failed, invalid user ID or password");
    /** Etcd's server does not translate this one, and clients see that. */
    private static final Status NO_PASSWORD_USER = Status.of(Code.UNKNOWN,
            "auth: authentication failed, password was given for no password user");
    private static final Status PERMISSION_DENIED = Status.of(Code.PERMISSION_DENIED,
            "etcdserver: permission denied");
    private static final Status ROLE_NOT_GRANTED = precondition("etcdserver: role is not granted to the user");
    private static final Status PERMISSION_NOT_GRANTED = precondition(
            "etcdserver: permission is not granted to the role");
    private static final Status AUTH_NOT_ENABLED = precondition("etcdserver: authentication is not enabled");
    private static final Status AUTH_OLD_REVISION = invalid("etcdserver: revision of auth store is old");
    private static final Status INVALID_AUTH_MANAGEMENT = invalid("etcdserver: invalid auth management");
    private static final Status MEMBER_NOT_FOUND = Status.of(Code.NOT_FOUND, "etcdserver: member not found");
    private static final Status MEMBER_EXIST = precondition("etcdserver: member ID already exist");
    private static final Status PEER_URL_EXIST = precondition("etcdserver: Peer URLs already exists");
    private static final Status MEMBER_NOT_LEARNER = precondition("etcdserver: can only promote a learner member");
    private static final Status TOO_MANY_LEARNERS = precondition("etcdserver: too many learner members in cluster");
    private static final Status LEARNER_NOT_READY = precondition(
            "etcdserver: can only promote a learner member which is in sync with leader");
    /** UNKNOWN: etcd's server forgets to translate this one, too. */
    private static final Status NOT_ENOUGH_STARTED = Status.of(Code.UNKNOWN,
            "etcdserver: re-configuration failed due to not enough started members");
    private static final Status UNHEALTHY = Status.of(Code.UNAVAILABLE, "etcdserver: unhealthy cluster");
    private static final Status COMPACTED = Status.of(Code.OUT_OF_RANGE,
            "etcdserver: mvcc: required revision has been compacted");
    private static final Status FUTURE_REVISION = Status.of(Code.OUT_OF_RANGE,
            "etcdserver: mvcc: required revision is a future revision");
    /** UNKNOWN, not RESOURCE_EXHAUSTED: etcd's server forgets to translate this one, and clients see that. */
    private static final Status TOO_MANY_REQUESTS = Status.of(Code.UNKNOWN, "etcdserver: too many requests");
    private static final Status TIMEOUT = Status.of(Code.UNAVAILABLE, "etcdserver: request timed out");
    private static final Status CONNECTION_LOST = Status.of(Code.UNAVAILABLE,
            "etcdserver: request timed out, possibly due to connection lost");
    private static final Status LEADER_LOST = Status.of(Code.UNAVAILABLE,
            "etcdserver: request timed out, possibly due to previous leader failure");
    private static final Status NOT_LEADER = precondition("etcdserver: not leader");
    private static final Status STOPPED = Status.of(Code.UNAVAILABLE, "etcdserver: server stopped");

    private Errors() {}

    private static Status invalid(String message) {
        return Status.of(Code.INVALID_ARGUMENT, message);
    }

    private static Status precondition(String message) {
        return Status.of(Code.FAILED_PRECONDITION, message);
    }

    static Status of(Refusal refusal) {
        return switch (refusal) {
            case EMPTY_KEY -> EMPTY_KEY;
            case KEY_NOT_FOUND -> KEY_NOT_FOUND;
            case VALUE_PROVIDED -> VALUE_PROVIDED;
            case LEASE_PROVIDED -> LEASE_PROVIDED;
            case LEASE_NOT_FOUND -> LEASE_NOT_FOUND;
            case LEASE_EXISTS -> LEASE_EXISTS;
            case LEASE_TTL_TOO_LARGE -> LEASE_TTL_TOO_LARGE;
            case NO_SPACE -> NO_SPACE;
            case CORRUPT -> CORRUPT;
            case TOO_MANY_OPS -> TOO_MANY_OPS;
            case DUPLICATE_KEY -> DUPLICATE_KEY;
            case INVALID_SORT_OPTION -> INVALID_SORT;
            case COMPACTED -> COMPACTED;
            case FUTURE_REVISION -> FUTURE_REVISION;
            case ROOT_USER_NOT_EXIST -> ROOT_USER_NOT_EXIST;
            case ROOT_ROLE_NOT_EXIST -> ROOT_ROLE_NOT_EXIST;
            case USER_ALREADY_EXIST -> USER_ALREADY_EXIST;
            case USER_EMPTY -> USER_EMPTY;
            case USER_NOT_FOUND -> USER_NOT_FOUND;
            case ROLE_ALREADY_EXIST -> ROLE_ALREADY_EXIST;
            case ROLE_NOT_FOUND -> ROLE_NOT_FOUND;
            case ROLE_EMPTY -> ROLE_EMPTY;
            case PERMISSION_NOT_GIVEN -> PERMISSION_NOT_GIVEN;
            case AUTH_FAILED -> AUTH_FAILED;
            case NO_PASSWORD_USER -> NO_PASSWORD_USER;
            case PERMISSION_DENIED -> PERMISSION_DENIED;
            case ROLE_NOT_GRANTED -> ROLE_NOT_GRANTED;
            case PERMISSION_NOT_GRANTED -> PERMISSION_NOT_GRANTED;
            case AUTH_NOT_ENABLED -> AUTH_NOT_ENABLED;
            case AUTH_OLD_REVISION -> AUTH_OLD_REVISION;
            case INVALID_AUTH_MANAGEMENT -> INVALID_AUTH_MANAGEMENT;
        };
    }

    static Status of(ChangeRefusal refusal) {
        return switch (refusal) {
            case ID_REMOVED, ID_NOT_FOUND -> MEMBER_NOT_FOUND;
            case ID_EXISTS -> MEMBER_EXIST;
            case PEER_URL_EXISTS -> PEER_URL_EXIST;
            case NOT_A_LEARNER -> MEMBER_NOT_LEARNER;
            case TOO_MANY_LEARNERS -> TOO_MANY_LEARNERS;
            case LEARNER_NOT_READY -> LEARNER_NOT_READY;
            case NOT_ENOUGH_STARTED -> NOT_ENOUGH_STARTED;
            case UNHEALTHY -> UNHEALTHY;
            case NOT_LEADER -> NOT_LEADER;
        };
    }

    static Status of(Failure failure) {
        return switch (failure) {
            case TOO_MANY_REQUESTS -> TOO_MANY_REQUESTS;
            case TIMEOUT -> TIMEOUT;
            case CONNECTION_LOST -> CONNECTION_LOST;
            case LEADER_LOST -> LEADER_LOST;
            case NOT_LEADER -> NOT_LEADER;
            case STOPPED -> STOPPED;
            case NO_ROOM -> NO_ROOM;
            case DISK_FULL -> NO_SPACE;
        };
    }

    /** The same in the services of locks and elections: what fails below them keeps its text and loses its code. */
    static StatusException raw(StatusException failed) {
        Status status = failed.status();
        return status.code() == Code.CANCELLED ? failed : new StatusException(Code.UNKNOWN, status.message());
    }

    /** As Go's gRPC puts a status into words, which some answers have in them. */
    static String inGosWords(Status status) {
        StringBuilder code = new StringBuilder();
        for (String word : status.code().name().split("_", -1)) {
            code.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
        }
        return "rpc error: code = " + code + " desc = " + status.message();
    }

    /** A stored record is not what was written; everything else is still served. */
    static Status lost(RuntimeException unreadable) {
        return Status.of(Code.DATA_LOSS, "quoin: " + unreadable.getMessage());
    }

    /** As grpc-go says it of a message on a stream that is not what it should be. */
    static Status unreadableInStream(String why) {
        return Status.of(Code.INTERNAL, "grpc: failed to unmarshal the received message: proto: " + why);
    }

    /** As grpc-go says it of a unary request that is not the message it should be. */
    static Status unreadable(String why) {
        return Status.of(Code.INTERNAL, "grpc: error unmarshalling request: proto: " + why);
    }
}
