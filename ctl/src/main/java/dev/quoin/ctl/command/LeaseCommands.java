package dev.quoin.ctl.command;

import java.util.concurrent.TimeUnit;

import dev.quoin.api.etcdserverpb.LeaseGrantRequest;
import dev.quoin.api.etcdserverpb.LeaseGrantResponse;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.api.etcdserverpb.LeaseLeasesRequest;
import dev.quoin.api.etcdserverpb.LeaseLeasesResponse;
import dev.quoin.api.etcdserverpb.LeaseRevokeRequest;
import dev.quoin.api.etcdserverpb.LeaseRevokeResponse;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveRequest;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.KeepAlive;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.rpc.RpcException;
import dev.quoin.ctl.text.GoText;

/** lease grant, revoke, timetolive, list and keep-alive (etcd: lease_command.go). */
final class LeaseCommands {
    private final Commands commands;

    LeaseCommands(Commands commands) {
        this.commands = commands;
    }

    Command lease() {
        return new Command("lease <subcommand>",
                "Lease related commands. Use `etcdctl lease --help` to see subcommands")
                .described("Lease related commands").in(Commands.KEY_VALUE)
                .of(new Command("grant <ttl>", "Creates leases").doing(commands.action(LeaseCommands::grant)),
                        new Command("revoke <leaseID>", "Revokes leases")
                                .doing(commands.action(LeaseCommands::revoke)),
                        new Command("timetolive <leaseID> [options]", "Get lease information")
                                .taking(Flag.bool("keys", "Get keys attached to this lease"))
                                .doing(commands.action(LeaseCommands::timeToLive)),
                        new Command("list", "List all active leases").doing(commands.action(LeaseCommands::list)),
                        new Command("keep-alive [options] <leaseID>", "Keeps leases alive (renew)")
                                .taking(Flag.bool("once", "Resets the keep-alive time to its original value and "
                                        + "cobrautl.Exits immediately"))
                                .doing(commands.action(LeaseCommands::keepAlive)));
    }

    private static void grant(Context context) {
        context.expectArguments(1, "lease grant command needs TTL argument");
        long ttl = Arguments.timeToLive(context.argument(0));
        Client client = context.client();
        try {
            context.printer().grant(client.call(Method.LEASE_GRANT, LeaseGrantRequest.newBuilder().setTTL(ttl).build(),
                    LeaseGrantResponse.parser(), context.deadline()));
        } catch (RpcException why) {
            throw Failure.of("failed to grant lease (" + Errors.words(why) + ")");
        }
    }

    private static void revoke(Context context) {
        context.expectArguments(1, "lease revoke command needs 1 argument");
        long id = Arguments.lease(context.argument(0));
        Client client = context.client();
        try {
            context.printer().revoke(id, client.call(Method.LEASE_REVOKE,
                    LeaseRevokeRequest.newBuilder().setID(id).build(), LeaseRevokeResponse.parser(),
                    context.deadline()));
        } catch (RpcException why) {
            throw Failure.of("failed to revoke lease (" + Errors.words(why) + ")");
        }
    }

    private static Failure lost(RpcException why) {
        return new Failure(Failure.BAD_CONNECTION, Errors.words(why));
    }

    private static void timeToLive(Context context) {
        context.expectArguments(1, "lease timetolive command needs lease ID as argument");
        boolean withKeys = context.flags().isOn("keys");
        LeaseTimeToLiveRequest request = LeaseTimeToLiveRequest.newBuilder()
                .setID(Arguments.lease(context.argument(0))).setKeys(withKeys).build();
        Client client = context.client();
        try {
            context.printer().timeToLive(client.call(Method.LEASE_TIME_TO_LIVE, request,
                    LeaseTimeToLiveResponse.parser(), context.deadline()), withKeys);
        } catch (RpcException why) {
            throw lost(why);
        }
    }

    private static void list(Context context) {
        Client client = context.client();
        try {
            context.printer().leases(client.call(Method.LEASE_LEASES, LeaseLeasesRequest.getDefaultInstance(),
                    LeaseLeasesResponse.parser(), context.deadline()));
        } catch (RpcException why) {
            throw lost(why);
        }
    }

    private static void keepAlive(Context context) {
        context.expectArguments(1, "lease keep-alive command needs lease ID as argument");
        long id = Arguments.lease(context.argument(0));
        Client client = context.client();
        if (context.flags().isOn("once")) {
            keepAliveOnce(context, client, id);
            return;
        }
        // Until it has been renewed, nobody knows for how long it lives (etcd: client/v3/lease.go, firstKeepAliveTimeout).
        long patience = context.flags().number(GlobalFlags.DIAL_TIMEOUT) + TimeUnit.SECONDS.toNanos(1);
        KeepAlive keepAlive = new KeepAlive(client, id, patience);
        LeaseKeepAliveResponse answer = keepAlive.next();
        while (answer != null) {
            context.printer().keepAlive(answer);
            context.streams().out().flush();
            answer = keepAlive.next();
        }
        if (context.printer().isSimple()) {
            context.print("lease " + GoText.hex16(id) + " expired or revoked.\n");
        }
    }

    private static void keepAliveOnce(Context context, Client client, long id) {
        try {
            LeaseKeepAliveResponse answer = KeepAlive.renew(client, id, context.deadline());
            if (answer.getTTL() <= 0) {
                throw new Failure(Failure.BAD_CONNECTION, Errors.LEASE_NOT_FOUND);
            }
            context.printer().keepAlive(answer);
        } catch (RpcException why) {
            throw lost(why);
        }
    }
}
