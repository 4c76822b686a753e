package dev.quoin.ctl.command;

import dev.quoin.api.authpb.UserAddOptions;
import dev.quoin.api.etcdserverpb.AuthRoleGetRequest;
import dev.quoin.api.etcdserverpb.AuthRoleGetResponse;
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
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Method;

/** user add, delete, get, list, passwd, grant-role and revoke-role (etcd: user_command.go). */
final class UserCommands {
    private static final String INTERACTIVE = "interactive";

    private final Commands commands;

    UserCommands(Commands commands) {
        this.commands = commands;
    }

    Command user() {
        return new Command("user <subcommand>", "User related commands. Use `etcdctl user --help` to see subcommands")
                .described("User related commands").in(Commands.AUTHENTICATION)
                .of(new Command("add <user name or user:password> [options]", "Adds a new user")
                        .taking(Flag.of(INTERACTIVE, Flag.Kind.BOOL, "true",
                                "Read password from stdin instead of interactive terminal"),
                                Flag.string("new-user-password", "", "Supply password from the command line flag"),
                                Flag.bool("no-password", "Create a user without password (CN based auth only)"))
                        .doing(commands.action(UserCommands::add)),
                        new Command("delete <user name>", "Deletes a user")
                                .doing(commands.action(UserCommands::delete)),
                        new Command("get <user name> [options]", "Gets detailed information of a user")
                                .taking(Flag.bool("detail", "Show permissions of roles granted to the user"))
                                .doing(commands.action(UserCommands::get)),
                        new Command("list", "Lists all users").doing(commands.action(UserCommands::list)),
                        new Command("passwd <user name> [options]", "Changes password of user")
                                .taking(Flag.of(INTERACTIVE, Flag.Kind.BOOL, "true",
                                        "If true, read password from stdin instead of interactive terminal"))
                                .doing(commands.action(UserCommands::passwd)),
                        new Command("grant-role <user name> <role name>", "Grants a role to a user")
                                .doing(commands.action(UserCommands::grantRole)),
                        new Command("revoke-role <user name> <role name>", "Revokes a role from a user")
                                .doing(commands.action(UserCommands::revokeRole)));
    }

    private static void add(Context context) {
        context.expectArguments(1, "user add command requires user name as its argument");
        String user = context.argument(0);
        String password = "";
        boolean hasPassword = !context.flags().isOn("no-password");
        String given = context.flags().text("new-user-password");
        int colon = user.indexOf(':');
        if (hasPassword && !given.isEmpty()) {
            password = given;
        } else if (hasPassword && colon >= 0) {
            password = user.substring(colon + 1);
            user = user.substring(0, colon);
            if (user.isEmpty()) {
                throw Failure.badArguments("empty user name is not allowed");
            }
        } else if (hasPassword) {
            password = asked(context, user);
        }
        AuthUserAddRequest request = AuthUserAddRequest.newBuilder().setName(user).setPassword(password)
                .setOptions(UserAddOptions.newBuilder().setNoPassword(!hasPassword)).build();
        AuthUserAddResponse answer = context.client().call(Method.USER_ADD, request, AuthUserAddResponse.parser(),
                context.deadline());
        context.printer().done("User " + user + " created", answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static String asked(Context context, String user) {
        Prompt prompt = new Prompt(context.streams());
        if (context.flags().isOn(INTERACTIVE)) {
            return prompt.newPassword(user);
        }
        String word = prompt.word();
        return word == null ? "" : word;
    }

    private static void delete(Context context) {
        context.expectArguments(1, "user delete command requires user name as its argument");
        String user = context.argument(0);
        AuthUserDeleteResponse answer = context.client().call(Method.USER_DELETE,
                AuthUserDeleteRequest.newBuilder().setName(user).build(), AuthUserDeleteResponse.parser(),
                context.deadline());
        context.printer().done("User " + user + " deleted", answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static void get(Context context) {
        context.expectArguments(1, "user get command requires user name as its argument");
        String user = context.argument(0);
        Client client = context.client();
        AuthUserGetResponse answer = client.call(Method.USER_GET,
                AuthUserGetRequest.newBuilder().setName(user).build(), AuthUserGetResponse.parser(),
                context.deadline());
        if (!context.flags().isOn("detail")) {
            context.printer().user(user, answer);
            return;
        }
        context.print("User: " + user + "\n");
        for (String role : answer.getRolesList()) {
            context.print("\n");
            context.printer().role(role, client.call(Method.ROLE_GET,
                    AuthRoleGetRequest.newBuilder().setRole(role).build(), AuthRoleGetResponse.parser(),
                    context.deadline()));
        }
    }

    private static void list(Context context) {
        context.expectArguments(0, "user list command requires no arguments");
        context.printer().users(context.client().call(Method.USER_LIST, AuthUserListRequest.getDefaultInstance(),
                AuthUserListResponse.parser(), context.deadline()));
    }

    private static void passwd(Context context) {
        context.expectArguments(1, "user passwd command requires user name as its argument");
        String user = context.argument(0);
        AuthUserChangePasswordRequest request = AuthUserChangePasswordRequest.newBuilder().setName(user)
                .setPassword(asked(context, user)).build();
        AuthUserChangePasswordResponse answer = context.client().call(Method.USER_CHANGE_PASSWORD, request,
                AuthUserChangePasswordResponse.parser(), context.deadline());
        context.printer().done("Password updated", answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static void grantRole(Context context) {
        context.expectArguments(2, "user grant command requires user name and role name as its argument");
        String user = context.argument(0);
        String role = context.argument(1);
        AuthUserGrantRoleResponse answer = context.client().call(Method.USER_GRANT_ROLE,
                AuthUserGrantRoleRequest.newBuilder().setUser(user).setRole(role).build(),
                AuthUserGrantRoleResponse.parser(), context.deadline());
        context.printer().done("Role " + role + " is granted to user " + user,
                answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static void revokeRole(Context context) {
        context.expectArguments(2, "user revoke-role requires user name and role name as its argument");
        String user = context.argument(0);
        String role = context.argument(1);
        AuthUserRevokeRoleResponse answer = context.client().call(Method.USER_REVOKE_ROLE,
                AuthUserRevokeRoleRequest.newBuilder().setName(user).setRole(role).build(),
                AuthUserRevokeRoleResponse.parser(), context.deadline());
        context.printer().done("Role " + role + " is revoked from user " + user,
                answer.hasHeader() ? answer.getHeader() : null, answer);
    }
}
