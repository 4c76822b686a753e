package dev.quoin.utl.inspect;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.base.Bytes;
import dev.quoin.base.ProtoWriter;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.memory.FaultyDisk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.store.KeyValues;

import static org.assertj.core.api.Assertions.assertThat;

/** The keys of a file are listed, shown, compared and exported, at any revision that is left. */
class InspectTest {
    private static final String FILE = "/a.db";

    private final FaultyDisk disk = new FaultyDisk(new Random(3));
    private final SortedMap<Bytes, Bytes> history = new TreeMap<>();

    private void put(long revision, String key, long created, long version, Bytes value) {
        history.put(new RevisionKey(revision, 0, false).encode(),
                KeyValues.encode(Bytes.utf8(key), created, revision, version, value, 0));
    }

    private void delete(long revision, String key) {
        history.put(new RevisionKey(revision, 0, true).encode(),
                KeyValues.encode(Bytes.utf8(key), 0, 0, 0, Bytes.EMPTY, 0));
    }

    private void write(String name) {
        List<BucketRows> rows = new ArrayList<>();
        for (String bucket : List.of("alarm", "auth", "authRoles", "authUsers", "cluster")) {
            rows.add(new BucketRows(Bytes.utf8(bucket), sink -> {}));
        }
        rows.add(new BucketRows(Bytes.utf8("key"), sink -> history.forEach(sink::row)));
        for (String bucket : List.of("lease", "members", "members_removed", "meta")) {
            rows.add(new BucketRows(Bytes.utf8(bucket), sink -> {}));
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotWriter.measure(rows).writeTo(bytes::write);
        disk.put(Path.of(name), bytes.toByteArray());
    }

    private static Bytes message(Bytes... fields) {
        ProtoWriter writer = new ProtoWriter(64);
        for (int i = 0; i < fields.length; i++) {
            writer.bytesField(i + 1, fields[i]);
        }
        return Bytes.of(writer.toByteArray());
    }

    /** As Kubernetes writes one: metadata with a name and a namespace, a spec with a number and some bytes. */
    private static Bytes pod() {
        ProtoWriter spec = new ProtoWriter(64);
        spec.varintField(4, 30);
        spec.bytesField(7, Bytes.of(new byte[]{(byte) 0xff, 0, 1}));
        Bytes object = message(message(Bytes.utf8("web-1"), Bytes.EMPTY, Bytes.utf8("default")),
                Bytes.of(spec.toByteArray()));
        byte[] unknown = message(message(Bytes.utf8("v1"), Bytes.utf8("Pod")), object).toByteArray();
        byte[] value = new byte[4 + unknown.length];
        System.arraycopy(new byte[]{'k', '8', 's', 0}, 0, value, 0, 4);
        System.arraycopy(unknown, 0, value, 4, unknown.length);
        return Bytes.of(value);
    }

    private void fill() {
        put(2, "a", 2, 1, Bytes.utf8("one"));
        put(3, "b", 3, 1, Bytes.utf8("two"));
        put(4, "a", 2, 2, Bytes.utf8("three"));
        delete(5, "b");
        put(6, "/registry/pods/default/web-1", 6, 1, pod());
        write(FILE);
    }

    private record Result(int exitCode, List<String> out, String err) {}

    private Result run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream printed = new PrintStream(out, false, StandardCharsets.UTF_8);
        int exitCode = Main.run(disk, List.of(words), printed, new PrintStream(err, true, StandardCharsets.UTF_8));
        printed.flush();
        return new Result(exitCode, out.toString(StandardCharsets.UTF_8).lines().toList(),
                err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aFileIsSummarised() {
        fill();
        assertThat(run(FILE).out()).contains("/a.db: etcd's database file", "revision:   6", "compacted:  never",
                "keys:       2");
    }

    @Test
    void keysAreListedInTheirOrderAsOfAnyRevision() {
        fill();
        assertThat(run("list", FILE).out()).satisfiesExactly(
                first -> assertThat(first).matches(" *6  v1 +\\d+ B  /registry/pods/default/web-1  \\(v1 Pod\\)"),
                second -> assertThat(second).matches(" *4  v2 +5 B  a"));
        assertThat(run("list", FILE, "--rev", "3").out()).satisfiesExactly(
                first -> assertThat(first).matches(" *2  v1 +3 B  a"),
                second -> assertThat(second).matches(" *3  v1 +3 B  b"));
        assertThat(run("list", FILE, "/registry/").out()).hasSize(1);
        assertThat(run("list", FILE, "c").out()).isEmpty();
    }

    /** More keys than are planned at a time. */
    @Test
    void manyKeysAreListedEachOnce() {
        for (int i = 0; i < 2_345; i++) {
            put(2 + i, "k" + (10_000 + i), 2 + i, 1, Bytes.utf8("v"));
        }
        write(FILE);
        List<String> listed = run("list", FILE).out();
        assertThat(listed).hasSize(2_345).doesNotHaveDuplicates();
        assertThat(listed.getLast()).endsWith("k12344");
        assertThat(run("export", FILE).out()).hasSize(2_345);
    }

    @Test
    void aValueIsShownAsTextOrAsItIs() {
        fill();
        assertThat(run("get", FILE, "a").out()).contains("mod revision:    4", "version:         2").endsWith("three");
        assertThat(run("get", FILE, "a", "--rev=2").out()).endsWith("one");
        assertThat(run("get", "--raw", FILE, "a").out()).containsExactly("three");
        Result none = run("get", FILE, "b");
        assertThat(none.exitCode()).isEqualTo(1);
        assertThat(none.err()).isEqualTo("quoin inspect: there is no key b\n");
    }

    @Test
    void anObjectOfKubernetesIsShownByTheNumbersOfItsFields() {
        fill();
        List<String> shown = run("get", FILE, "/registry/pods/default/web-1").out();
        assertThat(shown.subList(6, shown.size())).containsExactly("apiVersion: v1", "kind: Pod",
                "fields by their numbers:", "  1:", "    1: \"web-1\"", "    2: \"\"", "    3: \"default\"", "  2:",
                "    4: 30",
                "    7: 0xff0001");
    }

    @Test
    void keysAreExportedAsEtcdctlPrintsThem() {
        fill();
        assertThat(run("export", FILE, "a").out()).containsExactly("{\"key\":\"YQ==\",\"create_revision\":2,"
                + "\"mod_revision\":4,\"version\":2,\"value\":\"" + Base64.getEncoder().encodeToString("three".getBytes(
                        StandardCharsets.UTF_8))
                + "\",\"lease\":0}");
    }

    private void restore() {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        assertThat(dev.quoin.utl.Main.run(disk, List.of("snapshot", "restore", FILE, "--skip-hash-check", "--data-dir",
                "/d"), nowhere, nowhere)).isZero();
    }

    @Test
    void aDirectoryHoldsWhatTheFileDoesThatItWasMadeOf() {
        fill();
        restore();
        assertThat(run("diff", FILE, "/d")).isEqualTo(new Result(0, List.of(), ""));
        assertThat(run("/d").out()).contains("/d: the data directory of a Quoin member", "revision:   6");
        DiskLock lock = disk.lock(Path.of("/d/member"));
        assertThat(run("list", "/d").err()).contains("in use by another process");
        lock.close();
    }

    @Test
    void aLogMayHaveAPlaceOfItsOwn() {
        fill();
        restore();
        disk.createDirectories(Path.of("/logs"));
        for (String name : disk.list(Path.of("/d/member/wal"))) {
            disk.put(Path.of("/logs").resolve(name), disk.contents(Path.of("/d/member/wal").resolve(name)));
        }
        disk.deleteDirectory(Path.of("/d/member/wal"));
        assertThat(run("diff", "/d", FILE, "--wal-dir", "/logs")).isEqualTo(new Result(0, List.of(), ""));
    }

    /** There may be nothing else left. */
    @Test
    void aDirectoryWithoutItsLogIsStillRead() {
        fill();
        restore();
        disk.deleteDirectory(Path.of("/d/member/wal"));
        Result export = run("export", "/d");
        assertThat(export.out()).isEqualTo(run("export", FILE).out());
        assertThat(export.err()).contains("A ledger is in /d/member", "This is what the ledger has, up to revision 6");
        assertThat(export.exitCode()).isEqualTo(1);
    }

    @Test
    void twoFilesAreCompared() {
        fill();
        history.clear();
        put(2, "a", 2, 1, Bytes.utf8("three"));
        put(3, "c", 3, 1, Bytes.utf8("new"));
        put(4, "/registry/pods/default/web-1", 4, 1, Bytes.utf8("other"));
        write("/b.db");
        Result diff = run("diff", FILE, "/b.db");
        assertThat(diff.out()).containsExactly("~ /registry/pods/default/web-1  mod revision 6 and 4", "+ c");
        assertThat(diff.exitCode()).isEqualTo(1);
        assertThat(run("diff", FILE, "/b.db", "a")).isEqualTo(new Result(0, List.of(), ""));
        assertThat(run("diff", "/b.db", FILE, "c").out()).containsExactly("- c");
    }

    @Test
    void twoRevisionsAreCompared() {
        fill();
        assertThat(run("diff", FILE, "--from", "3").out()).containsExactly("+ /registry/pods/default/web-1",
                "~ a  mod revision 2 and 4", "- b");
        assertThat(run("diff", FILE, "--from", "3", "--rev", "3").exitCode()).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /none                | 1 | stat /none: no such file or directory
            list /a.db --rev 99  | 1 | revision 99 cannot be read: the newest is 6
            list                 | 2 | something is to be named
            get /a.db            | 2 | something is to be named
            diff /a.db           | 2 | something is to be named
            list /a.db a b       | 2 | too much is named
            list /a.db --depth 3 | 2 | there is no --depth
            list /a.db --rev x   | 2 | --rev wants a revision, a number
            """)
    void whatCannotBeDoneIsRefused(String line, int exitCode, String why) {
        fill();
        Result refused = run(line.split(" "));
        assertThat(refused.err()).contains("quoin inspect: " + why);
        assertThat(refused.exitCode()).isEqualTo(exitCode);
    }
}
