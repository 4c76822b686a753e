package dev.quoin.trial;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.common.exception.CompactedException;
import io.etcd.jetcd.common.exception.EtcdException;
import io.etcd.jetcd.maintenance.HashKVResponse;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.CompactOption;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Snapshots go both ways: what etcdctl saves of Quoin under load, etcdutl restores into an etcd that holds the same; what it
 * saves of an etcd under load, our etcdutl restores into one Quoin or three. The properties {@code quoin.backup.rounds} and
 * {@code quoin.backup.seed} say how often, and from which chance on.
 */
@Tag("interop")
class BackupTest {
    private static final int ROUNDS = Integer.getInteger("quoin.backup.rounds", 2);
    private static final long SEED = Long.getLong("quoin.backup.seed", System.nanoTime() & 0xff_ffff);
    private static final int WRITERS = 4;
    private static final int KEYS = 500;
    private static final int PATIENCE_SECONDS = 30;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private static ByteSequence bytes(String text) {
        return ByteSequence.from(text, StandardCharsets.UTF_8);
    }

    private static <T> T await(CompletableFuture<T> answer) throws Exception {
        return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    // ---- programs

    private static Path ours() {
        return ServerProcess.image().resolveSibling("etcdutl");
    }

    private static Program.Result run(Path program, String... arguments) throws Exception {
        return Program.of(program).within(Duration.ofMinutes(2)).run(arguments);
    }

    private static Program.Result well(Path program, String... arguments) throws Exception {
        Program.Result result = run(program, arguments);
        assertThat(result.exitCode()).as("%s %s%n%s%s", program, List.of(arguments), result.stdout(), result.stderr())
                .isZero();
        return result;
    }

    private Path save(ServerProcess server, String name) throws Exception {
        Path file = home.resolve(name);
        well(Tools.built("etcdctl"), "--endpoints", server.clientUrl(), "snapshot", "save", file.toString());
        return file;
    }

    private static long number(String json, String name) {
        String pattern = "(?s).*\"" + name + "\":(-?\\d+).*";
        assertThat(json).matches(pattern);
        return Long.parseLong(json.replaceAll(pattern, "$1"));
    }

    /** The newest revision in a file. Both programs must say the same of it, in every format. */
    private static long revision(Path file) throws Exception {
        for (String format : List.of("simple", "json", "fields", "table")) {
            String theirs = well(Tools.built("etcdutl"), "snapshot", "status", file.toString(), "-w", format).stdout();
            assertThat(well(ours(), "snapshot", "status", file.toString(), "-w", format).stdout()).as(format)
                    .isEqualTo(theirs);
        }
        assertThat(errors(run(ours(), "snapshot", "status", file.toString(), "-w", "protobuf")))
                .isEqualTo(
                        errors(run(Tools.built("etcdutl"), "snapshot", "status", file.toString(), "-w", "protobuf")));
        return number(well(Tools.built("etcdutl"), "snapshot", "status", file.toString(), "-w", "json").stdout(),
                "revision");
    }

    private static void restore(Path program, Path file, ServerProcess into, String name, String cluster,
            String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("snapshot", "restore", file.toString(), "--data-dir",
                into.dataDirectory().toString(), "--name", name, "--initial-cluster", cluster,
                "--initial-advertise-peer-urls", into.peerUrl(), "--initial-cluster-token", "restored"));
        arguments.addAll(List.of(more));
        well(program, arguments.toArray(String[]::new));
    }

    private ServerProcess server(Path program, String directory) throws Exception {
        List<Integer> ports = ServerProcess.freePorts(2);
        return ServerProcess.of(program, Files.createDirectories(home.resolve(directory)), ports.get(0), ports.get(1));
    }

    // ---- what servers hold

    private static HashKVResponse hash(ServerProcess server, long revision) throws Exception {
        try (Client client = Client.builder().endpoints(server.clientUrl()).build()) {
            return await(client.getMaintenanceClient().hashKV(server.clientUrl(), revision));
        }
    }

    private static void assertSame(ServerProcess original, ServerProcess restored, long revision) throws Exception {
        HashKVResponse expected = hash(original, revision);
        HashKVResponse found = hash(restored, revision);
        assertThat(found.getCompacted()).as("compacted").isEqualTo(expected.getCompacted());
        assertThat(found.getHash()).as("hash at %d", revision).isEqualTo(expected.getHash());
    }

    private static long put(ServerProcess server, String key, String value) throws Exception {
        try (Client client = Client.builder().endpoints(server.clientUrl()).build()) {
            return await(client.getKVClient().put(bytes(key), bytes(value))).getHeader().getRevision();
        }
    }

    /** Writers that do not stop while snapshots are taken. */
    private static final class Load implements AutoCloseable {
        private final Client client;
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean isOver;
        private volatile long written;
        private volatile @Nullable Exception failed;

        Load(ServerProcess server, long seed) {
            client = Client.builder().endpoints(server.clientUrl()).build();
            for (int i = 0; i < WRITERS; i++) {
                Random random = new Random(seed + i);
                threads.add(Thread.ofVirtual().name("writer-" + i).start(() -> write(random)));
            }
        }

        private void write(Random random) {
            KV kv = client.getKVClient();
            try {
                long lease = await(client.getLeaseClient().grant(600)).getID();
                while (!isOver) {
                    ByteSequence key = bytes("k" + random.nextInt(KEYS));
                    ByteSequence value = bytes("v".repeat(random.nextInt(600)));
                    switch (random.nextInt(6)) {
                        case 0 -> await(kv.delete(key));
                        case 1 -> await(kv.delete(key, DeleteOption.builder().withRange(bytes(key + "5")).build()));
                        case 2 -> await(kv.put(key, value, PutOption.builder().withLeaseId(lease).build()));
                        case 3 -> await(kv.txn().Then(Op.put(key, value, PutOption.DEFAULT),
                                Op.put(bytes("t" + key), value, PutOption.DEFAULT)).commit());
                        default -> written = await(kv.put(key, value)).getHeader().getRevision();
                    }
                }
            } catch (Exception refused) {
                failed = refused;
            }
        }

        /** Gives up history, while all goes on, and waits until it is gone. */
        void compact(Random random) throws Exception {
            while (written < 50) {
                Thread.sleep(20);
            }
            long newest = await(client.getKVClient().get(bytes("any"))).getHeader().getRevision();
            await(client.getKVClient().compact(newest - random.nextInt(40),
                    CompactOption.builder().withCompactPhysical(true).build()));
        }

        @Override
        public void close() {
            isOver = true;
            for (Thread thread : threads) {
                assertThat(join(thread)).isTrue();
            }
            client.close();
            assertThat(failed).as("the load went on to the end").isNull();
        }
    }

    private static boolean join(Thread thread) {
        try {
            return thread.join(Duration.ofSeconds(PATIENCE_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    // ---- from Quoin to etcd

    @Test
    void whatIsSavedOfQuoinEtcdRestores() throws Exception {
        System.out.println("BackupTest: quoin.backup.seed=" + SEED);
        Random random = new Random(SEED);
        try (ServerProcess quoin = server(ServerProcess.image(), "quoin")) {
            quoin.start();
            try (Load load = new Load(quoin, SEED)) {
                for (int round = 0; round < ROUNDS; round++) {
                    load.compact(random);
                    Path file = save(quoin, "quoin-" + round + ".db");
                    long revision = revision(file);
                    try (ServerProcess etcd = server(Tools.built("etcd"), "etcd-of-quoin-" + round)) {
                        restore(Tools.built("etcdutl"), file, etcd, "default", "default=" + etcd.peerUrl());
                        etcd.with("--initial-cluster-token", "restored").start();
                        assertSame(quoin, etcd, revision);
                        assertThat(put(etcd, "after", "x")).isEqualTo(revision + 1);
                    }
                    Files.delete(file);
                }
            }
        }
        System.out.println("BackupTest: " + ROUNDS + " snapshots of quoin restored into etcd, equal by HashKV");
    }

    // ---- from etcd to Quoin

    @Test
    void whatIsSavedOfEtcdQuoinRestores() throws Exception {
        Random random = new Random(SEED + 1);
        try (ServerProcess etcd = server(Tools.built("etcd"), "etcd")) {
            etcd.start();
            try (Load load = new Load(etcd, SEED + 1)) {
                for (int round = 0; round < ROUNDS; round++) {
                    load.compact(random);
                    Path file = save(etcd, "etcd-" + round + ".db");
                    long revision = revision(file);
                    restoreInto(round % 2 == 0 ? 1 : 3, file, etcd, revision, "quoin-of-etcd-" + round);
                    Files.delete(file);
                }
            }
        }
        System.out.println("BackupTest: " + ROUNDS + " snapshots of etcd restored into quoin, equal by HashKV");
    }

    private void restoreInto(int count, Path file, ServerProcess etcd, long revision, String directory)
            throws Exception {
        List<ServerProcess> members = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                members.add(server(ServerProcess.image(), directory + "-" + i));
            }
            String cluster = IntStream.range(0, count).mapToObj(i -> "m" + i + "=" + members.get(i).peerUrl())
                    .collect(Collectors.joining(","));
            for (int i = 0; i < count; i++) {
                restore(ours(), file, members.get(i), "m" + i, cluster);
                members.get(i).with("--name", "m" + i, "--initial-cluster", cluster).spawn();
            }
            for (ServerProcess member : members) {
                member.awaitReady();
                assertSame(etcd, member, revision);
            }
            assertThat(put(members.getLast(), "after", "x")).isEqualTo(revision + 1);
            assertThat(put(members.getFirst(), "after", "y")).isEqualTo(revision + 2);
        } finally {
            members.forEach(ServerProcess::close);
        }
    }

    // ---- files that are not whole

    @Test
    void whatIsNotWholeIsRefusedByBothInTheSameWords() throws Exception {
        Path file;
        try (ServerProcess quoin = server(ServerProcess.image(), "whole")) {
            quoin.start();
            for (int i = 0; i < 200; i++) {
                put(quoin, "k" + i, "v".repeat(100));
            }
            file = save(quoin, "whole.db");
        }
        byte[] whole = Files.readAllBytes(file);
        byte[] altered = whole.clone();
        altered[whole.length / 2] ^= 4;
        Random random = new Random(SEED);
        refusesAsEtcdutlDoes("altered", altered);
        refusesAsEtcdutlDoes("cut short", Arrays.copyOf(whole, whole.length - 1 - random.nextInt(4_000)));
        refusesAsEtcdutlDoes("without its hash", Arrays.copyOf(whole, whole.length - 32));
        refusesAsEtcdutlDoes("a hash too far", Arrays.copyOf(whole, whole.length - 4_096));
        refusesAsEtcdutlDoes("tiny", Arrays.copyOf(whole, 31));
    }

    private void refusesAsEtcdutlDoes(String what, byte[] bytes) throws Exception {
        Path file = Files.write(home.resolve("not whole.db"), bytes);
        List<String> errors = new ArrayList<>();
        for (Path program : List.of(Tools.built("etcdutl"), ours())) {
            Path directory = home.resolve("refused-" + errors.size());
            Program.Result refused = run(program, "snapshot", "restore", file.toString(), "--data-dir",
                    directory.toString());
            errors.add(refused.exitCode() + " "
                    + refused.stderr().lines().filter(line -> line.startsWith("Error: ")).toList());
        }
        assertThat(errors.get(1)).as(what).isEqualTo(errors.get(0)).contains("Error: ");
        assertThat(Files.exists(home.resolve("refused-1"))).as("nothing is left").isFalse();
        deleteIfThere(home.resolve("refused-0"));
    }

    /** What etcdutl leaves of an attempt. */
    private static void deleteIfThere(Path directory) throws Exception {
        if (Files.exists(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }

    @Test
    void argumentsAreRefusedByBothInTheSameWords() throws Exception {
        Path file = Files.write(home.resolve("any.db"), new byte[4_096]);
        Files.createDirectories(home.resolve("full/member"));
        List<List<String>> lines = List.of(List.of("snapshot", "status"),
                List.of("snapshot", "status", home.resolve("none").toString()),
                List.of("snapshot", "status", file.toString(), "-w", "xml"), List.of("snapshot", "restore"),
                List.of("snapshot", "restore", file.toString(), "--bump-revision", "5"),
                List.of("snapshot", "restore", file.toString(), "--mark-compacted"),
                List.of("snapshot", "restore", file.toString(), "--name", "x"),
                List.of("snapshot", "restore", file.toString(), "--data-dir", home.resolve("full").toString()),
                List.of("snapshot", "restore", file.toString(), "--data-dir", home.resolve("d").toString(),
                        "--wal-dir", home.resolve("full").toString()),
                List.of("snapshot", "restore", home.resolve("none").toString(), "--data-dir",
                        home.resolve("d").toString()),
                List.of("snapshot", "restore", file.toString(), "--initial-cluster", "default=http://127.0.0.1:1",
                        "--initial-advertise-peer-urls", "http://127.0.0.1:2"),
                List.of("snapshot", "restore", file.toString(), "--initial-cluster", "default=http://a"),
                List.of("snapshot", "restore", file.toString(), "--bump-revision=-1", "--mark-compacted"),
                List.of("snapshot", "restore", file.toString(), "--mark-compacted=maybe"),
                List.of("snapshot", "restore", file.toString(), "--nothing"),
                List.of("snapshot", "restore", file.toString(), "--data-dir"),
                List.of("snapshot", "restore", file.toString(), "-x"), List.of("nothing"));
        for (List<String> line : lines) {
            Program.Result theirs = run(Tools.built("etcdutl"), line.toArray(String[]::new));
            Program.Result own = run(ours(), line.toArray(String[]::new));
            assertThat(errors(own)).as("%s", line).isEqualTo(errors(theirs));
        }
    }

    /** With the exit code; cobra tells some errors twice. */
    private static String errors(Program.Result result) {
        return result.exitCode() + " "
                + result.stderr().lines().filter(line -> line.startsWith("Error: ")).distinct().toList();
    }

    // ---- revisions that are raised

    /**
     * A client that has seen more than the file holds must not believe that nothing has happened since: its watch, which goes
     * on where it was, learns that this is compacted, and begins anew.
     */
    @Test
    void watchersResumeAfterARevisionThatWasRaised() throws Exception {
        ServerProcess quoin = server(ServerProcess.image(), "raised");
        Path file;
        BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
        try (quoin; Client client = Client.builder().endpoints(quoin.clientUrl()).build()) {
            quoin.start();
            put(quoin, "k", "saved");
            file = save(quoin, "raised.db");
            try (Watch.Watcher watcher = client.getWatchClient().watch(bytes("k"), WatchOption.DEFAULT,
                    Watch.listener(heard::add, heard::add))) {
                assertThat(watcher.isClosed()).isFalse();
                // It has seen revisions that are not in the file.
                long lost = put(quoin, "k", "lost");
                put(quoin, "k", "lost, too");
                assertThat(event(heard)).isEqualTo("lost");
                assertThat(event(heard)).isEqualTo("lost, too");
                quoin.kill9();
                quoin.on(home.resolve("restored"));
                restore(ours(), file, quoin, "default", "default=" + quoin.peerUrl(), "--bump-revision", "1000000",
                        "--mark-compacted");
                quoin.start();
                long compacted = compacted(heard);
                assertThat(compacted).isGreaterThan(lost + 900_000);
                goesOn(client, quoin, compacted + 1);
            }
            sameAsRestoredByEtcdutl(file, quoin);
        }
    }

    private static void goesOn(Client client, ServerProcess quoin, long from) throws Exception {
        BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
        try (Watch.Watcher watcher = client.getWatchClient().watch(bytes("k"),
                WatchOption.builder().withRevision(from).build(), Watch.listener(heard::add, heard::add))) {
            assertThat(put(quoin, "k", "after")).isEqualTo(from);
            assertThat(event(heard)).isEqualTo("after");
            assertThat(watcher.isClosed()).isFalse();
        }
    }

    /** That the connection was lost is told before it is made anew. */
    private static long compacted(BlockingQueue<Object> heard) throws InterruptedException {
        while (true) {
            Object next = heard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(next).isInstanceOf(EtcdException.class);
            if (next instanceof CompactedException end) {
                return end.getCompactedRevision();
            }
        }
    }

    private static String event(BlockingQueue<Object> heard) throws InterruptedException {
        Object next = heard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(next).isInstanceOf(WatchResponse.class);
        return ((WatchResponse) next).getEvents().getFirst().getKeyValue().getValue().toString();
    }

    private void sameAsRestoredByEtcdutl(Path file, ServerProcess quoin) throws Exception {
        try (ServerProcess etcd = server(Tools.built("etcd"), "raised-etcd")) {
            restore(Tools.built("etcdutl"), file, etcd, "default", "default=" + etcd.peerUrl(), "--bump-revision",
                    "1000000", "--mark-compacted");
            etcd.start();
            put(etcd, "k", "after");
            assertSame(etcd, quoin, 0);
        }
    }
}
