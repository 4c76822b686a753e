package dev.quoin.ctl.command;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.RequestOp;
import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchCreateRequest;
import dev.quoin.api.mvccpb.Event;
import dev.quoin.api.mvccpb.KeyValue;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.cli.Flags;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Credentials;
import dev.quoin.ctl.client.KeyRanges;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.client.Watch;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.Tls;

/** make-mirror: copies keys to another cluster, and then every change, until it cannot (etcd: make_mirror_command.go, client/v3/mirror). */
final class MirrorCommand {
    private static final int BATCH_KEYS = 1000;
    private static final long REPORT_SECONDS = 30;

    private final Commands commands;

    MirrorCommand(Commands commands) {
        this.commands = commands;
    }

    Command makeMirror() {
        return new Command("make-mirror [options] <destination>", "Makes a mirror at the destination etcd cluster")
                .in(Commands.UTILITY)
                .taking(Flag.string("prefix", "", "Key-value prefix to mirror"),
                        Flag.number("rev", "Specify the kv revision to start to mirror"),
                        Flag.of("max-txn-ops", Flag.Kind.UINT, "128",
                                "Maximum number of operations permitted in a transaction during syncing updates."),
                        Flag.string("dest-prefix", "",
                                "destination prefix to mirror a prefix to a different prefix in the destination cluster"),
                        Flag.bool("no-dest-prefix", "mirror key-values to the root of the destination cluster"),
                        Flag.string("dest-cert", "",
                                "Identify secure client using this TLS certificate file for the destination cluster"),
                        Flag.string("dest-key", "", "Identify secure client using this TLS key file"),
                        Flag.string("dest-cacert", "",
                                "Verify certificates of TLS enabled secure servers using this CA bundle"),
                        Flag.of("dest-insecure-transport", Flag.Kind.BOOL, "true",
                                "Disable transport security for client connections"),
                        Flag.string("dest-user", "", "Destination username[:password] for authentication (prompt if "
                                + "password is not supplied)"),
                        Flag.string("dest-password", "", "Destination password for authentication (if this option is "
                                + "used, --user option shouldn't include password)"))
                .doing(commands.action(context -> new Copy(context).run()));
    }

    /** One run. */
    private static final class Copy {
        private final Context context;
        private final Client destination;
        private final Client source;
        private final ByteString prefix;
        private final ByteString destinationPrefix;
        private final long operationsMax;
        private final AtomicLong copied = new AtomicLong();

        Copy(Context context) {
            context.expectArguments(1, "make-mirror takes one destination argument");
            this.context = context;
            Flags flags = context.flags();
            Tls.Settings tls = new Tls.Settings(flags.text("dest-cert"), flags.text("dest-key"),
                    flags.text("dest-cacert"), "", false);
            Credentials credentials = context.credentials(flags.text("dest-user"), flags.text("dest-password"),
                    "Destination Password: ");
            this.destination = context.client(context.argument(0), tls, flags.isOn("dest-insecure-transport"),
                    credentials);
            this.source = context.client();
            boolean dropsPrefix = flags.isOn("no-dest-prefix");
            if (dropsPrefix && !flags.text("dest-prefix").isEmpty()) {
                throw Failure.badArguments(
                        "`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one");
            }
            this.prefix = ByteString.copyFromUtf8(flags.text("prefix"));
            ByteString given = ByteString.copyFromUtf8(flags.text("dest-prefix"));
            this.destinationPrefix = given.isEmpty() && !dropsPrefix ? prefix : given;
            this.operationsMax = Math.max(1, flags.number("max-txn-ops"));
        }

        void run() {
            Thread reporter = new Thread(this::report, "report");
            reporter.setDaemon(true);
            reporter.start();
            long revision = Math.max(0, context.flags().number("rev") - 1);
            if (revision == 0) {
                revision = copyAll();
            }
            follow(revision + 1);
        }

        private void report() {
            try {
                while (true) {
                    TimeUnit.SECONDS.sleep(REPORT_SECONDS);
                    context.print(copied.get() + "\n");
                    context.streams().out().flush();
                }
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
        }

        private ByteString first() {
            return prefix.isEmpty() ? KeyRanges.ZERO : prefix;
        }

        /** Copies what there is at one revision, and returns that. */
        private long copyAll() {
            RangeRequest.Builder request = RangeRequest.newBuilder().setKey(first())
                    .setRangeEnd(KeyRanges.endOf(prefix))
                    .setLimit(BATCH_KEYS);
            RangeResponse batch = range(request);
            long revision = batch.getHeader().getRevision();
            request.setRevision(revision);
            while (true) {
                for (KeyValue kv : batch.getKvsList()) {
                    PutRequest put = PutRequest.newBuilder().setKey(moved(kv.getKey())).setValue(kv.getValue()).build();
                    destination.call(Method.PUT, put, PutResponse.parser(), Deadline.NEVER);
                    copied.incrementAndGet();
                }
                if (!batch.getMore()) {
                    return revision;
                }
                ByteString last = batch.getKvs(batch.getKvsCount() - 1).getKey();
                batch = range(request.setKey(last.concat(KeyRanges.ZERO)));
            }
        }

        private RangeResponse range(RangeRequest.Builder request) {
            return source.call(Method.RANGE, request.build(), RangeResponse.parser(), Deadline.NEVER);
        }

        private ByteString moved(ByteString key) {
            return destinationPrefix.concat(key.substring(prefix.size()));
        }

        /** Repeats each revision of the source as a transaction, until the watch ends. */
        private void follow(long revision) {
            WatchCreateRequest create = WatchCreateRequest.newBuilder().setKey(first())
                    .setRangeEnd(KeyRanges.endOf(prefix)).setStartRevision(revision).build();
            try (Watch watch = new Watch(source, create, false)) {
                Watch.Update update = watch.next();
                while (update != null && update.error() == null) {
                    TxnRequest.Builder txn = TxnRequest.newBuilder();
                    long at = 0;
                    for (Event event : update.response().getEventsList()) {
                        boolean isNext = event.getKv().getModRevision() != at;
                        if (isNext || txn.getSuccessCount() >= operationsMax) {
                            txn = commit(txn);
                        }
                        at = event.getKv().getModRevision();
                        txn.addSuccess(repeated(event));
                        copied.incrementAndGet();
                    }
                    commit(txn);
                    update = watch.next();
                }
                throw Failure.of(update == null || update.error() == null ? "the watch was canceled by the server"
                        : update.error());
            }
        }

        private RequestOp repeated(Event event) {
            ByteString key = moved(event.getKv().getKey());
            return event.getType() == Event.EventType.DELETE
                    ? RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key)).build()
                    : RequestOp.newBuilder().setRequestPut(
                            PutRequest.newBuilder().setKey(key).setValue(event.getKv().getValue())).build();
        }

        private TxnRequest.Builder commit(TxnRequest.Builder txn) {
            if (txn.getSuccessCount() > 0) {
                destination.call(Method.TXN, txn.build(), TxnResponse.parser(), Deadline.NEVER);
            }
            return TxnRequest.newBuilder();
        }
    }
}
