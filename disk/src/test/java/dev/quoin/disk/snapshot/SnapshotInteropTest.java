package dev.quoin.disk.snapshot;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.RealDisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * etcd judges: it opens, checks, restores and serves what we wrote, and we find in its own files what it says is there. Its
 * programs are looked for in the directory named by the system property {@code quoin.tools}; without them these tests are
 * skipped, or fail where CI=true.
 */
@Tag("interop")
class SnapshotInteropTest {
    private static final Bytes KEY = Bytes.utf8("key");

    private final RealDisk disk = new RealDisk();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temporary;

    // --- programs ---------------------------------------------------------------------------------------------------

    private static Path program(String name) {
        String tools = System.getProperty("quoin.tools");
        Path program = Path.of(tools == null ? "" : tools, name);
        boolean there = tools != null && Files.isExecutable(program);
        assertThat(there || !"true".equals(System.getenv("CI"))).as("no %s in quoin.tools=%s", name, tools).isTrue();
        assumeTrue(there, "no " + name + " in quoin.tools=" + tools);
        return program;
    }

    /** What a program prints, which must end well. */
    private String run(String name, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(program(name).toString()));
        command.addAll(List.of(arguments));
        Path output = temporary.resolve("out");
        Path errors = temporary.resolve("err");
        Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile())
                .start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        assertThat(ended && process.exitValue() == 0)
                .as(command + "\n" + Files.readString(errors, StandardCharsets.UTF_8)).isTrue();
        return Files.readString(output, StandardCharsets.UTF_8).strip();
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

        Etcd(Path data, String... more) throws IOException, InterruptedException {
            String peer = "http://127.0.0.1:" + freePort();
            List<String> command = new ArrayList<>(List.of(program("etcd").toString(), "--data-dir", data.toString(),
                    "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer));
            command.addAll(List.of(more));
            process = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(temporary.resolve("etcd.log").toFile()).start();
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

        String ctl(String... arguments) throws IOException, InterruptedException {
            List<String> all = new ArrayList<>(List.of("--endpoints", client));
            all.addAll(List.of(arguments));
            return run("etcdctl", all.toArray(String[]::new));
        }

        /** Many changes in few starts of a program: each is a transaction, in the words of etcdctl. */
        void changes(List<String> lines) throws IOException, InterruptedException {
            Process txn = new ProcessBuilder(program("etcdctl").toString(), "--endpoints", client, "txn")
                    .redirectErrorStream(true).redirectOutput(temporary.resolve("txn").toFile()).start();
            try (OutputStream input = txn.getOutputStream()) {
                input.write(("\n" + String.join("\n", lines) + "\n\n\n").getBytes(StandardCharsets.UTF_8));
            }
            assertThat(txn.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(txn.exitValue()).as(Files.readString(temporary.resolve("txn"))).isZero();
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

    // --- what we say of a file, in etcd's terms ---------------------------------------------------------------------

    /** What {@code etcdutl snapshot status} computes: CRC-32C over names, keys and values. */
    private static long statusHash(SnapshotReader reader) {
        int[] hash = {0};
        for (BucketRows bucket : reader.buckets()) {
            hash[0] = update(hash[0], bucket.name());
            bucket.rows().forEach((key, value) -> hash[0] = update(update(hash[0], key), value));
        }
        return hash[0] & 0xffff_ffffL;
    }

    private static int update(int hash, Bytes bytes) {
        return bytes.isEmpty() ? hash : Crc32c.update(hash, bytes.array(), bytes.offset(), bytes.length());
    }

    /** HashKV of a store that was never compacted. */
    private static long hashKv(SortedMap<Bytes, Bytes> history) {
        int hash = update(0, KEY);
        for (Map.Entry<Bytes, Bytes> row : history.entrySet()) {
            hash = update(update(hash, row.getKey()), row.getValue());
        }
        return hash & 0xffff_ffffL;
    }

    /** The keys that live, and their values, as the history tells it; in the form in which etcdctl prints them. */
    private static String live(SortedMap<Bytes, Bytes> history) {
        SortedMap<String, String> live = new TreeMap<>();
        history.forEach((key, value) -> {
            KeyAndValue found = KeyAndValue.of(value);
            if (Objects.requireNonNull(RevisionKey.decode(key)).isTombstone()) {
                live.remove(found.key().toUtf8());
            } else {
                live.put(found.key().toUtf8(), found.value().toUtf8());
            }
        });
        return live.entrySet().stream().map(entry -> entry.getKey() + "\n" + entry.getValue())
                .collect(Collectors.joining("\n"));
    }

    private static long lastRevision(SortedMap<Bytes, Bytes> history) {
        return Objects.requireNonNull(RevisionKey.decode(history.lastKey())).main();
    }

    /** Two fields of mvccpb.KeyValue. */
    private record KeyAndValue(Bytes key, Bytes value) {
        static KeyAndValue of(Bytes encoded) {
            Bytes key = Bytes.EMPTY;
            Bytes value = Bytes.EMPTY;
            ProtoReader reader = new ProtoReader(encoded);
            for (int tag = reader.tag(); tag != 0; tag = reader.tag()) {
                switch (ProtoReader.field(tag)) {
                    case 1 -> key = reader.bytes(tag);
                    case 5 -> value = reader.bytes(tag);
                    default -> reader.skip(tag);
                }
            }
            return new KeyAndValue(key, value);
        }
    }

    // --- we write, etcd reads ---------------------------------------------------------------------------------------

    /** The history of some keys, each put again and again, and some deleted; now and then a large value. */
    private static SortedMap<Bytes, Bytes> history(Random random, int changes) {
        SortedMap<Bytes, Bytes> rows = new TreeMap<>();
        Map<String, long[]> alive = new TreeMap<>();
        for (int revision = 2; revision < changes + 2; revision++) {
            String key = "key/%04d".formatted(random.nextInt(1_000));
            long[] createdAndVersion = alive.get(key);
            boolean deletes = createdAndVersion != null && random.nextInt(4) == 0;
            ProtoWriter writer = new ProtoWriter(64);
            writer.bytesField(1, Bytes.utf8(key));
            if (deletes) {
                alive.remove(key);
            } else {
                long[] now = createdAndVersion == null ? new long[]{revision, 1}
                        : new long[]{createdAndVersion[0], createdAndVersion[1] + 1};
                alive.put(key, now);
                writer.varintField(2, now[0]);
                writer.varintField(3, revision);
                writer.varintField(4, now[1]);
                int length = revision % 1_000 == 0 ? 1_000_000 : 1 + random.nextInt(300);
                writer.bytesField(5, Bytes.utf8("v".repeat(length)));
            }
            rows.put(new RevisionKey(revision, 0, deletes).encode(), Bytes.of(writer.toByteArray()));
        }
        return rows;
    }

    private static Bytes number(long value) {
        return Bytes.of(ByteBuffer.allocate(8).putLong(value).array());
    }

    @Test
    void etcdRestoresAndServesWhatWeWrote() throws Exception {
        SortedMap<Bytes, Bytes> history = history(new Random(21), 20_000);
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = Snapshots.buckets(Map.of("key", history));
        for (String name : List.of("alarm", "auth", "authRoles", "authUsers", "cluster", "lease", "members",
                "members_removed")) {
            buckets.put(Bytes.utf8(name), new TreeMap<>());
        }
        buckets.put(Bytes.utf8("meta"), new TreeMap<>(Map.of(Bytes.utf8("consistent_index"), number(20_010),
                Bytes.utf8("term"), number(3), Bytes.utf8("storageVersion"), Bytes.utf8("3.7.0"))));
        buckets.put(Bytes.utf8("cluster"), new TreeMap<>(Map.of(Bytes.utf8("clusterVersion"), Bytes.utf8("3.7.0"))));
        byte[] bytes = Snapshots.written(Snapshots.rowsOf(buckets));
        byte[] hashed = Arrays.copyOf(bytes, bytes.length + 32);
        System.arraycopy(MessageDigest.getInstance("SHA-256").digest(bytes), 0, hashed, bytes.length, 32);
        Path file = temporary.resolve("ours.db");
        Snapshots.put(disk, file, hashed);

        assertStatus(file, history);
        // It opens the file for writing, and leaves a transaction in it: so not the one whose hash will be verified.
        Path copy = Files.copy(file, temporary.resolve("copy.db"));
        String hashKv = run("etcdutl", "hashkv", copy.toString(), "-w", "json");
        assertThat(number(hashKv, "hash")).isEqualTo(hashKv(history));

        Path data = temporary.resolve("restored");
        run("etcdutl", "snapshot", "restore", file.toString(), "--data-dir", data.toString());
        try (Etcd etcd = new Etcd(data)) {
            assertThat(etcd.ctl("get", "--prefix", "")).isEqualTo(live(history));
            assertThat(number(etcd.ctl("get", "x", "-w", "json"), "revision")).isEqualTo(lastRevision(history));
            etcd.ctl("put", "after", "restore");
            etcd.ctl("defrag");
            assertThat(etcd.ctl("get", "after", "--print-value-only")).isEqualTo("restore");
        }
        // bbolt has changed our pages meanwhile, and still finds nothing to complain about.
        run("etcdutl", "snapshot", "status", data.resolve("member/snap/db").toString());
    }

    /** Branches that are longer than a page, more levels than keys of etcd's make, and a root that is itself a branch. */
    @Test
    void bboltFindsNothingWrongWithATreeOfAnyShape() throws Exception {
        Random random = new Random(24);
        SortedMap<Bytes, Bytes> history = history(random, 3_000);
        SortedMap<Bytes, SortedMap<Bytes, Bytes>> buckets = Snapshots.buckets(Map.of("key", history));
        buckets.put(Bytes.utf8("meta"), new TreeMap<>());
        for (int i = 0; i < 300; i++) {
            SortedMap<Bytes, Bytes> rows = new TreeMap<>();
            for (int n = i % 50 == 0 ? 150 : random.nextInt(8); n > 0; n--) {
                rows.put(Snapshots.bytes(random, 1 + random.nextInt(i % 100 == 0 ? Format.KEY_BYTES_MAX : 300)),
                        Snapshots.bytes(random, random.nextInt(9_000)));
            }
            buckets.put(Bytes.utf8("other/" + i), rows);
        }
        Path file = temporary.resolve("odd.db");
        Snapshots.put(disk, file, Snapshots.written(Snapshots.rowsOf(buckets)));

        assertStatus(file, history);
    }

    /** What etcdutl says of a file is what we find in it. Its check of all pages is part of that. */
    private void assertStatus(Path file, SortedMap<Bytes, Bytes> history) throws Exception {
        String status = run("etcdutl", "snapshot", "status", file.toString(), "-w", "json");
        try (SnapshotReader reader = SnapshotReader.open(disk, file, SnapshotLimits.DEFAULT)) {
            assertThat(number(status, "hash")).isEqualTo(statusHash(reader));
            assertThat(number(status, "totalSize")).isEqualTo(reader.length());
            assertThat(number(status, "revision")).isEqualTo(lastRevision(history));
            assertThat(Snapshots.read(reader)).containsEntry(KEY, history);
        }
    }

    // --- etcd writes, we read ---------------------------------------------------------------------------------------

    @Test
    void weReadWhatEtcdWrote() throws Exception {
        Path data = temporary.resolve("data");
        Path saved = temporary.resolve("saved.db");
        String live;
        try (Etcd etcd = new Etcd(data)) {
            change(etcd, new Random(22));
            etcd.ctl("compact", "10");
            change(etcd, new Random(23));
            etcd.ctl("snapshot", "save", saved.toString());
            live = etcd.ctl("get", "--prefix", "");
            assertThat(live).isNotEmpty();
        }
        assertReads(saved, live, true);
        // With pages that are free, and what was allocated ahead.
        assertReads(data.resolve("member/snap/db"), live, false);

        try (Etcd etcd = new Etcd(data)) {
            etcd.ctl("defrag");
        }
        assertReads(data.resolve("member/snap/db"), live, false);
    }

    private static void change(Etcd etcd, Random random) throws Exception {
        for (int i = 0; i < 12; i++) {
            SortedMap<String, String> lines = new TreeMap<>();
            for (int n = 0; n < 100; n++) {
                String key = "key/%03d".formatted(random.nextInt(400));
                lines.put(key, random.nextInt(4) == 0 ? "del " + key
                        : "put " + key + " " + "v".repeat(1 + random.nextInt(random.nextInt(20) == 0 ? 9_000 : 200)));
            }
            etcd.changes(List.copyOf(lines.values()));
        }
    }

    /** And a copy that we write of it is the same to etcd. */
    private void assertReads(Path file, String live, boolean hasHash) throws Exception {
        try (SnapshotReader reader = SnapshotReader.open(disk, file, SnapshotLimits.DEFAULT)) {
            SortedMap<Bytes, Bytes> history = Objects.requireNonNull(Snapshots.read(reader).get(KEY));
            assertThat(reader.hasHash()).isEqualTo(hasHash);
            assertThat(live(history)).isEqualTo(live);
            assertStatus(file, history);
            Path copy = temporary.resolve("copy.db");
            Files.deleteIfExists(copy);
            Snapshots.put(disk, copy, Snapshots.written(reader.buckets()));
            assertStatus(copy, history);
            assertThat(number(run("etcdutl", "snapshot", "status", copy.toString(), "-w", "json"), "hash"))
                    .isEqualTo(statusHash(reader));
        }
    }
}
