package dev.quoin.utl;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.disk.wal.WalState;
import dev.quoin.store.KeyValues;

import static org.assertj.core.api.Assertions.assertThat;

/** The program, its checks and what it prints; beside etcdutl itself it is tried in trial's SnapshotInteropTest. */
class EtcdutlTest {
    private static final String FILE = "/backup.db";

    private final FaultyDisk disk = new FaultyDisk(new Random(3));
    private final SortedMap<String, SortedMap<Bytes, Bytes>> buckets = new TreeMap<>();

    EtcdutlTest() {
        for (String name : List.of("alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members",
                "members_removed", "meta")) {
            buckets.put(name, new TreeMap<>());
        }
        row("cluster", "clusterVersion", "3.7.0");
        row("meta", "storageVersion", "3.7.0");
        row("members", "8e9e05c52164694d",
                "{\"id\":10276657743932975437,\"peerURLs\":[\"http://localhost:2380\"],\"name\":\"old\"}");
        put(2, "a", 2, 1);
        put(3, "b", 3, 1);
        put(4, "a", 2, 2);
        delete(5, "b");
    }

    private SortedMap<Bytes, Bytes> bucket(String name) {
        return Objects.requireNonNull(buckets.get(name));
    }

    private void row(String bucket, String key, String value) {
        bucket(bucket).put(Bytes.utf8(key), Bytes.utf8(value));
    }

    private void put(long revision, String key, long created, long version) {
        bucket("key").put(new RevisionKey(revision, 0, false).encode(),
                KeyValues.encode(Bytes.utf8(key), created, revision, version, Bytes.utf8("value"), 0));
    }

    private void delete(long revision, String key) {
        bucket("key").put(new RevisionKey(revision, 0, true).encode(),
                KeyValues.encode(Bytes.utf8(key), 0, 0, 0, Bytes.EMPTY, 0));
    }

    private byte[] database() {
        List<BucketRows> rows = new ArrayList<>();
        buckets.forEach(
                (name, bucket) -> rows.add(new BucketRows(Bytes.utf8(name), sink -> bucket.forEach(sink::row))));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotWriter.measure(rows).writeTo(bytes::write);
        return bytes.toByteArray();
    }

    /** As a client saves it, with its hash behind it. */
    private byte[] saved() throws Exception {
        byte[] database = database();
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(database);
        return ByteBuffer.allocate(database.length + hash.length).put(database).put(hash).array();
    }

    private void file(byte[] bytes) {
        disk.put(Path.of(FILE), bytes);
    }

    private record Result(int exitCode, String out, String err) {}

    private Result run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = new Etcdutl(disk, new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8)).run(List.of(words));
        return new Result(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Result run(String line) {
        return run(line.split(" "));
    }

    // ---- status

    private int hash() {
        CRC32C crc = new CRC32C();
        buckets.forEach((name, bucket) -> {
            crc.update(name.getBytes(StandardCharsets.US_ASCII));
            bucket.forEach((key, value) -> {
                crc.update(key.toByteArray());
                crc.update(value.toByteArray());
            });
        });
        return (int) crc.getValue();
    }

    @Test
    void aStatusIsPrintedInFourWays() throws Exception {
        file(saved());
        String hex = Integer.toHexString(hash());
        String number = Integer.toUnsignedString(hash());
        long size = database().length;
        assertThat(size).isEqualTo(12_288);
        assertThat(run("snapshot", "status", FILE)).isEqualTo(new Result(0, hex + ", 5, 1, 12 kB, 3.7.0\n", ""));
        assertThat(run("snapshot", "status", FILE, "-w", "json").out()).isEqualTo("{\"hash\":" + number
                + ",\"revision\":5,\"totalKey\":1,\"totalSize\":" + size + ",\"version\":\"3.7.0\"}\n");
        assertThat(run("snapshot", "status", FILE, "--write-out=fields").out()).isEqualTo("\"Hash\" : " + number
                + "\n\"Revision\" : 5\n\"Keys\" : 1\n\"Size\" : " + size + "\n\"Version\" : 3.7.0\n");
        List<String> table = run("-wtable", "snapshot", "status", FILE).out().lines().toList();
        assertThat(table).hasSize(5);
        assertThat(table.get(1)).matches("│ +HASH +│ REVISION │ TOTAL KEYS │ TOTAL SIZE │ VERSION │");
        assertThat(table.get(3)).isEqualTo(
                "│ " + " ".repeat(Math.max(0, 4 - hex.length())) + hex
                        + " │        5 │          1 │      12 kB │   3.7.0 │");
    }

    @Test
    void anOldDatabaseHasNoVersion() {
        bucket("meta").clear();
        file(database());
        assertThat(run("snapshot", "status", FILE).out()).endsWith(", 12 kB, \n");
    }

    /** What a bump leaves is a key without a name, as etcdutl counts it. */
    @Test
    void aRevisionWithoutAKeyIsOne() {
        bucket("key").put(new RevisionKey(1_000, 0, false).encode(), Bytes.EMPTY);
        file(database());
        assertThat(run("snapshot", "status", FILE).out()).contains(", 1000, 2, ");
    }

    @Test
    void whatIsNoRevisionIsRefused() {
        row("key", "x", "y");
        file(database());
        Result refused = run("snapshot", "status", FILE);
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err()).contains("error during bucket key iteration, name: \"key\"")
                .contains("cannot parse revision key");
    }

    @Test
    void aFileThatIsCutShortIsRefused() {
        file(Arrays.copyOf(database(), 8_192));
        assertThat(run("snapshot", "status", FILE).exitCode()).isEqualTo(1);
    }

    // ---- refusals

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            snapshot status                                        | 128 | snapshot status requires exactly one argument
            snapshot status /backup.db /other.db                   | 128 | snapshot status requires exactly one argument
            snapshot status /none                                  |   1 | stat /none: no such file or directory
            snapshot status /backup.db -w protobuf                 |   4 | protobuf not supported as output format
            snapshot status /backup.db --write-out xml             |   4 | unsupported output format
            snapshot restore                                       | 128 | snapshot restore requires exactly one argument
            snapshot restore /backup.db --bump-revision 5          | 128 | --mark-compacted required if --revision-bump > 0
            snapshot restore /backup.db --mark-compacted           | 128 | --mark-compacted required if --revision-bump > 0
            snapshot restore /none --data-dir /d                   |   1 | open /none: no such file or directory
            snapshot restore /backup.db --name x                   |   1 | couldn't find local name "x" in the initial cluster configuration
            snapshot restore /backup.db --data-dir /full           |   1 | data-dir "/full" not empty or could not be read
            snapshot restore /backup.db --data-dir /d --wal-dir /full | 1 | wal-dir "/full" exists
            snapshot restore /backup.db --initial-cluster default=http://a | 1 | URL address does not have the form "host:port": http://a
            snapshot restore /backup.db --initial-advertise-peer-urls ftp://a:1 | 1 | URL scheme must be http, https, unix, or unixs: ftp://a:1
            snapshot restore /backup.db --initial-advertise-peer-urls http://127.0.0.1:1 --initial-cluster default=http://127.0.0.1:2 | 1 | --initial-cluster has default=http://127.0.0.1:2 but missing from --initial-advertise-peer-urls=http://127.0.0.1:1 (resolved urls: "http://127.0.0.1:1" != "http://127.0.0.1:2")
            snapshot restore /backup.db --initial-cluster default=http://localhost:2380,b=http://localhost:2380 | 1 | initial cluster b=http://localhost:2380,default=http://localhost:2380 has duplicate url
            defrag                                                 |   1 | required flag(s) "data-dir" not set
            defrag --data-dir /d                                   |   1 | Failed to defragment etcd data[/d] (stat /d/member/snap/db: no such file or directory)
            hashkv                                                 |   1 | accepts 1 arg(s), received 0
            hashkv /none                                           |   1 | stat /none: no such file or directory
            hashkv /none -w xml                                    |   4 | unsupported output format
            hashkv /backup.db -w protobuf                          |   4 | protobuf not supported as output format
            hashkv /backup.db --rev 6                              |   1 | mvcc: required revision is a future revision
            hashkv /backup.db --rev x                              |   1 | invalid argument "x" for "--rev" flag: strconv.ParseInt: parsing "x": invalid syntax
            hashkv /full                                           |   1 | /full is a directory without a member of etcd's or Quoin's
            migrate                                                |   1 | required flag(s) "data-dir", "target-version" not set
            migrate --data-dir /d                                  |   1 | required flag(s) "target-version" not set
            migrate --data-dir /d --target-version 3               | 128 | wrong target version format, expected "X.Y", got "3"
            migrate --data-dir /d --target-version x.6             | 128 | failed to parse target version: strconv.ParseInt: parsing "x": invalid syntax
            migrate --data-dir /d --target-version 3.4             | 128 | target version "3.4" not supported. Minimal "3.5"
            migrate --data-dir /d --target-version 3.6             |   1 | stat /d/member/snap/db: no such file or directory
            completion                                             |   1 | accepts 1 arg(s), received 0
            completion tcsh                                        |   1 | invalid argument "tcsh" for "etcdutl completion"
            snapshot restore /backup.db --nothing                  |   1 | unknown flag: --nothing
            snapshot restore /backup.db -x                         |   1 | unknown shorthand flag: 'x' in -x
            snapshot restore /backup.db --data-dir                 |   1 | flag needs an argument: --data-dir
            snapshot restore /backup.db --bump-revision=-1         |   1 | invalid argument "-1" for "--bump-revision" flag: strconv.ParseUint: parsing "-1": invalid syntax
            snapshot restore /backup.db --mark-compacted=maybe     |   1 | invalid argument "maybe" for "--mark-compacted" flag: strconv.ParseBool: parsing "maybe": invalid syntax
            """)
    void isRefusedInEtcdutlsWords(String line, int exitCode, String why) throws Exception {
        file(saved());
        disk.put(Path.of("/x"), new byte[1]);
        disk.createDirectories(Path.of("/full/member"));
        Result refused = run(line);
        assertThat(refused.err().lines().toList()).contains("Error: " + why);
        assertThat(refused.exitCode()).isEqualTo(exitCode);
        assertThat(disk.exists(Path.of("/d"))).as("nothing is left").isFalse();
    }

    @Test
    void anUnknownCommandIsRefused() {
        Result refused = run("snapshoot status " + FILE);
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err().lines().toList()).containsExactly(
                "Error: unknown command \"snapshoot\" for \"etcdutl\"",
                "Run 'etcdutl --help' for usage.");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "help", "snapshot", "snapshot -h", "snapshot restore --help", "snapshot foo",
        "help snapshot restore", "help defrag", "migrate -h"})
    void helpIsPrinted(String line) {
        Result help = run(line);
        assertThat(help.exitCode()).isZero();
        assertThat(help.out()).startsWith("Usage:\n  etcdutl").contains("--write-out");
    }

    @Test
    void theHelpOfARestoreNamesAllOfEtcdutlsOptions() {
        assertThat(run("snapshot restore --help").out()).contains("--bump-revision", "--data-dir",
                "--initial-advertise-peer-urls", "--initial-cluster ", "--initial-cluster-token",
                "--initial-memory-map-size", "--mark-compacted", "--name", "--skip-hash-check", "--wal-dir");
    }

    // ---- hashes

    /** As a member's own walk has it, over the rows that are left (server/storage/mvcc/hash.go). */
    private long keyHash(long revision) {
        CRC32C crc = new CRC32C();
        crc.update("key".getBytes(StandardCharsets.US_ASCII));
        bucket("key").forEach((key, value) -> {
            if (Objects.requireNonNull(RevisionKey.decode(key)).main() <= revision) {
                crc.update(key.toByteArray());
                crc.update(value.toByteArray());
            }
        });
        return crc.getValue();
    }

    @Test
    void aHashIsPrintedInFourWays() {
        file(database());
        assertThat(run("hashkv", FILE)).isEqualTo(new Result(0, keyHash(5) + ", 5, -1\n", ""));
        assertThat(run("hashkv", FILE, "--rev", "3").out()).isEqualTo(keyHash(3) + ", 3, -1\n");
        assertThat(run("hashkv", "-w", "json", FILE).out()).isEqualTo(
                "{\"hash\":" + keyHash(5) + ",\"hashRevision\":5,\"compactRevision\":-1}\n");
        assertThat(run("hashkv", FILE, "-w=fields").out()).isEqualTo(
                "\"Hash\" : " + keyHash(5) + "\n\"Hash revision\" : 5\n\"Compact revision\" : -1\n");
        assertThat(run("hashkv", FILE, "-w", "table").out().lines().toList().get(1))
                .matches("│ +HASH +│ HASH REVISION │ COMPACT REVISION │");
        assertThat(disk.contents(Path.of(FILE))).as("it is only read").isEqualTo(database());
    }

    @Test
    void aDirectoryHasTheHashOfWhatItWasRestoredFrom() throws Exception {
        file(saved());
        assertThat(run("snapshot", "restore", FILE, "--data-dir", "/d").exitCode()).isZero();
        assertThat(run("hashkv", "/d").out()).isEqualTo(run("hashkv", FILE).out());
        assertThat(run("hashkv", "/d/member/snap/db").err())
                .contains("/d is the data directory of a Quoin member, which has no such file: name the directory");
    }

    // ---- defragmenting

    private void etcdDirectory() {
        disk.createDirectories(Path.of("/e/member/snap"));
        disk.createDirectories(Path.of("/e/member/wal"));
        disk.put(Path.of("/e/member/snap/db"), database());
        try (Wal wal = Wal.create(disk, Path.of("/e/member/wal"), Bytes.EMPTY, WalLimits.ofSegmentBytes(4_096))) {
            wal.append(List.of(), new WalState(1, 0, 0));
        }
    }

    private SortedMap<Bytes, Bytes> metaOfEtcds() {
        try (SnapshotReader reader = SnapshotReader.open(disk, Path.of("/e/member/snap/db"), SnapshotLimits.DEFAULT)) {
            return DatabaseRewrite.meta(Path.of("/e/member/snap/db"), reader);
        }
    }

    @Test
    void aDatabaseOfEtcdsIsWrittenAnewWithTheSameRows() {
        etcdDirectory();
        Path database = Path.of("/e/member/snap/db");
        String before = run("snapshot", "status", database.toString(), "-w", "json").out();
        disk.put(database.resolveSibling("db.tmp.quoin"), new byte[10]);
        Result done = run("defrag", "--data-dir", "/e");
        assertThat(done.exitCode()).isZero();
        assertThat(done.out()).isEmpty();
        assertThat(done.err()).contains("\tinfo\tdefragmenting\t", "\tinfo\tfinished defragmenting directory\t");
        assertThat(run("snapshot", "status", database.toString(), "-w", "json").out()).isEqualTo(before);
        assertThat(disk.list(Path.of("/e/member/snap"))).containsExactly("db");
    }

    @Test
    void aDirectoryInUseIsLeftAlone() throws Exception {
        etcdDirectory();
        Path wal = Path.of("/e/member/wal");
        DiskFile log = disk.open(wal.resolve(disk.list(wal).getFirst()));
        log.lock();
        byte[] before = disk.contents(Path.of("/e/member/snap/db"));
        assertThat(run("defrag --data-dir /e --timeout 60ms").err()).contains("in use by another process");
        assertThat(run("migrate --data-dir /e --target-version 3.6 --timeout 60ms").err())
                .contains("in use by another process");
        assertThat(disk.contents(Path.of("/e/member/snap/db"))).isEqualTo(before);
        file(saved());
        run("snapshot", "restore", FILE, "--data-dir", "/d");
        DiskLock member = disk.lock(Path.of("/d/member"));
        assertThat(run("defrag --data-dir /d --timeout 60ms").err())
                .startsWith("Error: Failed to defragment etcd data[/d] (/d/member: lock failed: in use");
        member.close();
        assertThat(run("defrag --data-dir /d --timeout 60ms").exitCode()).isZero();
    }

    // ---- migrating

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            3.7.0 | 3.7 |       | 3.7.0 | storage version up-to-date
            3.7.0 | 3.6 |       | 3.6.0 | updated storage version
            3.7.0 | 3.5 |       |       | updated storage version
            3.6.0 | 3.7 |       | 3.7.0 | updated storage version
                  | 3.6 |       | 3.6.0 | updated storage version
                  | 3.5 |       |       | storage version up-to-date
            3.7.0 | 3.8 |       | 3.7.0 | Error: cannot create migration plan: version "3.8.0" is not supported
            3.7.0 | 4.0 |       | 3.7.0 | Error: cannot create migration plan: changing major storage version is not supported
            3.8.0 | 3.7 |       | 3.8.0 | Error: cannot create migration plan: version "3.8.0" is not supported
            3.7.0 | 3.8 | force | 3.8.0 | normal migrate failed, trying with force
            """)
    void aDatabaseSaysWhatItIsMadeFor(@Nullable String before, String target, @Nullable String force,
            @Nullable String after, String told) {
        bucket("meta").clear();
        bucket("meta").put(Bytes.utf8("consistent_index"), new RevisionKey(7, 0, false).encode().slice(0, 8));
        bucket("meta").put(Bytes.utf8("term"), new RevisionKey(2, 0, false).encode().slice(0, 8));
        if (before != null) {
            row("meta", "storageVersion", before);
        }
        etcdDirectory();
        List<String> words = new ArrayList<>(List.of("migrate", "--data-dir", "/e", "--target-version", target));
        if (force != null) {
            words.add("--force");
        }
        Result done = run(words.toArray(String[]::new));
        assertThat(done.err()).contains(told);
        assertThat(done.exitCode()).isEqualTo(told.startsWith("Error") ? 1 : 0);
        assertThat(metaOfEtcds().get(Bytes.utf8("storageVersion"))).isEqualTo(after == null ? null : Bytes.utf8(after));
        assertThat(metaOfEtcds()).hasSize(after == null ? 2 : 3);
    }

    @Test
    void aDatabaseThatDoesNotTellItsVersionIsNotMigrated() {
        bucket("meta").clear();
        etcdDirectory();
        assertThat(run("migrate --data-dir /e --target-version 3.6").err())
                .endsWith("Error: missing term information\n");
    }

    @Test
    void whatTheLogNeedsIsNotTakenFromIt() {
        etcdDirectory();
        ProtoWriter version = new ProtoWriter(16);
        version.bytesField(1, Bytes.utf8("3.7.0"));
        ProtoWriter request = new ProtoWriter(32);
        request.bytesField(9900, Bytes.of(version.toByteArray()));
        try (Wal wal = Wal.open(disk, Path.of("/e/member/wal"), WalLimits.ofSegmentBytes(4_096)).wal()) {
            wal.append(List.of(new WalEntry(0, 1, 1, Bytes.of(request.toByteArray()))), new WalState(1, 0, 1));
        }
        assertThat(run("migrate --data-dir /e --target-version 3.6").err())
                .endsWith("Error: cannot downgrade storage, WAL"
                        + " contains newer entries, as the target version (3.6.0) is lower than the version (3.7.0) detected from WAL"
                        + " logs\n");
    }

    @Test
    void aQuoinDirectoryIsMadeForNoEtcd() throws Exception {
        file(saved());
        run("snapshot", "restore", FILE, "--data-dir", "/d");
        Result same = run("migrate --data-dir /d --target-version 3.7");
        assertThat(same.exitCode()).isZero();
        assertThat(same.err()).contains("storage version up-to-date");
        Result other = run("migrate --data-dir /d --target-version 3.6");
        assertThat(other.exitCode()).isEqualTo(1);
        assertThat(other.err()).contains("/d is the data directory of a Quoin member").contains("save a snapshot");
    }

    // ---- the rest

    @Test
    void theVersionIsEtcdutls() {
        assertThat(run("version")).isEqualTo(new Result(0, "etcdutl version: 3.7.1\nAPI version: 3.7\n", ""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh", "fish", "powershell"})
    void everyShellIsToldOfEveryCommand(String shell) {
        assertThat(run("completion " + shell).out()).contains("defrag", "hashkv", "migrate", "snapshot", "restore",
                "skip-hash-check", "target-version");
    }

    // ---- restoring

    @Test
    void aSnapshotIsRestored() throws Exception {
        file(saved());
        Result restored = run("snap", "rest", FILE, "--data-dir", "/d", "--initial-cluster-token=t");
        assertThat(restored.err().lines().toList()).hasSize(2)
                .satisfiesExactly(first -> assertThat(first).contains("\tinfo\trestoring snapshot\t")
                        .contains("{\"path\": \"/backup.db\", \"wal-dir\": \"/d/member/wal\", \"data-dir\": \"/d\"}"),
                        last -> assertThat(last).contains("\tinfo\trestored snapshot\t"));
        assertThat(restored.exitCode()).isZero();
        assertThat(disk.list(Path.of("/d"))).containsExactly("member");
        assertThat(disk.list(Path.of("/d/member"))).contains("ledger", "wal");
        Result again = run("snapshot", "restore", FILE, "--data-dir", "/d");
        assertThat(again.err()).isEqualTo("Error: data-dir \"/d\" not empty or could not be read\n");
    }

    @Test
    void whatAKilledRestoreHasLeftIsNoObstacle() throws Exception {
        file(saved());
        disk.createDirectories(Path.of("/d/member.tmp/ledger"));
        assertThat(run("snapshot", "restore", FILE, "--data-dir", "/d").exitCode()).isZero();
        assertThat(disk.list(Path.of("/d"))).containsExactly("member");
    }

    @Test
    void anAlteredFileIsRefused() throws Exception {
        byte[] bytes = saved();
        bytes[9_000] ^= 1;
        file(bytes);
        Result refused = run("snapshot", "restore", FILE, "--data-dir", "/d");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err().lines().toList().getLast())
                .matches("Error: expected sha256 \\[\\d+( \\d+){31}], got \\[\\d+( \\d+){31}]");
        assertThat(disk.exists(Path.of("/d"))).isFalse();
    }

    @Test
    void aFileWithoutItsHashIsRestoredOnlyIfThatIsAskedFor() throws Exception {
        file(database());
        assertThat(run("snapshot", "restore", FILE, "--data-dir", "/d").err())
                .endsWith("Error: snapshot missing hash but --skip-hash-check=false\n");
        file(Arrays.copyOf(saved(), saved().length - 1));
        assertThat(run("snapshot", "restore", FILE, "--data-dir", "/d").err())
                .endsWith("Error: snapshot missing hash but --skip-hash-check=false\n");
        file(database());
        assertThat(run("snapshot", "restore", FILE, "--data-dir", "/d", "--skip-hash-check").exitCode()).isZero();
    }

    @Test
    void aFileThatIsTooShortForAHashIsRefused() {
        file(new byte[31]);
        assertThat(run("snapshot", "restore", FILE, "--data-dir", "/d", "--skip-hash-check").err())
                .endsWith("Error: seek /backup.db: invalid argument\n");
    }

    @Test
    void aTruncatedDatabaseIsRefusedAlsoWithoutItsHash() {
        file(Arrays.copyOf(database(), 8_192));
        Result refused = run("snapshot", "restore", FILE, "--data-dir", "/d", "--skip-hash-check");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(disk.exists(Path.of("/d"))).isFalse();
    }
}
