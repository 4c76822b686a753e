package dev.quoin.ctl.command;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.CompactionRequest;
import dev.quoin.api.etcdserverpb.CompactionResponse;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.DeleteRangeResponse;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeRequest.SortOrder;
import dev.quoin.api.etcdserverpb.RangeRequest.SortTarget;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.RangeStreamResponse;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.cli.Flags;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.KeyRanges;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.print.Printer;
import dev.quoin.ctl.rpc.Call;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.text.GoNumbers;
import dev.quoin.ctl.text.Malformed;

/** get, put, del and compaction (etcd: get_command.go, put_command.go, del_command.go, compaction_command.go). */
final class KeyValueCommands {
    private static final long WARNED_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Commands commands;

    KeyValueCommands(Commands commands) {
        this.commands = commands;
    }

    Command get() {
        return new Command("get [options] <key> [range_end]", "Gets the key or a range of keys")
                .in(Commands.KEY_VALUE)
                .taking(Flag.string("consistency", "l", "Linearizable(l) or Serializable(s)"),
                        Flag.string("order", "", "Order of results; ASCEND or DESCEND (ASCEND by default)"),
                        Flag.string("sort-by", "", "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION"),
                        Flag.number("limit", "Maximum number of results"),
                        Flag.bool("prefix", "Get keys with matching prefix"),
                        Flag.bool("from-key", "Get keys that are greater than or equal to the given key using byte "
                                + "compare"),
                        Flag.number("rev", "Specify the kv revision"), Flag.bool("keys-only", "Get only the keys"),
                        Flag.bool("count-only", "Get only the count"),
                        Flag.bool("print-value-only", "Only write values when using the \"simple\" output format"),
                        Flag.number("min-create-rev", "Minimum create revision"),
                        Flag.number("max-create-rev", "Maximum create revision"),
                        Flag.number("min-mod-rev", "Minimum modification revision"),
                        Flag.number("max-mod-rev", "Maximum modification revision"),
                        Flag.bool("stream", "Use the RangeStream RPC"))
                .doing(commands.action(this::doGet));
    }

    private void doGet(Context context) {
        RangeRequest request = rangeRequest(context.flags());
        Client client = context.client();
        RangeResponse answer = context.flags().isOn("stream") ? stream(client, request, context.deadline())
                : client.call(Method.RANGE, request, RangeResponse.parser(), context.deadline());
        Printer printer = context.printer();
        if (context.flags().isOn("count-only") && !printer.isFields()) {
            throw Failure.badArguments("--count-only is only for `--write-out=fields`");
        }
        boolean isValueOnly = context.flags().isOn("print-value-only");
        if (isValueOnly && !printer.isSimple()) {
            throw Failure.badArguments("print-value-only is only for `--write-out=simple`");
        }
        printer.get(answer, isValueOnly);
    }

    private static RangeResponse stream(Client client, RangeRequest request, Deadline deadline) {
        RangeResponse.Builder whole = RangeResponse.newBuilder();
        try (Call call = client.begin(Method.RANGE_STREAM, Map.of(), deadline)) {
            call.sendLast(request.toByteArray());
            byte[] part = call.receive();
            while (part != null) {
                whole.mergeFrom(Client.parse(RangeStreamResponse.parser(), part).getRangeResponse());
                part = call.receive();
            }
        }
        return whole.build();
    }

    /** What flags and arguments of get ask for. */
    static RangeRequest rangeRequest(Flags flags) {
        List<String> arguments = flags.arguments();
        if (arguments.isEmpty()) {
            throw Failure.badArguments(
                    "get command needs one argument as key and an optional argument as range_end");
        }
        if (flags.isOn("prefix") && flags.isOn("from-key")) {
            throw Failure.badArguments("`--prefix` and `--from-key` cannot be set at the same time, choose one");
        }
        if (flags.isOn("keys-only") && flags.isOn("count-only")) {
            throw Failure.badArguments("`--keys-only` and `--count-only` cannot be set at the same time, choose one");
        }
        RangeRequest.Builder request = RangeRequest.newBuilder()
                .setSerializable(isSerializable(flags.text("consistency")));
        request.setKey(ByteString.copyFromUtf8(arguments.get(0)));
        if (arguments.size() > 1) {
            refuseEnd(flags);
            request.setRangeEnd(ByteString.copyFromUtf8(arguments.get(1)));
        }
        request.setLimit(flags.number("limit")).setRevision(Math.max(0, flags.number("rev")));
        SortTarget target = sortTarget(flags.text("sort-by"));
        SortOrder order = sortOrder(flags.text("order"));
        // Keys come in this order anyway; asked for it, a server would read them all first.
        boolean isNatural = target == SortTarget.KEY && order == SortOrder.ASCEND;
        request.setSortTarget(target).setSortOrder(isNatural ? SortOrder.NONE : order);
        if (flags.isOn("prefix") || flags.isOn("from-key")) {
            request.setRangeEnd(end(request.getKey(), flags));
            request.setKey(orFirst(request.getKey()));
        }
        request.setKeysOnly(flags.isOn("keys-only")).setCountOnly(flags.isOn("count-only"));
        bounds(flags, request);
        return request.build();
    }

    private static void bounds(Flags flags, RangeRequest.Builder request) {
        long minCreate = Math.max(0, flags.number("min-create-rev"));
        long maxCreate = Math.max(0, flags.number("max-create-rev"));
        if (maxCreate > 0 && flags.number("min-create-rev") > maxCreate) {
            throw Failure.badFeature(
                    "getMinCreateRev(=" + minCreate + ") > getMaxCreateRev(=" + maxCreate + ")");
        }
        long minMod = Math.max(0, flags.number("min-mod-rev"));
        long maxMod = Math.max(0, flags.number("max-mod-rev"));
        if (maxMod > 0 && flags.number("min-mod-rev") > maxMod) {
            throw Failure.badFeature("getMinModRev(=" + minMod + ") > getMaxModRev(=" + maxMod + ")");
        }
        request.setMinCreateRevision(minCreate).setMaxCreateRevision(maxCreate).setMinModRevision(minMod)
                .setMaxModRevision(maxMod);
    }

    /** Whether {@code s} was given, and not {@code l}. */
    static boolean isSerializable(String consistency) {
        return switch (consistency) {
            case "s" -> true;
            case "l" -> false;
            default -> throw Failure.badFeature("unknown consistency flag " + GoQuote.of(consistency));
        };
    }

    private static SortOrder sortOrder(String text) {
        return switch (text.toUpperCase(Locale.ROOT)) {
            case "" -> SortOrder.NONE;
            case "ASCEND" -> SortOrder.ASCEND;
            case "DESCEND" -> SortOrder.DESCEND;
            default -> throw Failure.badFeature("bad sort order " + text);
        };
    }

    private static SortTarget sortTarget(String text) {
        return switch (text.toUpperCase(Locale.ROOT)) {
            case "", "KEY" -> SortTarget.KEY;
            case "CREATE" -> SortTarget.CREATE;
            case "MODIFY" -> SortTarget.MOD;
            case "VALUE" -> SortTarget.VALUE;
            case "VERSION" -> SortTarget.VERSION;
            default -> throw Failure.badFeature("bad sort target " + text);
        };
    }

    private static void refuseEnd(Flags flags) {
        if (flags.isOn("prefix") || flags.isOn("from-key")) {
            throw Failure.badArguments(
                    "too many arguments, only accept one argument when `--prefix` or `--from-key` is set");
        }
    }

    /** The end of the range that {@code --prefix} or {@code --from-key} makes of a key. */
    private static ByteString end(ByteString key, Flags flags) {
        return flags.isOn("prefix") ? KeyRanges.endOf(key) : KeyRanges.ZERO;
    }

    private static ByteString orFirst(ByteString key) {
        return key.isEmpty() ? KeyRanges.ZERO : key;
    }

    Command put() {
        return new Command("put [options] <key> <value> (<value> can also be given from stdin)",
                "Puts the given key into the store").described("""

                        Puts the given key into the store.

                        When <value> begins with '-', <value> is interpreted as a flag.
                        Insert '--' for workaround:

                        $ put <key> -- <value>
                        $ put -- <key> <value>

                        If <value> isn't given as a command line argument and '--ignore-value' is not specified,
                        this command tries to read the value from standard input.

                        If <lease> isn't given as a command line argument and '--ignore-lease' is not specified,
                        this command tries to read the value from standard input.

                        For example,
                        $ cat file | put <key>
                        will store the content of the file to <key>.
                        """).in(Commands.KEY_VALUE)
                .taking(Flag.string("lease", "0", "lease ID (in hexadecimal) to attach to the key"),
                        Flag.bool("prev-kv", "return the previous key-value pair before modification"),
                        Flag.bool("ignore-value", "updates the key using its current value"),
                        Flag.bool("ignore-lease", "updates the key using its current lease"))
                .doing(commands.action(this::doPut));
    }

    private void doPut(Context context) {
        PutRequest request = putRequest(context.flags());
        PutResponse answer = context.client().call(Method.PUT, request, PutResponse.parser(), context.deadline());
        context.printer().put(answer);
    }

    /** What flags and arguments of put ask for; a value that is missing is read from standard input. */
    PutRequest putRequest(Flags flags) {
        List<String> arguments = flags.arguments();
        if (arguments.isEmpty()) {
            throw missingValue();
        }
        boolean keepsValue = flags.isOn("ignore-value");
        if (keepsValue && arguments.size() > 1) {
            throw Failure.badArguments("put command needs only 1 argument when 'ignore-value' is set");
        }
        PutRequest.Builder request = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(arguments.get(0)))
                .setPrevKv(flags.isOn("prev-kv")).setIgnoreValue(keepsValue)
                .setIgnoreLease(flags.isOn("ignore-lease"));
        if (!keepsValue) {
            request.setValue(arguments.size() > 1 ? ByteString.copyFromUtf8(arguments.get(1)) : fromInput());
        }
        try {
            return request.setLease(GoNumbers.parseInt(flags.text("lease"), 16)).build();
        } catch (Malformed why) {
            throw Failure.badArguments("bad lease ID (" + why.getMessage() + "), expecting ID in Hex");
        }
    }

    private static Failure missingValue() {
        return Failure.badArguments("put command needs 1 argument and input from stdin or 2 arguments");
    }

    private ByteString fromInput() {
        try {
            ByteString value = ByteString.readFrom(commands.streams().in());
            if (value.isEmpty()) {
                throw missingValue();
            }
            return value;
        } catch (IOException why) {
            throw missingValue();
        }
    }

    Command del() {
        return new Command("del [options] <key> [range_end]",
                "Removes the specified key or range of keys [key, range_end)").in(Commands.KEY_VALUE)
                .taking(Flag.bool("prefix", "delete keys with matching prefix"),
                        Flag.bool("prev-kv", "return deleted key-value pairs"),
                        Flag.bool("from-key", "delete keys that are greater than or equal to the given key using byte "
                                + "compare"),
                        Flag.bool("range", "delete range of keys"))
                .doing(commands.action(this::doDel));
    }

    private void doDel(Context context) {
        DeleteRangeRequest request = deleteRequest(context.flags());
        DeleteRangeResponse answer = context.client().call(Method.DELETE_RANGE, request, DeleteRangeResponse.parser(),
                context.deadline());
        context.printer().delete(answer);
    }

    /** What flags and arguments of del ask for. A range that nobody has confirmed is warned of, and time is given. */
    DeleteRangeRequest deleteRequest(Flags flags) {
        List<String> arguments = flags.arguments();
        if (arguments.isEmpty() || arguments.size() > 2) {
            throw Failure.badArguments(
                    "del command needs one argument as key and an optional argument as range_end");
        }
        if (flags.isOn("prefix") && flags.isOn("from-key")) {
            throw Failure.badArguments("`--prefix` and `--from-key` cannot be set at the same time, choose one");
        }
        DeleteRangeRequest.Builder request = DeleteRangeRequest.newBuilder().setPrevKv(flags.isOn("prev-kv"));
        ByteString key = ByteString.copyFromUtf8(arguments.get(0));
        if (arguments.size() > 1) {
            refuseEnd(flags);
            request.setRangeEnd(ByteString.copyFromUtf8(arguments.get(1)));
            if (!flags.isOn("range")) {
                warnOfRange(arguments);
            }
        }
        if (flags.isOn("prefix") || flags.isOn("from-key")) {
            request.setRangeEnd(end(key, flags));
            key = orFirst(key);
        }
        return request.setKey(key).build();
    }

    private void warnOfRange(List<String> arguments) {
        commands.streams().err().print("Warning: Keys between " + GoQuote.of(arguments.get(0)) + " and "
                + GoQuote.of(arguments.get(1))
                + " will be deleted. Please interrupt the command within next 2 seconds "
                + "to cancel. You can provide `--range` flag to avoid the delay.\n");
        try {
            TimeUnit.NANOSECONDS.sleep(WARNED_NANOS);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw Failure.of("interrupted");
        }
    }

    Command compaction() {
        return new Command("compaction [options] <revision>", "Compacts the event history in etcd")
                .in(Commands.KEY_VALUE)
                .taking(Flag.bool("physical",
                        "'true' to wait for compaction to physically remove all old revisions"))
                .doing(commands.action(this::doCompaction));
    }

    private void doCompaction(Context context) {
        context.expectArguments(1, "compaction command needs 1 argument");
        long revision = Arguments.revision(context.argument(0));
        CompactionRequest request = CompactionRequest.newBuilder().setRevision(revision)
                .setPhysical(context.flags().isOn("physical")).build();
        context.client().call(Method.COMPACT, request, CompactionResponse.parser(), context.deadline());
        context.print("compacted revision " + revision + "\n");
    }
}
