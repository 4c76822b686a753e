package dev.quoin.member;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.api.etcdserverpb.Metadata;
import dev.quoin.base.Bytes;
import dev.quoin.disk.RealDisk;
import dev.quoin.disk.snapshot.Rows;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.Command;
import dev.quoin.store.HashWalk;
import dev.quoin.store.KeyHash;
import dev.quoin.store.KeyRange;
import dev.quoin.store.KeyValues;
import dev.quoin.store.Lease;
import dev.quoin.store.Outcome;
import dev.quoin.store.Query;
import dev.quoin.store.Store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * States between us and etcd, both ways: what one was is what the other becomes. etcd's programs are looked for in the
 * directory named by the system property {@code quoin.tools}; without them these tests are skipped, or fail where CI=true.
 */
@Tag("interop")
class SnapshotExchangeTest {
    private final RealDisk disk = new RealDisk();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temporary;

    // ---- programs

    private static Path program(String name) {
        String tools = System.getProperty("quoin.tools");
        Path program = Path.of(tools == null ? "" : tools, name);
        boolean there = tools != null && Files.isExecutable(program);
        assertThat(there || !"true".equals(System.getenv("CI"))).as("no %s in quoin.tools=%s", name, tools).isTrue();
        assumeTrue(there, "no " + name + " in quoin.tools=" + tools);
        return program;
    }

    /** What a program prints that is given this to read; it must end well. */
    private String feed(String input, String name, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(program(name).toString()));
        command.addAll(List.of(arguments));
        Path output = temporary.resolve("out");
        Path errors = temporary.resolve("err");
        Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile())
                .start();
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        assertThat(ended && process.exitValue() == 0)
                .as(command + "\n" + Files.readString(errors, StandardCharsets.UTF_8)).isTrue();
        return Files.readString(output, StandardCharsets.UTF_8).strip();
    }

    private String run(String name, String... arguments) throws IOException, InterruptedException {
        return feed("", name, arguments);
    }

    /** A number of JSON that a program printed. */
    private static long number(String json, String name) {
        String pattern = "(?s).*\"" + name + "\":\\s*(-?\\d+).*";
        assertThat(json).matches(pattern);
        return Long.parseLong(json.replaceAll(pattern, "$1"));
    }

    /** An etcd on a directory, until it is closed. */
    private final class Etcd implements AutoCloseable {
        private final String client = "http://127.0.0.1:" + freePort();
        private final Process process;

        Etcd(Path data) throws IOException, InterruptedException {
            String peer = "http://127.0.0.1:" + freePort();
            process = new ProcessBuilder(program("etcd").toString(), "--data-dir", data.toString(),
                    "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer)
                    .redirectErrorStream(true).redirectOutput(temporary.resolve("etcd.log").toFile()).start();
            boolean ready = answers();
            for (int i = 0; i < 300 && !ready && process.isAlive(); i++) {
                Thread.sleep(100);
                ready = answers();
            }
            if (!ready) {
                close();
                throw new AssertionError("etcd does not answer:\n" + Files.readString(temporary.resolve("etcd.log")));
            }
        }

        private boolean answers() throws IOException, InterruptedException {
            Process get = new ProcessBuilder(program("etcdctl").toString(), "--endpoints", client, "--dial-timeout",
                    "1s", "--command-timeout", "1s", "get", "x").redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            return get.waitFor(10, TimeUnit.SECONDS) && get.exitValue() == 0;
        }

        private String[] with(String... arguments) {
            List<String> all = new ArrayList<>(List.of("--endpoints", client));
            all.addAll(List.of(arguments));
            return all.toArray(String[]::new);
        }

        String ctl(String... arguments) throws IOException, InterruptedException {
            return run("etcdctl", with(arguments));
        }

        /** Many changes in one transaction, in the words of etcdctl. */
        void transaction(List<String> lines) throws IOException, InterruptedException {
            feed("\n" + String.join("\n", lines) + "\n\n\n", "etcdctl", with("txn"));
        }

        /** Of its whole database. */
        long hashOfEverything() throws IOException, InterruptedException {
            HttpRequest request = HttpRequest.newBuilder(URI.create(client + "/v3/maintenance/hash"))
                    .POST(HttpRequest.BodyPublishers.ofString("{}")).build();
            try (HttpClient http = HttpClient.newHttpClient()) {
                return number(http.send(request, HttpResponse.BodyHandlers.ofString()).body(), "hash");
            }
        }

        KeyHash hash() throws IOException, InterruptedException {
            String json = ctl("endpoint", "hashkv", "-w", "json");
            return new KeyHash((int) number(json, "hash"), number(json, "compact_revision"), number(json, "revision"));
        }

        @Override
        public void close() {
            process.destroy();
            try {
                if (!process.waitFor(20, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    // ---- what we say of a store, in etcdctl's words

    private static KeyHash hash(Store store) {
        return ((HashWalk) store.view().hash(0)).run();
    }

    private static String live(Store store) {
        List<String> lines = new ArrayList<>();
        for (Bytes kv : ((Outcome.Ranged) store.view().range(Query.of(KeyRange.everything()))).kvs()) {
            lines.add(KeyValues.decode(kv).key().toUtf8());
            lines.add(KeyValues.decode(kv).value().toUtf8());
        }
        return String.join("\n", lines);
    }

    private static List<String> leases(Store store) {
        return store.leases().stream().map(Lease::id).map("%016x"::formatted).sorted().toList();
    }

    private static List<String> leases(String listed) {
        return listed.lines().skip(1).sorted().toList();
    }

    // ---- from us to etcd

    @Test
    void etcdBecomesWhatWeAre() throws Exception {
        StoreByHand ours = new StoreByHand(disk, temporary.resolve("ledger"), StoreByHand.MEMBERS);
        Random random = new Random(31);
        ours.change(random, 400);
        ours.apply(new Command.LeaseGrant(0x1234, 6_000));
        ours.apply(new Command.LeaseGrant(0x5678, 7_000));
        ours.put("leased", "1", 0x1234);
        ours.apply(new Command.Auth(new AuthCommand.RoleAdd(Bytes.utf8("reader"))));
        ours.apply(new Command.Auth(new AuthCommand.UserAdd(Bytes.utf8("eve"), Bytes.utf8("aGFzaA=="), false)));
        ours.apply(new Command.Auth(new AuthCommand.UserGrantRole(Bytes.utf8("eve"), Bytes.utf8("reader"))));
        ours.compact(300, true);
        ours.change(random, 100);
        Path file = Files.write(temporary.resolve("ours.db"), ours.bytes());

        String status = run("etcdutl", "snapshot", "status", file.toString(), "-w", "json");
        assertThat(number(status, "revision")).isEqualTo(ours.store().view().revision());
        assertThat(number(status, "totalSize")).isEqualTo(Files.size(file));
        assertThat(status).contains("\"version\":\"3.7.0\"");

        Path data = temporary.resolve("restored");
        run("etcdutl", "snapshot", "restore", "--skip-hash-check", file.toString(), "--data-dir", data.toString());
        try (Etcd etcd = new Etcd(data)) {
            assertThat(etcd.ctl("get", "--prefix", "")).isEqualTo(live(ours.store()));
            assertThat(etcd.hash()).isEqualTo(hash(ours.store()));
            assertThat(leases(etcd.ctl("lease", "list"))).isEqualTo(leases(ours.store()));
            assertThat(etcd.ctl("lease", "timetolive", "1234", "--keys")).contains("attached keys([leased])");
            assertThat(etcd.ctl("user", "get", "eve")).contains("reader");
            etcd.ctl("put", "after", "restore");
            etcd.ctl("lease", "revoke", "1234");
            assertThat(etcd.ctl("get", "leased")).isEmpty();
        }
    }

    /** As if an etcd had been sent our state: its log begins anew behind it, and its database is what we sent. */
    @Test
    void etcdStartsOnOurStateAndOurLog() throws Exception {
        List<String> peers = List.of("http://localhost:2380");
        long id = Ids.member(peers, "etcd-cluster");
        Membership alone = Membership.NONE.with(new MemberInfo(id, "a", peers, List.of(), false))
                .withClusterVersion("3.7.0");
        StoreByHand ours = new StoreByHand(disk, temporary.resolve("ledger"), alone);
        ours.change(new Random(34), 300);
        ours.compact(200, true);
        SnapshotMeta sent = ours.snapshot().meta();
        DataDirectory directory = new DataDirectory(temporary.resolve("etcd"));
        disk.createDirectories(directory.snap());
        Files.write(directory.snap().resolve("db"), ours.bytes());
        Wal log = Wal.create(disk, directory.wal(), Bytes.of(Metadata.newBuilder().setNodeID(id)
                .setClusterID(Ids.cluster(List.of(id))).build().toByteArray()), WalLimits.DEFAULT);
        log.append(List.of(new WalEntry(0, 1, 1, Bytes.EMPTY), new WalEntry(0, 1, 2, Bytes.EMPTY)),
                new WalState(1, 0, 1));
        log.beginAnew(new WalSnapshot(sent.index(), sent.term(), ConfStates.encode(sent.configuration())),
                new WalState(sent.term(), 0, sent.index()));
        log.append(List.of(new WalEntry(0, sent.term(), sent.index() + 1, Bytes.EMPTY),
                new WalEntry(0, sent.term(), sent.index() + 2, Bytes.EMPTY)),
                new WalState(sent.term(), 0, sent.index() + 2));
        log.release(sent.index(), 1);
        log.close();
        // It has no term for where it starts, so not at a mark.
        assertThat(run("etcd-dump-logs", "-start-index", "" + (sent.index() + 2), directory.root().toString()))
                .contains("Entry types (Normal,ConfigChange) count is : 1");
        assertThat(run("etcd-dump-logs", "-raw", directory.root().toString())).contains("index:" + sent.index());

        try (Etcd etcd = new Etcd(directory.root())) {
            assertThat(etcd.ctl("get", "--prefix", "")).isEqualTo(live(ours.store()));
            assertThat(etcd.hash()).isEqualTo(hash(ours.store()));
            assertThat(etcd.ctl("member", "list", "-w", "json")).contains("\"ID\":" + Long.toUnsignedString(id));
            etcd.ctl("put", "after", "start");
        }
        // etcd has written on, and not said up to where.
        disk.delete(directory.wal().resolve("synced"));
        Wal.Recovered found = Wal.open(disk, directory.wal(), WalLimits.DEFAULT);
        assertThat(found.snapshot().index()).isEqualTo(sent.index());
        assertThat(found.entries()).hasSizeGreaterThan(3);
        found.wal().close();
    }

    // ---- from etcd to us

    @Test
    void weBecomeWhatAnEtcdIs() throws Exception {
        Path data = temporary.resolve("data");
        Path saved = temporary.resolve("saved.db");
        Random random = new Random(32);
        KeyHash hash;
        long whole;
        String live;
        List<String> leases;
        try (Etcd etcd = new Etcd(data)) {
            change(etcd, random);
            String lease = etcd.ctl("lease", "grant", "6000").replaceAll(".*lease ([0-9a-f]+) .*", "$1");
            etcd.ctl("lease", "grant", "7000");
            etcd.ctl("put", "leased", "1", "--lease", lease);
            etcd.ctl("role", "add", "reader");
            etcd.ctl("role", "grant-permission", "reader", "read", "a", "b");
            etcd.ctl("user", "add", "eve:secret");
            etcd.ctl("user", "grant-role", "eve", "reader");
            etcd.ctl("compact", "8", "--physical");
            change(etcd, random);
            hash = etcd.hash();
            whole = etcd.hashOfEverything();
            live = etcd.ctl("get", "--prefix", "");
            leases = leases(etcd.ctl("lease", "list"));
            etcd.ctl("snapshot", "save", saved.toString());
        }
        assertThat(hash.compactRevision()).isEqualTo(8);
        assertThat(leases).hasSize(2);
        // With its hash behind it; as a member sends it; and as it lies in a directory.
        byte[] withHash = Files.readAllBytes(saved);
        for (byte[] bytes : List.of(withHash, Arrays.copyOf(withHash, withHash.length - 32),
                Files.readAllBytes(data.resolve("member/snap/db")))) {
            Store store = received(bytes);
            assertThat(live(store)).isEqualTo(live);
            assertThat(hash(store)).isEqualTo(hash);
            assertThat(store.view().compaction()).isNull();
            assertThat(leases(store)).isEqualTo(leases);
            assertThat(store.leases().stream().map(Lease::ttl)).containsExactlyInAnyOrder(6000L, 7000L);
            assertThat(store.leases().stream().flatMap(lease -> store.leaseKeys(lease.id()).stream()))
                    .containsExactly(Bytes.utf8("leased"));
            assertThat(Objects.requireNonNull(store.view().auth().user(Bytes.utf8("eve"))).roles())
                    .containsExactly(Bytes.utf8("reader"));
            // And what we pass on of it is again the same.
            StateSnapshot passedOn = StateSnapshot.of(store, meta.index(), meta.term(), Membership.load(store),
                    () -> {});
            assertThat(hash(received(StoreByHand.bytes(passedOn)))).isEqualTo(hash);
            assertThat(Integer.toUnsignedLong(passedOn.hash())).as("Maintenance.Hash").isEqualTo(whole);
        }
    }

    /** Its revisions leap, over one without a key, and so does its compaction. */
    @Test
    void weBecomeWhatARestoredEtcdIs() throws Exception {
        Path saved = temporary.resolve("saved.db");
        Random random = new Random(33);
        try (Etcd etcd = new Etcd(temporary.resolve("data"))) {
            change(etcd, random);
            etcd.ctl("snapshot", "save", saved.toString());
        }
        Path restored = temporary.resolve("restored");
        run("etcdutl", "snapshot", "restore", saved.toString(), "--data-dir", restored.toString(), "--bump-revision",
                "1000", "--mark-compacted", "--initial-cluster", "new=http://localhost:2380", "--name", "new");
        KeyHash hash;
        String live;
        try (Etcd etcd = new Etcd(restored)) {
            change(etcd, random);
            hash = etcd.hash();
            live = etcd.ctl("get", "--prefix", "");
        }
        assertThat(hash.compactRevision()).isGreaterThan(1_000);

        Store store = received(Files.readAllBytes(restored.resolve("member/snap/db")));

        assertThat(live(store)).isEqualTo(live);
        assertThat(hash(store)).isEqualTo(hash);
    }

    private static void change(Etcd etcd, Random random) throws Exception {
        for (int i = 0; i < 8; i++) {
            Map<String, String> lines = new TreeMap<>();
            for (int n = 0; n < 60; n++) {
                String key = "key/%03d".formatted(random.nextInt(150));
                lines.put(key, random.nextInt(4) == 0 ? "del " + key
                        : "put " + key + " " + "v".repeat(1 + random.nextInt(random.nextInt(20) == 0 ? 9_000 : 200)));
            }
            etcd.transaction(List.copyOf(lines.values()));
        }
    }

    private SnapshotMeta meta = new SnapshotMeta(0, 0, ConfState.EMPTY);
    private int receivers;

    private Store received(byte[] bytes) throws IOException {
        meta = meta(Files.write(temporary.resolve("received.db"), bytes));
        DataDirectory directory = new DataDirectory(temporary.resolve("receiver" + receivers++));
        disk.createDirectories(directory.member());
        SnapshotReception reception = SnapshotReception.begin(disk, directory, MemberLimits.DEFAULT, Events.NONE, meta);
        reception.write(bytes, 0, bytes.length);
        ReceivedState received = reception.finish(() -> {});
        assertThat(received.opened().membership().members()).hasSize(1);
        assertThat(received.opened().membership().clusterVersion()).matches("3\\.[5-7]\\.0");
        return received.opened().store();
    }

    /** What a leader would have announced. */
    private SnapshotMeta meta(Path file) {
        try (SnapshotReader reader = SnapshotReader.open(disk, file, SnapshotLimits.DEFAULT)) {
            Map<String, Bytes> rows = new TreeMap<>();
            Rows found = Objects.requireNonNull(reader.rows(Bytes.utf8("meta")));
            found.forEach((key, value) -> rows.put(key.toUtf8(), value.compact()));
            // Not from confState: a restored one still has that of the cluster it was.
            List<Long> voters = new ArrayList<>();
            Objects.requireNonNull(reader.rows(Bytes.utf8("members")))
                    .forEach((id, json) -> voters.add(Long.parseUnsignedLong(id.toUtf8(), 16)));
            return new SnapshotMeta(number(rows, "consistent_index"), number(rows, "term"),
                    new ConfState(voters, List.of()));
        }
    }

    private static long number(Map<String, Bytes> rows, String key) {
        return ByteBuffer.wrap(Objects.requireNonNull(rows.get(key)).toByteArray()).getLong();
    }
}
