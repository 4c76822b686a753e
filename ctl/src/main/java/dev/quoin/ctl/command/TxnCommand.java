package dev.quoin.ctl.command;

import java.util.List;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.Compare.CompareResult;
import dev.quoin.api.etcdserverpb.Compare.CompareTarget;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.CommandLine;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.text.GoNumbers;
import dev.quoin.ctl.text.Malformed;
import dev.quoin.ctl.text.Scanner;

/** txn: conditions and two lists of requests, a line each, read from standard input (etcd: txn_command.go). */
final class TxnCommand {
    private final Commands commands;
    private final KeyValueCommands keyValue;

    TxnCommand(Commands commands, KeyValueCommands keyValue) {
        this.commands = commands;
        this.keyValue = keyValue;
    }

    Command txn() {
        return new Command("txn [options]", "Txn processes all the requests in one transaction").described("""
                Txn reads multiple etcd requests from standard input and applies them as a single atomic transaction.

                A transaction consists of three components:
                1) a list of conditions,
                2) a list of requests to apply if all the conditions are true,
                3) a list of requests to apply if any condition is false.

                Example interactive stdin usage:

                ---
                etcdctl txn -i
                # compares:
                mod("key1") > "0"

                # success requests (get, put, delete):
                put key1 "overwrote-key1"

                # failure requests (get, put, delete):
                put key1 "created-key1"
                put key2 "some extra key"
                ---

                Refer to https://github.com/etcd-io/etcd/blob/main/etcdctl/README.md#txn-options.""")
                .in(Commands.KEY_VALUE)
                .taking(Flag.bool("interactive", "Input transaction in interactive mode").orShort('i'))
                .doing(commands.action(this::run));
    }

    private void run(Context context) {
        if (!context.arguments().isEmpty()) {
            throw Failure.badArguments("txn command does not accept argument");
        }
        Client client = context.client();
        Lines lines = new Lines(context.streams().in());
        TxnRequest.Builder request = TxnRequest.newBuilder();
        prompt(context, "compares:");
        for (String line = line(lines); !line.isEmpty(); line = line(lines)) {
            request.addCompare(compare(line));
        }
        prompt(context, "success requests (get, put, del):");
        for (String line = line(lines); !line.isEmpty(); line = line(lines)) {
            request.addSuccess(operation(line));
        }
        prompt(context, "failure requests (get, put, del):");
        for (String line = line(lines); !line.isEmpty(); line = line(lines)) {
            request.addFailure(operation(line));
        }
        context.printer().txn(client.call(Method.TXN, request.build(), TxnResponse.parser(), context.deadline()));
    }

    private static void prompt(Context context, String text) {
        if (context.flags().isOn("interactive")) {
            context.print(text + "\n");
            context.streams().out().flush();
        }
    }

    private static String line(Lines lines) {
        String line = lines.next();
        if (line == null) {
            throw Failure.invalidInput("EOF");
        }
        return line.strip();
    }

    /** A condition: {@code mod("key") > "0"}. Of a lease, etcdctl 3.7.1 crashes; 3.8 reads its id as hexadecimal, and so does this. */
    static Compare compare(String line) {
        int open = line.indexOf('(');
        if (open < 0) {
            throw Failure.invalidInput("malformed comparison: " + line);
        }
        String target = line.substring(0, open);
        Compare.Builder compare = Compare.newBuilder();
        byte[] key = {};
        String operator = "";
        byte[] value = {};
        try {
            Scanner scanner = new Scanner(line.substring(open + 1));
            key = scanner.quoted();
            scanner.expect(')');
            operator = scanner.word();
            value = scanner.quoted();
        } catch (Malformed why) {
            throw Failure.invalidInput("malformed comparison: " + line + "; got " + target + "(" + GoQuote.of(key)
                    + ") " + operator + " " + GoQuote.of(value));
        }
        compare.setKey(ByteString.copyFrom(key));
        try {
            aim(compare, target, ByteString.copyFrom(value), line);
        } catch (Malformed why) {
            throw Failure.invalidInput("invalid txn compare request: " + line);
        }
        return compare.setResult(result(operator, line)).build();
    }

    private static void aim(Compare.Builder compare, String target, ByteString value, String line) throws Malformed {
        switch (target) {
            case "ver", "version" -> compare.setTarget(CompareTarget.VERSION)
                    .setVersion(GoNumbers.parseInt(value.toStringUtf8(), 10));
            case "c", "create" -> compare.setTarget(CompareTarget.CREATE)
                    .setCreateRevision(GoNumbers.parseInt(value.toStringUtf8(), 10));
            case "m", "mod" -> compare.setTarget(CompareTarget.MOD)
                    .setModRevision(GoNumbers.parseInt(value.toStringUtf8(), 10));
            case "val", "value" -> compare.setTarget(CompareTarget.VALUE).setValue(value);
            case "lease" -> compare.setTarget(CompareTarget.LEASE)
                    .setLease(GoNumbers.parseInt(value.toStringUtf8(), 16));
            default -> throw Failure
                    .invalidInput("malformed comparison: " + line + " (unknown target " + target + ")");
        }
    }

    /** etcdctl crashes at an operator that it does not know. */
    private static CompareResult result(String operator, String line) {
        return switch (operator) {
            case "=" -> CompareResult.EQUAL;
            case "!=" -> CompareResult.NOT_EQUAL;
            case ">" -> CompareResult.GREATER;
            case "<" -> CompareResult.LESS;
            default -> throw Failure.invalidInput("malformed comparison: " + line + " (unknown operator " + operator
                    + ": use =, !=, > or <)");
        };
    }

    private RequestOp operation(String line) {
        List<String> words = Words.of(line);
        if (words.size() < 2) {
            throw Failure.invalidInput("invalid txn compare request: " + line);
        }
        List<String> rest = words.subList(1, words.size());
        try {
            return switch (words.get(0)) {
                case "put" -> RequestOp.newBuilder()
                        .setRequestPut(keyValue.putRequest(CommandLine.parse(keyValue.put(), rest))).build();
                case "get" -> RequestOp.newBuilder()
                        .setRequestRange(KeyValueCommands.rangeRequest(CommandLine.parse(keyValue.get(), rest)))
                        .build();
                case "del" -> RequestOp.newBuilder()
                        .setRequestDeleteRange(keyValue.deleteRequest(CommandLine.parse(keyValue.del(), rest)))
                        .build();
                default -> throw Failure.invalidInput("invalid txn request: " + line);
            };
        } catch (Malformed why) {
            throw Failure.invalidInput("invalid txn request: " + line);
        }
    }
}
