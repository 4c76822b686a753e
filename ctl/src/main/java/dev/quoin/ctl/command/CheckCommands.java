package dev.quoin.ctl.command;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.CompactionRequest;
import dev.quoin.api.etcdserverpb.CompactionResponse;
import dev.quoin.api.etcdserverpb.DefragmentRequest;
import dev.quoin.api.etcdserverpb.DefragmentResponse;
import dev.quoin.api.etcdserverpb.DeleteRangeRequest;
import dev.quoin.api.etcdserverpb.DeleteRangeResponse;
import dev.quoin.api.etcdserverpb.PutRequest;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeRequest;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Client;
import dev.quoin.ctl.client.Errors;
import dev.quoin.ctl.client.KeyRanges;
import dev.quoin.ctl.client.Method;
import dev.quoin.ctl.rpc.Deadline;
import dev.quoin.ctl.rpc.RpcException;

/**
 * check perf and check datascale: many clients put keys, and what that took is judged (etcd: check.go). Each put may last as long as any
 * short command, so that a server that goes away does not keep this from its end.
 */
final class CheckCommands {
    private static final int PERF_SECONDS = 60;
    private static final int PERF_KEY_BYTES = 256;
    private static final int PERF_VALUE_BYTES = 1024;
    private static final double THROUGHPUT_PART_MIN = 0.9;
    private static final double SLOWEST_SECONDS_MAX = 0.5;
    private static final double DEVIATION_SECONDS_MAX = 0.1;

    private static final int SCALE_KEY_BYTES = 512;
    private static final int SCALE_VALUE_BYTES = 512;
    private static final double MEBIBYTE = 1 << 20;

    /** What clearing up may take, and compacting, and one defragmentation. */
    private static final long CLEAN_UP_NANOS = TimeUnit.SECONDS.toNanos(30);
    /** Up to three million keys are deleted at once. */
    private static final long DELETION_NANOS = TimeUnit.MINUTES.toNanos(5);

    /** Says that no key comes any more. */
    private static final ByteString END = ByteString.EMPTY;

    /** How much is done; {@code puts} are those of a second for check perf, and all there are for check datascale. */
    private record Load(int puts, int clients) {}

    private final Commands commands;

    CheckCommands(Commands commands) {
        this.commands = commands;
    }

    Command check() {
        return new Command("check <subcommand>", "commands for checking properties of the etcd cluster. Use `etcdctl "
                + "check --help` to see subcommands")
                .described("commands for checking properties of the etcd cluster").in(Commands.UTILITY)
                .of(new Command("perf [options]", "Check the performance of the etcd cluster")
                        .taking(Flag.string("load", "s", "The performance check's workload model. Accepted workloads: "
                                + "s(small), m(medium), l(large), xl(xLarge). Different workload models use different "
                                + "configurations in terms of number of clients and expected throughput.")
                                .offering("small", "medium", "large", "xLarge"),
                                Flag.string("prefix", "/etcdctl-check-perf/",
                                        "The prefix for writing the performance check's keys."),
                                autoCompact(), autoDefrag())
                        .doing(commands.action(CheckCommands::perf)),
                        new Command("datascale [options]", "Check the memory usage of holding data for different "
                                + "workloads on a given server endpoint.")
                                .described("If no endpoint is provided, localhost will be used. If multiple endpoints "
                                        + "are provided, first endpoint will be used.")
                                .taking(Flag.string("load", "s", "The datascale check's workload model. Accepted "
                                        + "workloads: s(small), m(medium), l(large), xl(xLarge)"),
                                        Flag.string("prefix", "/etcdctl-check-datascale/",
                                                "The prefix for writing the datascale check's keys."),
                                        autoCompact(), autoDefrag())
                                .doing(commands.action(CheckCommands::scale)));
    }

    private static Flag autoCompact() {
        return Flag.bool("auto-compact", "Compact storage with last revision after test is finished.");
    }

    private static Flag autoDefrag() {
        return Flag.bool("auto-defrag", "Defragment storage after test is finished.");
    }

    private static Failure unknownLoad(String load) {
        return Failure.badFeature("unknown load option " + load);
    }

    private static void perf(Context context) {
        String name = context.flags().text("load");
        Load load = switch (name) {
            case "s", "small" -> new Load(150, 50);
            case "m", "medium" -> new Load(1_000, 200);
            case "l", "large" -> new Load(8_000, 500);
            case "xl", "xLarge" -> new Load(15_000, 1_000);
            default -> throw unknownLoad(name);
        };
        List<Client> clients = clients(context, load.clients);
        Deadline end = Deadline.in(TimeUnit.SECONDS.toNanos(PERF_SECONDS));
        Interruption.ofThisThread();
        String prefix = context.flags().text("prefix");
        refuseKeys(clients.get(0), prefix, "'", context.deadline());
        Tally tally = new Tally();
        try (ProgressBar bar = ProgressBar.of(context.streams(), PERF_SECONDS)) {
            Putters putters = new Putters(context, clients, new byte[PERF_VALUE_BYTES], tally, () -> {});
            produceSteadily(putters, prefix, load.puts, end, bar);
            putters.finish();
        }
        tally.end();
        cleanUp(context, clients.get(0), prefix);
        defragment(context);
        judge(context, tally, load);
    }

    /** So many keys a second and no more: one that found no client free is not made up for. */
    private static void produceSteadily(Putters putters, String prefix, int perSecond, Deadline end, ProgressBar bar) {
        long intervalNanos = TimeUnit.SECONDS.toNanos(1) / perSecond;
        long begin = System.nanoTime();
        long next = begin;
        try {
            while (end.nanosLeft() > intervalNanos) {
                TimeUnit.NANOSECONDS.sleep(next - System.nanoTime());
                putters.put(key(prefix, PERF_KEY_BYTES));
                next = Math.max(next + intervalNanos, System.nanoTime());
                bar.reach(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin));
            }
        } catch (InterruptedException signal) {
            // What has been put so far is judged, and taken away again; the flag is down, so nothing of that is disturbed.
        }
    }

    private static void judge(Context context, Tally tally, Load load) {
        boolean isGood = tell(context, tally);
        int perSecond = (int) tally.perSecond() + 1;
        if (tally.perSecond() / load.puts <= THROUGHPUT_PART_MIN) {
            context.print("FAIL: Throughput too low: " + perSecond + " writes/s\n");
            isGood = false;
        } else {
            context.print("PASS: Throughput is " + perSecond + " writes/s\n");
        }
        if (tally.slowest() > SLOWEST_SECONDS_MAX) {
            context.print(String.format(Locale.ROOT, "Slowest request took too long: %fs\n", tally.slowest()));
            isGood = false;
        } else {
            context.print(String.format(Locale.ROOT, "PASS: Slowest request took %fs\n", tally.slowest()));
        }
        if (tally.deviation() > DEVIATION_SECONDS_MAX) {
            context.print(String.format(Locale.ROOT, "Stddev too high: %fs\n", tally.deviation()));
            isGood = false;
        } else {
            context.print(String.format(Locale.ROOT, "PASS: Stddev is %fs\n", tally.deviation()));
        }
        context.print(isGood ? "PASS\n" : "FAIL\n");
        if (!isGood) {
            throw Failure.silent(Failure.ERROR);
        }
    }

    /** Names the errors; returns whether there were none. */
    private static boolean tell(Context context, Tally tally) {
        if (tally.errors().isEmpty()) {
            return true;
        }
        context.print("FAIL: too many errors\n");
        tally.errors().forEach((error, count) -> context.print("FAIL: ERROR(" + error + ") -> " + count + "\n"));
        return false;
    }

    private static void scale(Context context) {
        String name = context.flags().text("load");
        Load load = switch (name) {
            case "s", "small" -> new Load(10_000, 50);
            case "m", "medium" -> new Load(100_000, 200);
            case "l", "large" -> new Load(1_000_000, 500);
            case "xl", "xLarge" -> new Load(3_000_000, 1_000);
            default -> throw unknownLoad(name);
        };
        List<Client> clients = clients(context, load.clients);
        String endpoint = context.endpoints().get(0);
        String prefix = context.flags().text("prefix");
        refuseKeys(clients.get(0), prefix, "", context.deadline());
        double before = residentBytes(context, endpoint, "before");
        context.print("Start data scale check for work load [" + load.puts + " key-value pairs, "
                + (SCALE_KEY_BYTES + SCALE_VALUE_BYTES) + " bytes per key-value, " + load.clients
                + " concurrent clients].\n");
        context.streams().out().flush();
        Tally tally = new Tally();
        try (ProgressBar bar = ProgressBar.of(context.streams(), load.puts)) {
            Putters putters = new Putters(context, clients, new byte[SCALE_VALUE_BYTES], tally, bar::advance);
            for (int i = 0; i < load.puts; i++) {
                putters.put(key(prefix, SCALE_KEY_BYTES));
            }
            putters.finish();
        } catch (InterruptedException signal) {
            throw Failure.of("context canceled");
        }
        double after = residentBytes(context, endpoint, "after");
        DeleteRangeResponse deleted = delete(clients.get(0), prefix, Deadline.in(DELETION_NANOS));
        compact(context, clients.get(0), deleted.getHeader().getRevision());
        defragment(context);
        if (!tell(context, tally)) {
            throw Failure.silent(Failure.ERROR);
        }
        context.print(String.format(Locale.ROOT, "PASS: Approximate system memory used : %.2f MB.\n",
                (after - before) / MEBIBYTE));
    }

    private static double residentBytes(Context context, String endpoint, String when) {
        double bytes = 0;
        try {
            bytes = ResidentMemory.bytes(context.page(endpoint, "/metrics"));
        } catch (IOException why) {
            context.print("fetch error: " + why.getMessage() + "\n");
        }
        if (bytes == 0) {
            context.print("FAIL: Could not read process_resident_memory_bytes " + when + " the put operations.\n");
            throw Failure.silent(Failure.ERROR);
        }
        return bytes;
    }

    // What the two have in common.

    private static List<Client> clients(Context context, int count) {
        List<Client> clients = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            clients.add(context.client());
        }
        return clients;
    }

    /** @param quote what stands around the command that is recommended */
    private static void refuseKeys(Client client, String prefix, String quote, Deadline deadline) {
        ByteString first = ByteString.copyFromUtf8(prefix);
        RangeRequest request = RangeRequest.newBuilder().setKey(first.isEmpty() ? KeyRanges.ZERO : first)
                .setRangeEnd(KeyRanges.endOf(first)).setLimit(1).build();
        if (client.call(Method.RANGE, request, RangeResponse.parser(), deadline).getKvsCount() > 0) {
            throw Failure.invalidInput("prefix " + GoQuote.of(prefix) + " has keys. Delete with " + quote
                    + "etcdctl del --prefix " + prefix + quote + " first");
        }
    }

    /** The prefix, and bytes of which the first are a number by chance, written as a varint. */
    private static ByteString key(String prefix, int bytes) {
        ByteBuffer suffix = ByteBuffer.allocate(bytes);
        long rest = ThreadLocalRandom.current().nextLong(Long.MAX_VALUE) << 1;
        while ((rest & ~0x7fL) != 0) {
            suffix.put((byte) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        suffix.put((byte) rest);
        return ByteString.copyFromUtf8(prefix).concat(ByteString.copyFrom(suffix.array()));
    }

    private static DeleteRangeResponse delete(Client client, String prefix, Deadline deadline) {
        ByteString first = ByteString.copyFromUtf8(prefix);
        return client.call(Method.DELETE_RANGE,
                DeleteRangeRequest.newBuilder().setKey(first.isEmpty() ? KeyRanges.ZERO : first)
                        .setRangeEnd(KeyRanges.endOf(first)).build(),
                DeleteRangeResponse.parser(), deadline);
    }

    private static void cleanUp(Context context, Client client, String prefix) {
        try {
            DeleteRangeResponse deleted = delete(client, prefix, Deadline.in(CLEAN_UP_NANOS));
            compact(context, client, deleted.getHeader().getRevision());
        } catch (RpcException why) {
            context.print("FAIL: Cleanup failed during key deletion: ERROR(" + Errors.words(why) + ")\n");
        }
    }

    private static void compact(Context context, Client client, long revision) {
        if (!context.flags().isOn("auto-compact")) {
            return;
        }
        context.print("Compacting with revision " + revision + "\n");
        try {
            client.call(Method.COMPACT,
                    CompactionRequest.newBuilder().setRevision(revision).setPhysical(true).build(),
                    CompactionResponse.parser(), Deadline.in(CLEAN_UP_NANOS));
        } catch (RpcException why) {
            throw Failure.of(Errors.words(why));
        }
        context.print("Compacted with revision " + revision + "\n");
    }

    private static void defragment(Context context) {
        if (!context.flags().isOn("auto-defrag")) {
            return;
        }
        for (String endpoint : context.endpoints()) {
            context.print("Defragmenting " + GoQuote.of(endpoint) + "\n");
            context.client(endpoint).call(Method.DEFRAGMENT, DefragmentRequest.getDefaultInstance(),
                    DefragmentResponse.parser(), Deadline.in(CLEAN_UP_NANOS));
            context.print("Defragmented " + GoQuote.of(endpoint) + "\n");
        }
    }

    /** A thread for each client, which puts what comes out of one queue. */
    private static final class Putters {
        private final Context context;
        private final ByteString value;
        private final Tally tally;
        private final Runnable done;
        private final BlockingQueue<ByteString> keys;
        private final CountDownLatch working;

        /** @param done run after each put, by any of the threads */
        Putters(Context context, List<Client> clients, byte[] value, Tally tally, Runnable done) {
            this.context = context;
            this.value = ByteString.copyFrom(value);
            this.tally = tally;
            this.done = done;
            this.keys = new ArrayBlockingQueue<>(clients.size());
            this.working = new CountDownLatch(clients.size());
            for (Client client : clients) {
                Thread thread = new Thread(() -> work(client), "put");
                thread.setDaemon(true);
                thread.start();
            }
        }

        /** Waits until one of them is about to be free. */
        void put(ByteString key) throws InterruptedException {
            keys.put(key);
        }

        /** Waits until all keys have been put; a signal changes nothing: no put takes long. */
        void finish() {
            long left = working.getCount();
            while (working.getCount() > 0) {
                try {
                    while (left > 0) {
                        keys.put(END);
                        left--;
                    }
                    working.await();
                } catch (InterruptedException signal) {
                    // What there is to do now is the end that it asks for.
                }
            }
        }

        private void work(Client client) {
            try {
                for (ByteString key = keys.take(); !key.isEmpty(); key = keys.take()) {
                    put(client, key);
                    done.run();
                }
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            } finally {
                working.countDown();
            }
        }

        private void put(Client client, ByteString key) {
            long begin = System.nanoTime();
            try {
                client.call(Method.PUT, PutRequest.newBuilder().setKey(key).setValue(value).build(),
                        PutResponse.parser(), context.deadline());
                tally.add(System.nanoTime() - begin);
            } catch (RpcException why) {
                tally.add(Errors.words(why));
            }
        }
    }
}
