package dev.quoin.ctl.command;

import java.util.List;

import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.DefragmentRequest;
import dev.quoin.api.etcdserverpb.DefragmentResponse;
import dev.quoin.api.etcdserverpb.DowngradeRequest;
import dev.quoin.api.etcdserverpb.DowngradeRequest.DowngradeAction;
import dev.quoin.api.etcdserverpb.DowngradeResponse;
import dev.quoin.api.etcdserverpb.MoveLeaderRequest;
import dev.quoin.api.etcdserverpb.MoveLeaderResponse;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;
import dev.quoin.ctl.text.GoDurations;
import dev.quoin.ctl.text.GoNumbers;
import dev.quoin.ctl.text.Malformed;

/** alarm, defrag, move-leader and downgrade (etcd: alarm_command.go, defrag_command.go, move_leader_command.go, downgrade_command.go). */
final class MaintenanceCommands {
    private final Commands commands;

    MaintenanceCommands(Commands commands) {
        this.commands = commands;
    }

    Command alarm() {
        return new Command("alarm <subcommand>",
                "Alarm related commands. Use `etcdctl alarm --help` to see subcommands")
                .described("Alarm related commands").in(Commands.MAINTENANCE)
                .of(new Command("disarm", "Disarms all alarms").doing(commands.action(MaintenanceCommands::disarm)),
                        new Command("list", "Lists all alarms")
                                .doing(commands.action(MaintenanceCommands::listAlarms)));
    }

    private static void listAlarms(Context context) {
        context.expectArguments(0, "alarm list command accepts no arguments");
        Client client = context.client();
        context.printer().alarms(alarms(client, context.deadline()));
    }

    private static AlarmResponse alarms(Client client, Deadline deadline) {
        return client.call(Method.ALARM_LIST, AlarmRequest.getDefaultInstance(), AlarmResponse.parser(), deadline);
    }

    private static void disarm(Context context) {
        context.expectArguments(0, "alarm disarm command accepts no arguments");
        Client client = context.client();
        Deadline deadline = context.deadline();
        // What is shown has no header: it is put together from several answers.
        AlarmResponse.Builder disarmed = AlarmResponse.newBuilder();
        for (AlarmMember alarm : alarms(client, deadline).getAlarmsList()) {
            AlarmRequest request = AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.DEACTIVATE)
                    .setMemberID(alarm.getMemberID()).setAlarmValue(alarm.getAlarmValue()).build();
            disarmed.addAllAlarms(client.call(Method.ALARM_DISARM, request, AlarmResponse.parser(), deadline)
                    .getAlarmsList());
        }
        context.printer().alarms(disarmed.build());
    }

    Command defrag() {
        return new Command("defrag", "Defragments the storage of the etcd members with given endpoints")
                .in(Commands.MAINTENANCE)
                .handingDown(Flag.bool("cluster", "use all endpoints from the cluster member list"))
                .doing(commands.action(MaintenanceCommands::doDefrag));
    }

    private static void doDefrag(Context context) {
        boolean hasFailed = false;
        for (String endpoint : context.endpointsOfCluster()) {
            Client client = context.client(endpoint);
            long begin = System.nanoTime();
            try {
                client.call(Method.DEFRAGMENT, DefragmentRequest.getDefaultInstance(), DefragmentResponse.parser(),
                        context.deadline());
                context.print("Finished defragmenting etcd member[" + endpoint + "]. took "
                        + GoDurations.text(System.nanoTime() - begin) + "\n");
                context.streams().out().flush();
            } catch (RpcException why) {
                hasFailed = true;
                context.printError("Failed to defragment etcd member[" + endpoint + "]. took "
                        + GoDurations.text(System.nanoTime() - begin) + ". (" + Errors.words(why) + ")\n");
            }
        }
        if (hasFailed) {
            throw Failure.silent(Failure.ERROR);
        }
    }

    Command moveLeader() {
        return new Command("move-leader <transferee-member-id>",
                "Transfers leadership to another etcd cluster member.").in(Commands.MAINTENANCE)
                .doing(commands.action(MaintenanceCommands::doMoveLeader));
    }

    private static void doMoveLeader(Context context) {
        context.expectArguments(1, "move-leader command needs 1 argument");
        long target = targetOf(context.argument(0));
        List<String> endpoints = context.endpoints();
        Deadline deadline = context.deadline();
        for (String endpoint : endpoints) {
            Client client = context.client(endpoint);
            StatusResponse status = client.call(Method.STATUS, StatusRequest.getDefaultInstance(),
                    StatusResponse.parser(), deadline);
            if (status.getHeader().getMemberId() == status.getLeader()) {
                MoveLeaderResponse answer = client.call(Method.MOVE_LEADER,
                        MoveLeaderRequest.newBuilder().setTargetID(target).build(), MoveLeaderResponse.parser(),
                        deadline);
                context.printer().moveLeader(status.getLeader(), target, answer);
                return;
            }
        }
        throw Failure.badArguments("no leader endpoint given at " + Commands.listed(endpoints));
    }

    private static long targetOf(String text) {
        try {
            return GoNumbers.parseUint(text, 16);
        } catch (Malformed why) {
            throw Failure.badArguments(String.valueOf(why.getMessage()));
        }
    }

    Command downgrade() {
        return new Command("downgrade <TARGET_VERSION>",
                "Downgrade related commands. Use `etcdctl downgrade --help` to see subcommands")
                .described("Downgrade related commands").in(Commands.MAINTENANCE)
                .of(new Command("validate <TARGET_VERSION>",
                        "Validate downgrade capability before starting downgrade").doing(
                                commands.action(context -> toVersion(context, DowngradeAction.VALIDATE, "validate"))),
                        new Command("enable <TARGET_VERSION>", "Start a downgrade action to cluster").doing(
                                commands.action(context -> toVersion(context, DowngradeAction.ENABLE, "enable"))),
                        new Command("cancel", "Cancel the ongoing downgrade action to cluster").doing(commands
                                .action(context -> downgrade(context, DowngradeAction.CANCEL, "cancel", ""))));
    }

    private static void toVersion(Context context, DowngradeAction action, String name) {
        if (context.arguments().isEmpty()) {
            throw Failure.badArguments("TARGET_VERSION not provided");
        }
        context.expectArguments(1, "too many arguments");
        if (context.argument(0).isEmpty()) {
            throw Failure.badArguments("target version not provided");
        }
        downgrade(context, action, name, context.argument(0));
    }

    private static void downgrade(Context context, DowngradeAction action, String name, String version) {
        DowngradeRequest request = DowngradeRequest.newBuilder().setAction(action).setVersion(version).build();
        context.printer().downgrade(name, context.client().call(Method.DOWNGRADE, request, DowngradeResponse.parser(),
                context.deadline()));
    }
}
