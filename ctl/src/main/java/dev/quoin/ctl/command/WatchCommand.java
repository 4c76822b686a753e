package dev.quoin.ctl.command;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.cli.Flags;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.KeyRanges;
import dev.quoin.ctl.client.Watch;
import dev.quoin.ctl.text.Malformed;

/** watch, of keys named on the command line or typed in one after the other (etcd: watch_command.go). */
final class WatchCommand {
    private final Commands commands;

    WatchCommand(Commands commands) {
        this.commands = commands;
    }

    Command watch() {
        return new Command("watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
                "Watches events stream on keys or prefixes").in(Commands.KEY_VALUE)
                .taking(Flag.bool("interactive", "Interactive mode").orShort('i'),
                        Flag.bool("prefix", "Watch on a prefix if prefix is set"),
                        Flag.number("rev", "Revision to start watching"),
                        Flag.bool("prev-kv", "get the previous key-value pair before the event happens"),
                        Flag.bool("progress-notify", "get periodic watch progress notification from server"))
                .doing(commands.action(this::run));
    }

    private void run(Context context) {
        Map<String, String> environment = context.streams().environment();
        WatchArguments.Named named = new WatchArguments.Named(environment.getOrDefault("ETCDCTL_WATCH_KEY", ""),
                environment.getOrDefault("ETCDCTL_WATCH_RANGE_END", ""));
        if (named.key().isEmpty() && !named.rangeEnd().isEmpty()) {
            throw Failure.badArguments("ETCDCTL_WATCH_KEY is empty but got ETCDCTL_WATCH_RANGE_END="
                    + GoQuote.of(named.rangeEnd()));
        }
        if (context.flags().isOn("interactive")) {
            runTyped(context, named);
            return;
        }
        WatchArguments arguments = WatchArguments.ofLine(context.invocation().words(), context.arguments(), named);
        Client client = context.client();
        show(context, new Watch(client, request(arguments.keys(), context.flags()), true), arguments.command());
        throw new Failure(Failure.INTERRUPTED, "watch is canceled by the server");
    }

    private static WatchCreateRequest request(List<String> keys, Flags flags) {
        WatchCreateRequest.Builder request = WatchCreateRequest.newBuilder()
                .setKey(ByteString.copyFromUtf8(keys.get(0))).setStartRevision(flags.number("rev"))
                .setPrevKv(flags.isOn("prev-kv")).setProgressNotify(flags.isOn("progress-notify"));
        if (keys.size() == 2) {
            if (flags.isOn("prefix")) {
                throw Failure.badArguments("`range_end` and `--prefix` are mutually exclusive");
            }
            request.setRangeEnd(ByteString.copyFromUtf8(keys.get(1)));
        }
        if (flags.isOn("prefix")) {
            request.setRangeEnd(KeyRanges.endOf(request.getKey()));
            if (request.getKey().isEmpty()) {
                request.setKey(KeyRanges.ZERO);
            }
        }
        return request.build();
    }

    /** Shows what a watch is told, to its end. */
    private static void show(Context context, Watch watch, List<String> command) {
        for (Watch.Update update = watch.next(); update != null; update = watch.next()) {
            WatchResponse response = update.response();
            // Several watchers may have something to say.
            synchronized (context) {
                if (response.getCanceled()) {
                    context.printError("watch was canceled (" + update.error() + ")\n");
                }
                if (update.isProgress()) {
                    context.print("progress notify: " + response.getHeader().getRevision() + "\n");
                }
                context.printer().watch(response);
                context.streams().out().flush();
            }
            if (!command.isEmpty()) {
                response.getEventsList().forEach(event -> execute(context, command, response, event));
            }
        }
    }

    private static void execute(Context context, List<String> command, WatchResponse response, Event event) {
        String type = event.getType() == Event.EventType.DELETE ? "\"DELETE\"" : "\"PUT\"";
        int exitCode = Child.run(command,
                Map.of("ETCD_WATCH_REVISION", String.valueOf(response.getHeader().getRevision()),
                        "ETCD_WATCH_EVENT_TYPE", type, "ETCD_WATCH_KEY",
                        GoQuote.of(event.getKv().getKey().toByteArray()), "ETCD_WATCH_VALUE",
                        GoQuote.of(event.getKv().getValue().toByteArray())));
        if (exitCode != 0) {
            List<String> quoted = command.stream().map(GoQuote::of).toList();
            context.printError("command " + Commands.listed(quoted) + " error (exit status " + exitCode + ")\n");
            throw Failure.silent(Failure.ERROR);
        }
    }

    private void runTyped(Context context, WatchArguments.Named named) {
        Client client = context.client();
        Lines lines = new Lines(context.streams().in());
        List<Watch> watches = new CopyOnWriteArrayList<>();
        while (true) {
            String line = lines.next();
            if (line == null) {
                throw Failure.invalidInput("error reading watch request line: EOF");
            }
            List<String> words = Words.of(line);
            String verb = words.isEmpty() ? "" : words.get(0);
            switch (verb) {
                case "" -> context.printError("Invalid command: " + line + " (watch and progress supported)\n");
                case "watch" -> {
                    if (words.size() < 2 && named.key().isEmpty()) {
                        context.printError(
                                "Invalid command " + line + " (command type or key is not provided)\n");
                    } else {
                        begin(context, client, line, words.subList(1, words.size()), named, watches);
                    }
                }
                case "progress" -> watches.forEach(Watch::askForProgress);
                default -> context.printError("Invalid command " + line + " (only support watch)\n");
            }
        }
    }

    private void begin(Context context, Client client, String line, List<String> words, WatchArguments.Named named,
            List<Watch> watches) {
        Flags flags;
        try {
            flags = CommandLine.parse(watch(), words);
        } catch (Malformed why) {
            throw WatchArguments.refused(why);
        }
        WatchArguments arguments = WatchArguments.ofTyped(words, flags.arguments(), named);
        WatchCreateRequest request;
        try {
            request = request(arguments.keys(), flags);
        } catch (Failure why) {
            context.printError("Invalid command " + line + " (" + why.getMessage() + ")\n");
            return;
        }
        Watch watch = new Watch(client, request, true);
        watches.add(watch);
        Thread shower = new Thread(() -> {
            try {
                show(context, watch, arguments.command());
            } catch (Failure why) {
                // The command of one event has failed: that is the end of all (etcd exits there and then).
                context.streams().out().flush();
                Runtime.getRuntime().halt(why.exitCode());
            }
        }, "watch");
        shower.setDaemon(true);
        shower.start();
    }
}
