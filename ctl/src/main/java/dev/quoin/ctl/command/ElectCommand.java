package dev.quoin.ctl.command;

import java.util.List;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.KeyRanges;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.client.Place;
import dev.quoin.ctl.client.Session;
import dev.quoin.ctl.client.Watch;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;

/** elect: leads until a signal comes, or tells who leads (etcd: elect_command.go, client/v3/concurrency/election.go). */
final class ElectCommand {
    private final Commands commands;

    ElectCommand(Commands commands) {
        this.commands = commands;
    }

    Command elect() {
        return new Command("elect <election-name> [proposal]", "Observes and participates in leader election")
                .in(Commands.CONCURRENCY).taking(Flag.bool("listen", "observation mode").orShort('l'))
                .doing(commands.action(ElectCommand::run));
    }

    private static void run(Context context) {
        List<String> arguments = context.arguments();
        if (arguments.size() != 1 && arguments.size() != 2) {
            throw Failure.badArguments(
                    "elect takes one election name argument and an optional proposal argument");
        }
        boolean listens = context.flags().isOn("listen");
        Client client = context.client();
        if (arguments.size() == 1) {
            if (!listens) {
                throw Failure.badArguments("no proposal argument but -l not set");
            }
            observe(context, client, arguments.get(0));
            return;
        }
        if (listens) {
            throw Failure.badArguments("proposal given but -l is set");
        }
        campaign(context, client, arguments.get(0), arguments.get(1));
    }

    private static void campaign(Context context, Client client, String election, String proposal) {
        Session session = new Session(client, Session.DEFAULT_TTL);
        Place place = new Place(session, election);
        Interruption interruption = Interruption.ofThisThread();
        try {
            place.acquire(ByteString.copyFromUtf8(proposal));
        } catch (RpcException | Failure why) {
            Thread.interrupted();
            place.leave(context.deadline());
            throw why;
        }
        context.printer().get(place.held(), false);
        context.streams().out().flush();
        session.awaitExpiry();
        if (!interruption.hasCome()) {
            throw Failure.of("elect: session expired");
        }
        place.leave(context.deadline());
    }

    /** Shows each leader, and each thing a leader says, until a signal comes. */
    private static void observe(Context context, Client client, String election) {
        Interruption interruption = Interruption.ofThisThread();
        ByteString prefix = ByteString.copyFromUtf8(election + "/");
        try {
            while (true) {
                RangeResponse leader = leader(client, prefix);
                if (leader == null) {
                    break;
                }
                context.printer().get(leader, false);
                context.streams().out().flush();
                if (!follow(context, client, leader)) {
                    break;
                }
            }
        } catch (RpcException why) {
            if (interruption.hasCome()) {
                return;
            }
            throw Failure.of("elect: observer lost");
        }
        throw Failure.of("elect: observer lost");
    }

    /** Who leads, or the first who will; nothing if the watch for one was lost. */
    private static @Nullable RangeResponse leader(Client client, ByteString prefix) {
        RangeRequest request = RangeRequest.newBuilder().setKey(prefix).setRangeEnd(KeyRanges.endOf(prefix))
                .setLimit(1).setSortOrder(RangeRequest.SortOrder.ASCEND)
                .setSortTarget(RangeRequest.SortTarget.CREATE).build();
        RangeResponse answer = client.call(Method.RANGE, request, RangeResponse.parser(), Deadline.NEVER);
        if (answer.getKvsCount() > 0) {
            return shown(answer.getHeader(), answer.getKvs(0));
        }
        WatchCreateRequest create = WatchCreateRequest.newBuilder().setKey(prefix)
                .setRangeEnd(KeyRanges.endOf(prefix)).setStartRevision(answer.getHeader().getRevision()).build();
        try (Watch watch = new Watch(client, create, false)) {
            for (Watch.Update update = watch.next(); update != null && update.error() == null; update = watch.next()) {
                for (Event event : update.response().getEventsList()) {
                    if (event.getType() == Event.EventType.PUT) {
                        ResponseHeader header = update.response().getHeader().toBuilder()
                                .setRevision(event.getKv().getModRevision()).build();
                        return shown(header, event.getKv());
                    }
                }
            }
            return null;
        }
    }

    private static RangeResponse shown(ResponseHeader header, KeyValue leader) {
        return RangeResponse.newBuilder().setHeader(header).addKvs(leader).build();
    }

    /** Shows what a leader says until it does not lead any more; false if the watch was lost. */
    private static boolean follow(Context context, Client client, RangeResponse leader) {
        WatchCreateRequest create = WatchCreateRequest.newBuilder().setKey(leader.getKvs(0).getKey())
                .setStartRevision(leader.getHeader().getRevision() + 1).build();
        try (Watch watch = new Watch(client, create, false)) {
            for (Watch.Update update = watch.next(); update != null && update.error() == null; update = watch.next()) {
                for (Event event : update.response().getEventsList()) {
                    if (event.getType() == Event.EventType.DELETE) {
                        return true;
                    }
                    context.printer().get(shown(update.response().getHeader(), event.getKv()), false);
                    context.streams().out().flush();
                }
            }
            return false;
        }
    }
}
