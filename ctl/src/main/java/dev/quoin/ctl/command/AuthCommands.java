package dev.quoin.ctl.command;

import dev.quoin.api.etcdserverpb.AuthDisableRequest;
import dev.quoin.api.etcdserverpb.AuthDisableResponse;
import dev.quoin.api.etcdserverpb.AuthEnableRequest;
import dev.quoin.api.etcdserverpb.AuthEnableResponse;
import dev.quoin.api.etcdserverpb.AuthRoleAddRequest;
import dev.quoin.api.etcdserverpb.AuthRoleAddResponse;
import dev.quoin.api.etcdserverpb.AuthStatusRequest;
import dev.quoin.api.etcdserverpb.AuthStatusResponse;
import dev.quoin.api.etcdserverpb.AuthUserGrantRoleRequest;
import dev.quoin.api.etcdserverpb.AuthUserGrantRoleResponse;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;

/** auth enable, disable and status (etcd: auth_command.go). */
final class AuthCommands {
    private static final String ROOT = "root";

    private final Commands commands;

    AuthCommands(Commands commands) {
        this.commands = commands;
    }

    Command auth() {
        return new Command("auth <enable or disable>",
                "Enable or disable authentication. Use `etcdctl auth --help` to see subcommands")
                .described("Enable or disable authentication").in(Commands.AUTHENTICATION)
                .of(new Command("enable", "Enables authentication").doing(commands.action(AuthCommands::enable)),
                        new Command("disable", "Disables authentication")
                                .doing(commands.action(AuthCommands::disable)),
                        new Command("status", "Returns authentication status")
                                .doing(commands.action(AuthCommands::status)));
    }

    private static void enable(Context context) {
        context.expectArguments(0, "auth enable command does not accept any arguments");
        Client client = context.client();
        Deadline deadline = context.deadline();
        while (true) {
            try {
                client.call(Method.AUTH_ENABLE, AuthEnableRequest.getDefaultInstance(), AuthEnableResponse.parser(),
                        deadline);
                context.print("Authentication Enabled\n");
                return;
            } catch (RpcException why) {
                if (!Errors.words(why).equals(Errors.ROOT_ROLE_NOT_EXIST)) {
                    throw why;
                }
            }
            client.call(Method.ROLE_ADD, AuthRoleAddRequest.newBuilder().setName(ROOT).build(),
                    AuthRoleAddResponse.parser(), deadline);
            client.call(Method.USER_GRANT_ROLE,
                    AuthUserGrantRoleRequest.newBuilder().setUser(ROOT).setRole(ROOT).build(),
                    AuthUserGrantRoleResponse.parser(), deadline);
        }
    }

    private static void disable(Context context) {
        context.expectArguments(0, "auth disable command does not accept any arguments");
        context.client().call(Method.AUTH_DISABLE, AuthDisableRequest.getDefaultInstance(),
                AuthDisableResponse.parser(), context.deadline());
        context.print("Authentication Disabled\n");
    }

    private static void status(Context context) {
        context.expectArguments(0, "auth status command does not accept any arguments");
        context.printer().authStatus(context.client().call(Method.AUTH_STATUS, AuthStatusRequest.getDefaultInstance(),
                AuthStatusResponse.parser(), context.deadline()));
    }
}
