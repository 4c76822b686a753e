package dev.quoin.server;

import java.util.List;
import java.util.function.BiFunction;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.api.authpb.UserAddOptions;
import dev.quoin.api.etcdserverpb.AuthDisableRequest;
import dev.quoin.api.etcdserverpb.AuthDisableResponse;
import dev.quoin.api.etcdserverpb.AuthEnableRequest;
import dev.quoin.api.etcdserverpb.AuthEnableResponse;
import dev.quoin.api.etcdserverpb.AuthRoleAddRequest;
import dev.quoin.api.etcdserverpb.AuthRoleAddResponse;
import dev.quoin.api.etcdserverpb.AuthRoleDeleteRequest;
import dev.quoin.api.etcdserverpb.AuthRoleDeleteResponse;
import dev.quoin.api.etcdserverpb.AuthRoleGetRequest;
import dev.quoin.api.etcdserverpb.AuthRoleGetResponse;
import dev.quoin.api.etcdserverpb.AuthRoleGrantPermissionRequest;
import dev.quoin.api.etcdserverpb.AuthRoleGrantPermissionResponse;
import dev.quoin.api.etcdserverpb.AuthRoleListRequest;
import dev.quoin.api.etcdserverpb.AuthRoleListResponse;
import dev.quoin.api.etcdserverpb.AuthRoleRevokePermissionRequest;
import dev.quoin.api.etcdserverpb.AuthRoleRevokePermissionResponse;
import dev.quoin.api.etcdserverpb.AuthStatusRequest;
import dev.quoin.api.etcdserverpb.AuthStatusResponse;
import dev.quoin.api.etcdserverpb.AuthUserAddRequest;
import dev.quoin.api.etcdserverpb.AuthUserAddResponse;
import dev.quoin.api.etcdserverpb.AuthUserChangePasswordRequest;
import dev.quoin.api.etcdserverpb.AuthUserChangePasswordResponse;
import dev.quoin.api.etcdserverpb.AuthUserDeleteRequest;
import dev.quoin.api.etcdserverpb.AuthUserDeleteResponse;
import dev.quoin.api.etcdserverpb.AuthUserGetRequest;
import dev.quoin.api.etcdserverpb.AuthUserGetResponse;
import dev.quoin.api.etcdserverpb.AuthUserGrantRoleRequest;
import dev.quoin.api.etcdserverpb.AuthUserGrantRoleResponse;
import dev.quoin.api.etcdserverpb.AuthUserListRequest;
import dev.quoin.api.etcdserverpb.AuthUserListResponse;
import dev.quoin.api.etcdserverpb.AuthUserRevokeRoleRequest;
import dev.quoin.api.etcdserverpb.AuthUserRevokeRoleResponse;
import dev.quoin.api.etcdserverpb.AuthenticateRequest;
import dev.quoin.api.etcdserverpb.AuthenticateResponse;
import dev.quoin.api.etcdserverpb.InternalAuthenticateRequest;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.member.Failure;
import dev.quoin.member.Member;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.Method;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;
import dev.quoin.server.auth.Passwords;
import dev.quoin.server.auth.Tokens;
import dev.quoin.server.metrics.LimitMet;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.Outcome;
import dev.quoin.store.Permission;
import dev.quoin.store.Refusal;
import dev.quoin.store.User;

/**
 * etcdserverpb.Auth: users, roles, and how to become somebody (v3_server.go, v3rpc/auth.go). All of it goes through the log,
 * questions too, and is decided there; who may not ask is sent away before ({@link AccessTable}).
 *
 * <p>A password never leaves this class but hashed: it is compared, or hashed, before anything is proposed, and the entry of the
 * log has the hash, or only says that the user was right. If users have changed between the comparison and that entry, both are
 * done again.
 */
final class AuthService {
    private static final Logger LOG = LoggerFactory.getLogger(AuthService.class);
    private static final String SERVICE = "/etcdserverpb.Auth/";
    private static final Access.Check ANYBODY = (view, caller) -> null;

    private final Member member;
    private final Access access;
    private final MemberCalls calls;
    private final Tokens tokens;
    private final Passwords passwords;
    private final LimitMet tooManyPasswords;

    /** @param tooManyPasswords told whose password is not looked at, since so many wait */
    AuthService(Member member, Access access, MemberCalls calls, Tokens tokens, Passwords passwords,
            LimitMet tooManyPasswords) {
        this.member = member;
        this.access = access;
        this.calls = calls;
        this.tokens = tokens;
        this.passwords = passwords;
        this.tooManyPasswords = tooManyPasswords;
    }

    List<Method> methods() {
        return List.of(
                asked("AuthEnable", AuthEnableRequest.parser(), Requests.Kind.AUTH_ENABLE,
                        (header, outcome) -> AuthEnableResponse.newBuilder().setHeader(header).build()),
                asked("AuthDisable", AuthDisableRequest.parser(), Requests.Kind.AUTH_DISABLE,
                        (header, outcome) -> AuthDisableResponse.newBuilder().setHeader(header).build()),
                asked("AuthStatus", AuthStatusRequest.parser(), Requests.Kind.AUTH_STATUS, AuthService::status),
                Unary.method(SERVICE + "Authenticate", AuthenticateRequest.parser(), this::authenticate),
                Unary.method(SERVICE + "UserAdd", AuthUserAddRequest.parser(), this::addUser),
                Unary.method(SERVICE + "UserGet", AuthUserGetRequest.parser(), this::user),
                asked("UserList", AuthUserListRequest.parser(), Requests.Kind.AUTH_USER_LIST, AuthService::users),
                asked("UserDelete", AuthUserDeleteRequest.parser(), Requests.Kind.AUTH_USER_DELETE,
                        (header, outcome) -> AuthUserDeleteResponse.newBuilder().setHeader(header).build()),
                Unary.method(SERVICE + "UserChangePassword", AuthUserChangePasswordRequest.parser(),
                        this::changePassword),
                asked("UserGrantRole", AuthUserGrantRoleRequest.parser(), Requests.Kind.AUTH_USER_GRANT_ROLE,
                        (header, outcome) -> AuthUserGrantRoleResponse.newBuilder().setHeader(header).build()),
                asked("UserRevokeRole", AuthUserRevokeRoleRequest.parser(), Requests.Kind.AUTH_USER_REVOKE_ROLE,
                        (header, outcome) -> AuthUserRevokeRoleResponse.newBuilder().setHeader(header).build()),
                asked("RoleAdd", AuthRoleAddRequest.parser(), Requests.Kind.AUTH_ROLE_ADD,
                        (header, outcome) -> AuthRoleAddResponse.newBuilder().setHeader(header).build()),
                Unary.method(SERVICE + "RoleGet", AuthRoleGetRequest.parser(), this::role),
                asked("RoleList", AuthRoleListRequest.parser(), Requests.Kind.AUTH_ROLE_LIST, AuthService::roles),
                asked("RoleDelete", AuthRoleDeleteRequest.parser(), Requests.Kind.AUTH_ROLE_DELETE,
                        (header, outcome) -> AuthRoleDeleteResponse.newBuilder().setHeader(header).build()),
                asked("RoleGrantPermission", AuthRoleGrantPermissionRequest.parser(),
                        Requests.Kind.AUTH_ROLE_GRANT_PERMISSION,
                        (header, outcome) -> AuthRoleGrantPermissionResponse.newBuilder().setHeader(header).build()),
                asked("RoleRevokePermission", AuthRoleRevokePermissionRequest.parser(),
                        Requests.Kind.AUTH_ROLE_REVOKE_PERMISSION,
                        (header, outcome) -> AuthRoleRevokePermissionResponse.newBuilder().setHeader(header).build()));
    }

    // ---- what is proposed as it came

    private <Q extends MessageLite, A extends MessageLite> Method asked(String name, Parser<Q> parser,
            Requests.Kind kind, BiFunction<ResponseHeader, AuthOutcome, A> answer) {
        return Unary.method(SERVICE + name, parser, (call, request) -> propose(kind, request,
                access.permit(call, Access.Word.OF_THE_LOG, ANYBODY), answer));
    }

    private <A> A propose(Requests.Kind kind, MessageLite request, Caller caller,
            BiFunction<ResponseHeader, AuthOutcome, A> answer) throws StatusException, InterruptedException {
        if (!(calls.propose(kind, request, caller) instanceof Outcome.Auth(long revision, AuthOutcome outcome))) {
            throw Invariant.violation("a request about users has another outcome");
        }
        return answer.apply(calls.header(revision), outcome);
    }

    private AuthUserGetResponse user(Call call, AuthUserGetRequest request)
            throws StatusException, InterruptedException {
        Command command = new Command.Auth(new AuthCommand.UserGet(Bytes.utf8(request.getName())));
        return propose(Requests.Kind.AUTH_USER_GET, request,
                access.permit(call, Access.Word.OF_THE_LOG, Access.doing(command)), AuthService::rolesOfUser);
    }

    private AuthRoleGetResponse role(Call call, AuthRoleGetRequest request)
            throws StatusException, InterruptedException {
        Command command = new Command.Auth(new AuthCommand.RoleGet(Bytes.utf8(request.getRole())));
        return propose(Requests.Kind.AUTH_ROLE_GET, request,
                access.permit(call, Access.Word.OF_THE_LOG, Access.doing(command)), AuthService::permissionsOfRole);
    }

    // ---- answers

    private static AuthStatusResponse status(ResponseHeader header, AuthOutcome outcome) {
        AuthOutcome.Status status = (AuthOutcome.Status) outcome;
        return AuthStatusResponse.newBuilder().setHeader(header).setEnabled(status.enabled())
                .setAuthRevision(status.authRevision()).build();
    }

    private static AuthUserGetResponse rolesOfUser(ResponseHeader header, AuthOutcome outcome) {
        return AuthUserGetResponse.newBuilder().setHeader(header)
                .addAllRoles(texts(((AuthOutcome.UserRoles) outcome).roles())).build();
    }

    private static AuthUserListResponse users(ResponseHeader header, AuthOutcome outcome) {
        return AuthUserListResponse.newBuilder().setHeader(header)
                .addAllUsers(texts(((AuthOutcome.Users) outcome).names())).build();
    }

    private static AuthRoleListResponse roles(ResponseHeader header, AuthOutcome outcome) {
        return AuthRoleListResponse.newBuilder().setHeader(header)
                .addAllRoles(texts(((AuthOutcome.Roles) outcome).names())).build();
    }

    private static AuthRoleGetResponse permissionsOfRole(ResponseHeader header, AuthOutcome outcome) {
        AuthRoleGetResponse.Builder response = AuthRoleGetResponse.newBuilder().setHeader(header);
        for (Permission permission : ((AuthOutcome.RolePermissions) outcome).permissions()) {
            response.addPerm(dev.quoin.api.authpb.Permission.newBuilder().setPermTypeValue(permission.type())
                    .setKey(string(permission.range().key())).setRangeEnd(string(permission.range().rangeEnd())));
        }
        return response.build();
    }

    private static List<String> texts(List<Bytes> names) {
        return names.stream().map(Bytes::toUtf8).toList();
    }

    private static ByteString string(Bytes bytes) {
        return ByteString.copyFrom(bytes.array(), bytes.offset(), bytes.length());
    }

    // ---- passwords

    /** What was sent as a hash is not taken for one: the password is hashed, if it is that kind of user (v3_server.go UserAdd). */
    private AuthUserAddResponse addUser(Call call, AuthUserAddRequest request)
            throws StatusException, InterruptedException {
        Caller caller = access.permit(call, Access.Word.OF_THE_LOG, Access.ROOT);
        UserAddOptions options = request.getOptions();
        AuthUserAddRequest.Builder hashed = request.toBuilder().clearPassword();
        if (!options.getNoPassword()) {
            hashed.setHashedPassword(hash(call, request.getPassword()));
        }
        return propose(Requests.Kind.AUTH_USER_ADD, hashed.build(), caller,
                (header, outcome) -> AuthUserAddResponse.newBuilder().setHeader(header).build());
    }

    private AuthUserChangePasswordResponse changePassword(Call call, AuthUserChangePasswordRequest request)
            throws StatusException, InterruptedException {
        Caller caller = access.permit(call, Access.Word.OF_THE_LOG, Access.ROOT);
        AuthUserChangePasswordRequest.Builder hashed = request.toBuilder().clearPassword();
        if (!request.getPassword().isEmpty()) {
            hashed.setHashedPassword(hash(call, request.getPassword()));
        }
        return propose(Requests.Kind.AUTH_USER_CHANGE_PASSWORD, hashed.build(), caller,
                (header, outcome) -> AuthUserChangePasswordResponse.newBuilder().setHeader(header).build());
    }

    private String hash(Call call, String password) throws StatusException, InterruptedException {
        try {
            return passwords.hash(password);
        } catch (Passwords.TooLong tooLong) {
            throw new StatusException(Status.Code.UNKNOWN, String.valueOf(tooLong.getMessage()));
        } catch (Passwords.Busy busy) {
            throw tooMany(call);
        }
    }

    private StatusException tooMany(Call call) {
        tooManyPasswords.by(call.peer().address());
        return new StatusException(Errors.of(Failure.TOO_MANY_REQUESTS));
    }

    private AuthenticateResponse authenticate(Call call, AuthenticateRequest request)
            throws StatusException, InterruptedException {
        calls.linearize();
        while (!call.cancelled()) {
            long checkedAt = check(call, request);
            InternalAuthenticateRequest login = InternalAuthenticateRequest.newBuilder().setName(request.getName())
                    .setSimpleToken(tokens.prefix()).build();
            Outcome outcome = calls.propose(Requests.Kind.AUTHENTICATE, login, Caller.NONE);
            if (!(outcome instanceof Outcome.Auth(long revision, AuthOutcome.Authenticated authenticated))) {
                throw Invariant.violation("a login has another outcome");
            }
            if (member.view().auth().revision() == checkedAt) {
                return AuthenticateResponse.newBuilder().setHeader(calls.header(revision))
                        .setToken(token(authenticated)).build();
            }
            LOG.info("revision when password checked became stale; retrying");
        }
        throw new StatusException(Errors.CANCELLED);
    }

    private String token(AuthOutcome.Authenticated authenticated) throws StatusException {
        try {
            return tokens.issue(authenticated);
        } catch (Tokens.Refused refused) {
            String why = refused.getMessage();
            throw new StatusException(
                    why == null ? Errors.of(Refusal.AUTH_FAILED) : Status.of(Status.Code.UNKNOWN, why));
        }
    }

    /**
     * Compares the password.
     *
     * @return the revision of users at which it was right
     */
    private long check(Call call, AuthenticateRequest request) throws StatusException, InterruptedException {
        AuthView auth = member.view().auth();
        if (!auth.enabled()) {
            throw new StatusException(Errors.of(Refusal.AUTH_NOT_ENABLED));
        }
        Refusal refusal = refusal(call, auth.user(Bytes.utf8(request.getName())), request.getPassword());
        if (refusal == null) {
            return auth.revision();
        }
        Status status = Errors.of(refusal);
        LOG.atWarn().addKeyValue("user", request.getName()).addKeyValue("error", status.message())
                .log("invalid authentication was requested");
        throw new StatusException(status);
    }

    private @Nullable Refusal refusal(Call call, @Nullable User user, String password)
            throws StatusException, InterruptedException {
        if (user == null) {
            return Refusal.AUTH_FAILED;
        }
        if (!user.hasPassword()) {
            return Refusal.NO_PASSWORD_USER;
        }
        try {
            return passwords.matches(user, password) ? null : Refusal.AUTH_FAILED;
        } catch (Passwords.Busy busy) {
            throw tooMany(call);
        }
    }
}
