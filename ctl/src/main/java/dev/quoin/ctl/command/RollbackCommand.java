package dev.quoin.ctl.command;

import java.util.HexFormat;

import com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.rpc.RpcException;

/**
 * quoin rollback: gives a key the value that it had at an earlier revision. What it replaces is what it has shown: the transaction holds
 * only if the key's modification revision is the one that was read. The lease stays as it is, since a lease of then may be over.
 */
final class RollbackCommand {
    private static final String TO_REVISION = "to-rev";
    private static final String DELETE = "delete";
    private static final String DRY_RUN = "dry-run";
    /** How much of a value is shown. */
    private static final int SHOWN_BYTES_MAX = 256;

    private final Commands commands;

    RollbackCommand(Commands commands) {
        this.commands = commands;
    }

    Command rollback() {
        return new Command("rollback <key> --to-rev <revision>", "Gives a key the value it had at an earlier revision")
                .described("""
                        Reads a key as it was at a revision, and writes that value back, unless the key has
                        changed since it was read: then nothing is written. The key's lease stays as it is.

                        A revision that has been compacted cannot be read any more. The revisions of a key are
                        told by "quoin ctl watch KEY --rev=1" and "quoin ctl get KEY -w fields".
                        """)
                .withExamples("  quoin rollback /app/config --to-rev 1042 --dry-run\n"
                        + "  quoin rollback /app/config --to-rev 1042")
                .taking(Flag.number(TO_REVISION, "the revision whose value is written back"),
                        Flag.bool(DELETE, "delete the key if it did not exist at that revision"),
                        Flag.bool(DRY_RUN, "say what would be done, and write nothing"))
                .doing(commands.action(RollbackCommand::run));
    }

    /**
     * A key at two moments.
     *
     * @param now nothing if there is no such key now
     * @param then nothing if there was none
     */
    private record Change(ByteString key, long revision, @Nullable KeyValue now, @Nullable KeyValue then) {
        boolean isNone() {
            return now == null ? then == null : then != null && now.getValue().equals(then.getValue());
        }

        /** Of the key as it is now; 0 for none, as comparisons have it. */
        long modRevision() {
            return now == null ? 0 : now.getModRevision();
        }

        String name() {
            return GoQuote.of(key.toByteArray());
        }
    }

    private static void run(Context context) {
        context.expectArguments(1, "rollback needs one argument, the key");
        long revision = context.flags().number(TO_REVISION);
        if (revision <= 0) {
            throw Failure.badArguments("rollback needs --to-rev with a revision of 1 or more");
        }
        context.configure();
        if (context.flags().text(GlobalFlags.WRITE_OUT).equals("table")) {
            throw Failure.badFeature("table not supported as output format");
        }
        Client client = context.client();
        Change change = read(context, client, ByteString.copyFromUtf8(context.argument(0)), revision);
        say(context, "now:  " + shown(change.now) + "\nthen: " + shown(change.then) + "\n");
        if (change.isNone()) {
            say(context, "Nothing to do: " + change.name() + " is as it was.\n");
            return;
        }
        if (change.then == null && !context.flags().isOn(DELETE)) {
            throw Failure.of(change.name() + " did not exist at revision " + revision
                    + ". To delete it, say --delete. Nothing was written.");
        }
        if (context.flags().isOn(DRY_RUN)) {
            say(context, "Nothing was written: without --dry-run " + change.name() + " would be "
                    + (change.then == null ? "deleted" : "given that value") + ".\n");
            return;
        }
        write(context, client, change);
    }

    private static Change read(Context context, Client client, ByteString key, long revision) {
        RangeResponse now = range(context, client, key, 0);
        if (revision > now.getHeader().getRevision()) {
            throw Failure.of("there is no revision " + revision + " yet: the store is at revision "
                    + now.getHeader().getRevision());
        }
        RangeResponse then;
        try {
            then = range(context, client, key, revision);
        } catch (RpcException why) {
            if (Errors.words(why).equals(Errors.COMPACTED)) {
                throw Failure.of("revision " + revision + " has been compacted: what " + GoQuote.of(key.toByteArray())
                        + " was then cannot be read any more. A snapshot from before may have it: quoin help backup");
            }
            throw why;
        }
        return new Change(key, revision, only(now), only(then));
    }

    private static RangeResponse range(Context context, Client client, ByteString key, long revision) {
        return client.call(Method.RANGE, RangeRequest.newBuilder().setKey(key).setRevision(revision).build(),
                RangeResponse.parser(), context.deadline());
    }

    private static @Nullable KeyValue only(RangeResponse answer) {
        return answer.getKvsCount() == 0 ? null : answer.getKvs(0);
    }

    private static void write(Context context, Client client, Change change) {
        TxnResponse answer;
        try {
            answer = client.call(Method.TXN, transaction(change), TxnResponse.parser(), context.deadline());
        } catch (RpcException why) {
            if (why.outcome() == RpcException.Outcome.UNKNOWN) {
                throw Failure.of(Errors.words(why) + "; whether " + change.name()
                        + " was changed is not known: look at it before you try again");
            }
            throw why;
        }
        if (!answer.getSucceeded()) {
            KeyValue meanwhile = only(answer.getResponses(0).getResponseRange());
            throw Failure.of(change.name() + " has changed meanwhile: it "
                    + (meanwhile == null ? "does not exist any more"
                            : "is of revision " + meanwhile.getModRevision()
                                    + " now")
                    + ". Nothing was written.");
        }
        if (!context.printer().isSimple()) {
            context.printer().txn(answer);
        }
        say(context, change.name() + (change.then == null ? " is deleted"
                : " has its value of revision "
                        + change.revision + " again")
                + ", by revision " + answer.getHeader().getRevision() + ".\n");
    }

    /** Writes only if the key is still what it was. */
    static TxnRequest transaction(ByteString key, long modRevision, @Nullable KeyValue then) {
        Compare unchanged = Compare.newBuilder().setKey(key).setTarget(Compare.CompareTarget.MOD)
                .setResult(Compare.CompareResult.EQUAL).setModRevision(modRevision).build();
        RequestOp.Builder write = RequestOp.newBuilder();
        if (then == null) {
            write.setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key).setPrevKv(true));
        } else {
            write.setRequestPut(PutRequest.newBuilder().setKey(key).setValue(then.getValue()).setPrevKv(true)
                    .setIgnoreLease(modRevision > 0));
        }
        RequestOp look = RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(key)).build();
        return TxnRequest.newBuilder().addCompare(unchanged).addSuccess(write).addFailure(look).build();
    }

    private static TxnRequest transaction(Change change) {
        return transaction(change.key, change.modRevision(), change.then);
    }

    /** For people; where a program reads the answer, beside it. */
    private static void say(Context context, String text) {
        if (context.printer().isSimple()) {
            context.print(text);
        } else {
            context.printError(text);
        }
    }

    private static String shown(@Nullable KeyValue kv) {
        if (kv == null) {
            return "does not exist";
        }
        ByteString value = kv.getValue();
        boolean isLong = value.size() > SHOWN_BYTES_MAX;
        String text = GoQuote.of(value.substring(0, Math.min(value.size(), SHOWN_BYTES_MAX)).toByteArray());
        return "modified at " + kv.getModRevision() + ", version " + kv.getVersion() + ", "
                + (kv.getLease() == 0 ? "no lease" : "lease " + HexFormat.of().toHexDigits(kv.getLease())) + ", value "
                + text
                + (isLong ? "... of " + value.size() + " bytes" : "");
    }
}
