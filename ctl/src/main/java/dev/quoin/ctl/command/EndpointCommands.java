package dev.quoin.ctl.command;

import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.AlarmMember;
import dev.quoin.api.etcdserverpb.AlarmRequest;
import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AlarmType;
import dev.quoin.api.etcdserverpb.HashKVRequest;
import dev.quoin.api.etcdserverpb.HashKVResponse;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.StatusRequest;
import dev.quoin.api.etcdserverpb.StatusResponse;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.print.EndpointHash;
import dev.quoin.ctl.print.EndpointStatus;
import dev.quoin.ctl.print.Health;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;
import dev.quoin.ctl.text.GoDurations;

/** endpoint health, status and hashkv (etcd: ep_command.go). */
final class EndpointCommands {
    private final Commands commands;

    EndpointCommands(Commands commands) {
        this.commands = commands;
    }

    Command endpoint() {
        return new Command("endpoint <subcommand>",
                "Endpoint related commands. Use `etcdctl endpoint --help` to see subcommands")
                .described("Endpoint related commands").in(Commands.MAINTENANCE)
                .handingDown(Flag.bool("cluster", "use all endpoints from the cluster member list"))
                .of(new Command("health", "Checks the healthiness of endpoints specified in `--endpoints` flag")
                        .doing(commands.action(EndpointCommands::health)),
                        new Command("status", "Prints out the status of endpoints specified in `--endpoints` flag")
                                .described(
                                        """
                                                When --write-out is set to simple, this command prints out comma-separated status lists for each endpoint.
                                                The items in the lists are endpoint, ID, version, db size, is leader, is learner, raft term, raft index, raft applied index, errors.
                                                """)
                                .doing(commands.action(EndpointCommands::status)),
                        new Command("hashkv", "Prints the KV history hash for each endpoint in --endpoints")
                                .handingDown(Flag.number("rev", "maximum revision to hash (default: latest revision)"))
                                .doing(commands.action(EndpointCommands::hash)));
    }

    private static void health(Context context) {
        context.configure();
        List<String> endpoints = context.endpointsOfCluster();
        Deadline deadline = context.deadline();
        List<Thread> askers = new ArrayList<>();
        Health[] health = new Health[endpoints.size()];
        for (int i = 0; i < health.length; i++) {
            int at = i;
            Thread asker = new Thread(() -> health[at] = healthOf(context, endpoints.get(at), deadline));
            asker.setDaemon(true);
            asker.start();
            askers.add(asker);
        }
        for (Thread asker : askers) {
            join(asker);
        }
        context.printer().endpointHealth(List.of(health));
        for (Health each : health) {
            if (!each.error().isEmpty()) {
                throw Failure.of("unhealthy cluster");
            }
        }
    }

    private static void join(Thread asker) {
        try {
            asker.join();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw Failure.of("interrupted");
        }
    }

    private static Health healthOf(Context context, String endpoint, Deadline deadline) {
        Client client;
        try {
            client = context.client(endpoint);
        } catch (Failure why) {
            return new Health(endpoint, false, "", String.valueOf(why.getMessage()));
        }
        long begin = System.nanoTime();
        String error = "";
        try {
            client.call(Method.RANGE, RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("health")).build(),
                    RangeResponse.parser(), deadline);
        } catch (RpcException why) {
            // A refusal has gone through consensus as well.
            error = Errors.words(why).equals(Errors.PERMISSION_DENIED) ? "" : Errors.words(why);
        }
        String took = GoDurations.text(System.nanoTime() - begin);
        error = error.isEmpty() ? alarms(client, deadline) : error;
        return new Health(endpoint, error.isEmpty(), took, error);
    }

    private static String alarms(Client client, Deadline deadline) {
        try {
            AlarmResponse answer = client.call(Method.ALARM_LIST, AlarmRequest.getDefaultInstance(),
                    AlarmResponse.parser(), deadline);
            StringJoiner names = new StringJoiner(" ", "Active Alarm(s): ", " ").setEmptyValue("");
            for (AlarmMember alarm : answer.getAlarmsList()) {
                names.add(switch (alarm.getAlarmValue()) {
                    case AlarmType.NOSPACE_VALUE -> "NOSPACE";
                    case AlarmType.CORRUPT_VALUE -> "CORRUPT";
                    default -> "UNKNOWN";
                });
            }
            return names.toString();
        } catch (RpcException why) {
            return "Unable to fetch the alarm list";
        }
    }

    private static void status(Context context) {
        List<EndpointStatus> statuses = new ArrayList<>();
        boolean isAnyLost = false;
        for (String endpoint : context.endpointsOfCluster()) {
            Client client = context.client(endpoint);
            try {
                statuses.add(new EndpointStatus(endpoint, client.call(Method.STATUS,
                        StatusRequest.getDefaultInstance(), StatusResponse.parser(), context.deadline())));
            } catch (RpcException why) {
                isAnyLost = true;
                context.printError("Failed to get the status of endpoint " + endpoint + " (" + Errors.words(why)
                        + ")\n");
            }
        }
        context.printer().endpointStatus(statuses);
        if (isAnyLost) {
            throw Failure.silent(Failure.ERROR);
        }
    }

    private static void hash(Context context) {
        HashKVRequest request = HashKVRequest.newBuilder().setRevision(context.flags().number("rev")).build();
        List<EndpointHash> hashes = new ArrayList<>();
        String error = "";
        for (String endpoint : context.endpointsOfCluster()) {
            Client client = context.client(endpoint);
            try {
                hashes.add(new EndpointHash(endpoint,
                        client.call(Method.HASH_KV, request, HashKVResponse.parser(), context.deadline())));
            } catch (RpcException why) {
                error = Errors.words(why);
                context.printError("Failed to get the hash of endpoint " + endpoint + " (" + error + ")\n");
            }
        }
        context.printer().endpointHash(hashes);
        if (!error.isEmpty()) {
            throw Failure.of(error);
        }
    }
}
