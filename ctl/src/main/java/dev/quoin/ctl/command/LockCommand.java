package dev.quoin.ctl.command;

import java.util.List;
import java.util.Map;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Place;
import dev.quoin.ctl.client.Session;
import dev.quoin.ctl.rpc.RpcException;

/** lock: holds a lock while a program runs, or until a signal comes (etcd: lock_command.go). */
final class LockCommand {
    private final Commands commands;

    LockCommand(Commands commands) {
        this.commands = commands;
    }

    Command lock() {
        return new Command("lock <lockname> [exec-command arg1 arg2 ...]", "Acquires a named lock")
                .in(Commands.CONCURRENCY)
                .taking(Flag.of("ttl", Flag.Kind.INT, "10", "timeout for session"))
                .doing(commands.action(LockCommand::run));
    }

    private static void run(Context context) {
        List<String> arguments = context.arguments();
        if (arguments.isEmpty()) {
            throw Failure.badArguments("lock takes a lock name argument and an optional command to execute");
        }
        Client client = context.client();
        long ttl = context.flags().number("ttl");
        Session session = new Session(client, ttl > 0 ? ttl : Session.DEFAULT_TTL);
        Place place = new Place(session, arguments.get(0));
        Interruption interruption = Interruption.ofThisThread();
        long revision;
        try {
            revision = place.acquire(ByteString.EMPTY);
        } catch (RpcException | Failure why) {
            // Not yet held, or nobody knows: in either case it must not stay.
            giveBack(context, place);
            throw why;
        }
        if (arguments.size() > 1) {
            whileRunning(context, place, arguments.subList(1, arguments.size()), revision);
        } else {
            untilSignal(context, session, place, interruption);
        }
    }

    private static void giveBack(Context context, Place place) {
        // The signal has done what it had to; it must not keep the lock from being given back.
        Thread.interrupted();
        place.leave(context.deadline());
    }

    private static void whileRunning(Context context, Place place, List<String> command, long revision) {
        int exitCode;
        try {
            exitCode = Child.run(command, Map.of("ETCD_LOCK_KEY", place.key().toStringUtf8(), "ETCD_LOCK_REV",
                    String.valueOf(revision)));
        } finally {
            giveBack(context, place);
        }
        if (exitCode != 0) {
            throw new Failure(exitCode, "exit status " + exitCode);
        }
    }

    private static void untilSignal(Context context, Session session, Place place, Interruption interruption) {
        RangeResponse held = place.held();
        if (held.getKvsCount() == 0) {
            throw Failure.of("lock lost on init");
        }
        context.printer().get(held, false);
        context.streams().out().flush();
        session.awaitExpiry();
        if (!interruption.hasCome()) {
            throw Failure.of("session expired");
        }
        giveBack(context, place);
    }
}
