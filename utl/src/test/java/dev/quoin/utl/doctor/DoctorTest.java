package dev.quoin.utl.doctor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.Bytes;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.RealDisk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.store.KeyValues;

import static org.assertj.core.api.Assertions.assertThat;

/** Whatever is odd about a directory is named, with what to do about it, and nothing is changed. */
class DoctorTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    private record Result(int exitCode, String out) {}

    /** Nothing may be another afterwards. */
    private Result doctor(Path directory, String... more) throws IOException {
        SortedMap<String, String> before = files();
        List<String> words = new ArrayList<>(List.of(directory.toString()));
        words.addAll(List.of(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream printed = new PrintStream(out, true, StandardCharsets.UTF_8);
        int exitCode = Main.run(words, printed, printed);
        assertThat(files()).as("nothing is changed").isEqualTo(before);
        return new Result(exitCode, out.toString(StandardCharsets.UTF_8));
    }

    private SortedMap<String, String> files() throws IOException {
        SortedMap<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(home)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                files.put(file.toString(), Files.isRegularFile(file)
                        ? Files.size(file) + " " + Files.getLastModifiedTime(file)
                        : "a directory");
            }
        }
        return files;
    }

    private byte[] database(String clusterVersion, Map<String, Bytes> meta) {
        SortedMap<Bytes, Bytes> keys = new TreeMap<>();
        for (int i = 0; i < 50; i++) {
            keys.put(new RevisionKey(2 + i, 0, false).encode(),
                    KeyValues.encode(Bytes.utf8("k" + i), 2 + i, 2 + i, 1, Bytes.utf8("v".repeat(100)), 0));
        }
        SortedMap<Bytes, Bytes> metaRows = new TreeMap<>();
        meta.forEach((key, value) -> metaRows.put(Bytes.utf8(key), value));
        List<BucketRows> rows = new ArrayList<>();
        for (String bucket : List.of("alarm", "auth", "authRoles", "authUsers")) {
            rows.add(new BucketRows(Bytes.utf8(bucket), sink -> {}));
        }
        rows.add(new BucketRows(Bytes.utf8("cluster"),
                sink -> sink.row(Bytes.utf8("clusterVersion"), Bytes.utf8(clusterVersion))));
        rows.add(new BucketRows(Bytes.utf8("key"), sink -> keys.forEach(sink::row)));
        for (String bucket : List.of("lease", "members", "members_removed")) {
            rows.add(new BucketRows(Bytes.utf8(bucket), sink -> {}));
        }
        rows.add(new BucketRows(Bytes.utf8("meta"), sink -> metaRows.forEach(sink::row)));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotWriter.measure(rows).writeTo(bytes::write);
        return bytes.toByteArray();
    }

    private Path quoin(String name) throws IOException {
        Path snapshot = Files.write(home.resolve(name + ".db"), database("3.7.0", Map.of()));
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        Path directory = home.resolve(name);
        assertThat(dev.quoin.utl.Main.run(List.of("snapshot", "restore", snapshot.toString(), "--skip-hash-check",
                "--data-dir", directory.toString(), "--initial-cluster-token", name), nowhere, nowhere)).isZero();
        return directory;
    }

    private Path etcd(Map<String, Bytes> meta) throws IOException {
        Path directory = home.resolve("etcd");
        Files.createDirectories(directory.resolve("member/wal"));
        Files.createDirectories(directory.resolve("member/snap"));
        Files.write(directory.resolve("member/snap/db"), database("3.5.0", meta));
        return directory;
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            int was = open.read();
            open.seek(at);
            open.write(was ^ 1);
        }
    }

    private static Path only(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix)).findFirst().orElseThrow();
        }
    }

    @Test
    void aHealthyMemberIsDescribed() throws IOException {
        Result result = doctor(quoin("m"));
        assertThat(result.out()).contains("Revision 51, 50 keys", "Others of that cluster: none",
                "Every record of ledger and log is as it was written.").endsWith("Nothing is wrong.\n");
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void whatIsNotThereOrNoDirectoryIsToldSo() throws IOException {
        assertThat(doctor(home.resolve("none")).out()).contains("is not there");
        Path file = Files.write(home.resolve("backup.db"), database("3.7.0", Map.of()));
        assertThat(doctor(file).out()).contains("is a file", "quoin inspect " + file);
        Path empty = Files.createDirectory(home.resolve("empty"));
        assertThat(doctor(empty)).isEqualTo(new Result(0,
                "note   " + empty + " is empty: a member that starts on it begins anew.\nNothing is wrong.\n"));
        Files.writeString(empty.resolve("something"), "else");
        assertThat(doctor(empty).out()).contains("holds files, but no member");
    }

    @Test
    void anEtcdsDirectoryIsKnownByItsVersion() throws IOException {
        Bytes seven = new RevisionKey(7, 0, false).encode().slice(0, 8);
        Path directory = etcd(Map.of("consistent_index", seven, "term", seven));
        assertThat(doctor(directory).out()).contains("of an etcd 3.5, and no Quoin can take it over",
                "there is no write-ahead log", "etcdutl snapshot restore", "The database is whole",
                "Do not simply start etcd on it");
        etcd(Map.of("storageVersion", Bytes.utf8("3.6.0")));
        assertThat(doctor(directory).out()).contains("of an etcd 3.6,");
        etcd(Map.of());
        Result old = doctor(directory);
        assertThat(old.out()).contains("of an etcd 3.4 or older,");
        assertThat(old.exitCode()).isEqualTo(1);
        Files.write(directory.resolve("member/snap/db"), new byte[8_192]);
        assertThat(doctor(directory).out()).contains("neither of the two metas is whole");
        Files.delete(directory.resolve("member/wal"));
        assertThat(doctor(directory).out()).contains("no write-ahead log in " + directory.resolve("member/wal"));
    }

    @Test
    void aRestoreThatWasKilledIsFound() throws IOException {
        Path directory = home.resolve("half");
        Files.createDirectories(directory.resolve("member.tmp/ledger"));
        assertThat(doctor(directory).out()).contains("did not come to its end", "Restore again");
    }

    @Test
    void filesOnTheirWayFromOneFormToTheOtherAreFound() throws IOException {
        Path directory = home.resolve("half");
        Files.createDirectories(directory.resolve("member.importing/ledger"));
        assertThat(doctor(directory).out()).contains("killed before it was whole, and there is no member", "put back");
        Files.writeString(directory.resolve("member.importing/exchange"), "\n\nmember.etcd-3.7\n");
        assertThat(doctor(directory).out()).contains("on their way", "Etcd must not be started", "start Quoin");
        Path whole = quoin("m");
        Files.createDirectories(whole.resolve("member.exporting/snap"));
        assertThat(doctor(whole).out()).contains("the next one clears it away").endsWith("Nothing is wrong.\n");
        Files.writeString(whole.resolve("member.exporting/exchange"), "\n\nmember.quoin\n");
        assertThat(doctor(whole).out()).contains("the next one clears it away").endsWith("Nothing is wrong.\n");
        Files.createDirectories(whole.resolve("member.quoin"));
        Result overtaken = doctor(whole);
        assertThat(overtaken.out()).contains("began anew in " + whole.resolve("member"), "quoin export " + whole);
        assertThat(overtaken.exitCode()).isEqualTo(1);
    }

    @Test
    void theEmptyDatabaseOfAnEtcdThatWasStartedByMistakeIsFound() throws IOException {
        Path directory = quoin("m");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotWriter.measure(List.of(new BucketRows(Bytes.utf8("meta"), sink -> {}))).writeTo(bytes::write);
        Files.createDirectories(directory.resolve("member/snap"));
        Files.write(directory.resolve("member/snap/db"), bytes.toByteArray());
        Result result = doctor(directory);
        assertThat(result.out()).contains("started on this directory by mistake", "sets it aside",
                "Revision 51, 50 keys");
        assertThat(result.exitCode()).isZero();
        assertThat(directory.resolve("member/snap/db")).exists();
    }

    @Test
    void aLogThatIsElsewhereOrLostIsAskedFor() throws IOException {
        Path directory = quoin("m");
        Path moved = home.resolve("moved-wal");
        Files.move(directory.resolve("member/wal"), moved);
        assertThat(doctor(directory).out()).contains("A ledger is in " + directory.resolve("member"), "Put it back",
                "quoin doctor " + directory + " --wal-dir DIR");
        assertThat(doctor(directory, "--wal-dir", moved.toString()).exitCode()).isZero();
    }

    @Test
    void damageIsToldWithFileAndByte() throws IOException {
        Path directory = quoin("m");
        Path ledger = only(directory.resolve("member/ledger"), ".ledger");
        flip(ledger, 1_000);
        assertThat(doctor(directory).out()).contains(ledger + " is damaged at byte",
                "Remove this member and add it again");
        flip(ledger, 1_000);
        assertThat(doctor(directory).exitCode()).isZero();
        Path wal = only(directory.resolve("member/wal"), ".wal");
        flip(wal, 60);
        assertThat(doctor(directory).out()).contains(wal + " is damaged at byte");
    }

    @Test
    void theLogOfAnotherClusterIsNotTakenForItsOwn() throws IOException {
        Path one = quoin("one");
        Path other = quoin("other");
        Path wal = one.resolve("member/wal");
        Files.move(wal, home.resolve("aside"));
        Files.move(other.resolve("member/wal"), wal);
        Result result = doctor(one);
        assertThat(result.out()).contains("whom the ledger does not know");
        assertThat(result.exitCode()).isEqualTo(1);
    }

    @Test
    void filesThatTheirOwnerMayNotWriteAreNamed() throws IOException {
        Path directory = quoin("m");
        Path ledger = only(directory.resolve("member/ledger"), ".ledger");
        Files.setPosixFilePermissions(ledger, PosixFilePermissions.fromString("r--r--r--"));
        assertThat(doctor(directory).out()).contains("may not read or write " + ledger, "chmod -R u+rwX");
        Files.setPosixFilePermissions(ledger, PosixFilePermissions.fromString("rw-------"));
        Path lost = Files.createDirectory(directory.resolve("lost+found"));
        Files.setPosixFilePermissions(lost, PosixFilePermissions.fromString("r-x------"));
        assertThat(doctor(directory).exitCode()).as("what is no member's").isZero();
    }

    @Test
    void aDiskThatIsNearlyFullIsNamed() {
        assertThat(Examination.ofRoom(Examination.FREE_BYTES_MIN)).isEmpty();
        assertThat(Examination.ofRoom(5_000_000)).singleElement().satisfies(finding -> assertThat(finding.text())
                .startsWith("wrong  5.0 MB are free on the disk").contains("Make room"));
    }

    @Test
    void aMemberThatRunsIsNotDisturbed() throws IOException {
        Path directory = quoin("m");
        DiskLock lock = new RealDisk().lock(directory.resolve("member"));
        Result result = doctor(directory);
        lock.close();
        assertThat(result.out()).contains("A member runs on " + directory);
        assertThat(result.exitCode()).isEqualTo(1);
    }

    @Test
    void whatIsNotUnderstoodIsRefused() {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        assertThat(Main.run(List.of(), nowhere, nowhere)).isEqualTo(2);
        assertThat(Main.run(List.of("a", "b"), nowhere, nowhere)).isEqualTo(2);
        assertThat(Main.run(List.of("--help"), nowhere, nowhere)).isZero();
    }
}
