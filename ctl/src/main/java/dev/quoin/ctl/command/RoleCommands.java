package dev.quoin.ctl.command;

import java.util.List;
import java.util.Locale;

import com.google.protobuf.ByteString;

import dev.quoin.api.authpb.Permission;
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
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.cli.Flags;
import dev.quoin.ctl.client.KeyRanges;
import dev.quoin.ctl.client.Method;

/** role add, delete, get, list, grant-permission and revoke-permission (etcd: role_command.go). */
final class RoleCommands {
    private static final String EXCLUSIVE = "--from-key and --prefix flags are mutually exclusive";

    private final Commands commands;

    RoleCommands(Commands commands) {
        this.commands = commands;
    }

    Command role() {
        return new Command("role <subcommand>", "Role related commands. Use `etcdctl role --help` to see subcommands")
                .described("Role related commands").in(Commands.AUTHENTICATION)
                .of(new Command("add <role name>", "Adds a new role").doing(commands.action(RoleCommands::add)),
                        new Command("delete <role name>", "Deletes a role")
                                .doing(commands.action(RoleCommands::delete)),
                        new Command("get <role name>", "Gets detailed information of a role")
                                .doing(commands.action(RoleCommands::get)),
                        new Command("list", "Lists all roles").doing(commands.action(RoleCommands::list)),
                        new Command("grant-permission [options] <role name> <permission type> <key> [endkey]",
                                "Grants a key to a role")
                                .taking(Flag.bool("prefix", "grant a prefix permission"), Flag.bool("from-key",
                                        "grant a permission of keys that are greater than or equal to the given key "
                                                + "using byte compare"))
                                .doing(commands.action(RoleCommands::grant)),
                        new Command("revoke-permission <role name> <key> [endkey]", "Revokes a key from a role")
                                .taking(Flag.bool("prefix", "revoke a prefix permission"), Flag.bool("from-key",
                                        "revoke a permission of keys that are greater than or equal to the given key "
                                                + "using byte compare"))
                                .doing(commands.action(RoleCommands::revoke)));
    }

    private static void add(Context context) {
        context.expectArguments(1, "role add command requires role name as its argument");
        String role = context.argument(0);
        AuthRoleAddResponse answer = context.client().call(Method.ROLE_ADD,
                AuthRoleAddRequest.newBuilder().setName(role).build(), AuthRoleAddResponse.parser(),
                context.deadline());
        context.printer().done("Role " + role + " created", answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static void delete(Context context) {
        context.expectArguments(1, "role delete command requires role name as its argument");
        String role = context.argument(0);
        AuthRoleDeleteResponse answer = context.client().call(Method.ROLE_DELETE,
                AuthRoleDeleteRequest.newBuilder().setRole(role).build(), AuthRoleDeleteResponse.parser(),
                context.deadline());
        context.printer().done("Role " + role + " deleted", answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static void get(Context context) {
        context.expectArguments(1, "role get command requires role name as its argument");
        String role = context.argument(0);
        context.printer().role(role, context.client().call(Method.ROLE_GET,
                AuthRoleGetRequest.newBuilder().setRole(role).build(), AuthRoleGetResponse.parser(),
                context.deadline()));
    }

    private static void list(Context context) {
        context.expectArguments(0, "role list command requires no arguments");
        context.printer().roles(context.client().call(Method.ROLE_LIST, AuthRoleListRequest.getDefaultInstance(),
                AuthRoleListResponse.parser(), context.deadline()));
    }

    private static void grant(Context context) {
        List<String> arguments = context.arguments();
        if (arguments.size() < 3) {
            throw Failure.badArguments(
                    "role grant command requires role name, permission type, and key [endkey] as its argument");
        }
        Permission.Builder permission = Permission.newBuilder().setPermType(type(arguments.get(1)));
        Keys keys = Keys.of(arguments.subList(2, arguments.size()), context.flags());
        permission.setKey(keys.key).setRangeEnd(keys.end);
        String role = arguments.get(0);
        AuthRoleGrantPermissionResponse answer = context.client().call(Method.ROLE_GRANT_PERMISSION,
                AuthRoleGrantPermissionRequest.newBuilder().setName(role).setPerm(permission).build(),
                AuthRoleGrantPermissionResponse.parser(), context.deadline());
        context.printer().done("Role " + role + " updated", answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static Permission.Type type(String text) {
        return switch (text.toUpperCase(Locale.ROOT)) {
            case "READ" -> Permission.Type.READ;
            case "WRITE" -> Permission.Type.WRITE;
            case "READWRITE" -> Permission.Type.READWRITE;
            default -> throw Failure.badArguments("invalid permission type: " + text);
        };
    }

    private static void revoke(Context context) {
        List<String> arguments = context.arguments();
        if (arguments.size() < 2) {
            throw Failure.badArguments(
                    "role revoke-permission command requires role name and key [endkey] as its argument");
        }
        Keys keys = Keys.of(arguments.subList(1, arguments.size()), context.flags());
        String role = arguments.get(0);
        AuthRoleRevokePermissionResponse answer = context.client().call(Method.ROLE_REVOKE_PERMISSION,
                AuthRoleRevokePermissionRequest.newBuilder().setRole(role).setKey(keys.key).setRangeEnd(keys.end)
                        .build(),
                AuthRoleRevokePermissionResponse.parser(), context.deadline());
        context.printer().done("Permission of " + range(arguments.get(1), keys.end) + " is revoked from role " + role,
                answer.hasHeader() ? answer.getHeader() : null, answer);
    }

    private static String range(String key, ByteString end) {
        if (end.isEmpty()) {
            return "key " + key;
        }
        return "range [" + key + ", " + (end.equals(KeyRanges.ZERO) ? "<open ended>" : end.toStringUtf8() + ")");
    }

    /** The keys of a permission; without an end, one key. */
    private record Keys(ByteString key, ByteString end) {
        static Keys of(List<String> arguments, Flags flags) {
            boolean isPrefix = flags.isOn("prefix");
            boolean isFromKey = flags.isOn("from-key");
            if (arguments.get(0).isEmpty()) {
                if (isPrefix && isFromKey) {
                    throw Failure.badArguments(EXCLUSIVE);
                }
                return new Keys(KeyRanges.ZERO, isPrefix || isFromKey ? KeyRanges.ZERO : ByteString.EMPTY);
            }
            ByteString key = ByteString.copyFromUtf8(arguments.get(0));
            if (arguments.size() > 1) {
                if (isPrefix || isFromKey) {
                    throw Failure.badArguments(
                            "unexpected endkey argument with --" + (isPrefix ? "prefix" : "from-key") + " flag");
                }
                return new Keys(key, ByteString.copyFromUtf8(arguments.get(1)));
            }
            if (isPrefix && isFromKey) {
                throw Failure.badArguments(EXCLUSIVE);
            }
            ByteString end = isFromKey ? KeyRanges.ZERO : ByteString.EMPTY;
            return new Keys(key, isPrefix ? KeyRanges.endOf(key) : end);
        }
    }
}
