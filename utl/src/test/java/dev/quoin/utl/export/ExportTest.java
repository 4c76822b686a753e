package dev.quoin.utl.export;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Disk;
import dev.quoin.disk.RealDisk;
import dev.quoin.disk.snapshot.BucketRows;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotWriter;
import dev.quoin.member.StoppedMember;
import dev.quoin.store.KeyValues;

import static org.assertj.core.api.Assertions.assertThat;

/** What is asked for is done or refused, and said. What the directory holds is for {@code EtcdExportTest} and real etcds to judge. */
class ExportTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it.
    private Path home;

    private Path member = Path.of("");
    private final Disk disk = new RealDisk();

    private record Result(int exitCode, String out) {}

    @BeforeEach
    void aMember() throws IOException {
        List<BucketRows> rows = new ArrayList<>();
        for (String name : List.of("alarm", "auth", "cluster", "key", "lease", "members", "members_removed", "meta")) {
            rows.add(new BucketRows(Bytes.utf8(name), sink -> {
                if (name.equals("cluster")) {
                    sink.row(Bytes.utf8("clusterVersion"), Bytes.utf8("3.7.0"));
                } else if (name.equals("key")) {
                    sink.row(new RevisionKey(2, 0, false).encode(),
                            KeyValues.encode(Bytes.utf8("k"), 2, 2, 1, Bytes.utf8("v"), 0));
                }
            }));
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        SnapshotWriter.measure(rows).writeTo(bytes::write);
        Path snapshot = Files.write(home.resolve("k.db"), bytes.toByteArray());
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        member = home.resolve("m");
        assertThat(dev.quoin.utl.Main.run(List.of("snapshot", "restore", snapshot.toString(), "--skip-hash-check",
                "--data-dir", member.toString()), nowhere, nowhere)).isZero();
    }

    private Result export(Object... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream printed = new PrintStream(out, true, StandardCharsets.UTF_8);
        int exitCode = Main.run(disk, Stream.of(words).map(Object::toString).toList(), printed, printed);
        return new Result(exitCode, out.toString(StandardCharsets.UTF_8));
    }

    @Test
    void inItsPlace() {
        Result result = export(member);
        assertThat(result.out()).contains("Etcd 3.7 can start on " + member + ": member 8e9e05c52164694d",
                "revision 2, 1 keys", "What Quoin had is in " + member.resolve("member.quoin"));
        assertThat(result.exitCode()).isZero();
        assertThat(member.resolve("member/snap/db")).exists();
        assertThat(member.resolve("member.quoin/ledger")).exists();
        assertThat(StoppedMember.lookAtEtcd(disk, member, null).version()).isEqualTo("3.7");
        assertThat(export(member)).isEqualTo(new Result(1,
                "quoin export: " + member + " is the data directory of an etcd already.\n"));
    }

    @Test
    void elsewhereForAnOlderEtcd() {
        Path out = home.resolve("out");
        Result result = export(member, "--out", out, "--target=3.6");
        assertThat(result.out()).contains("Etcd 3.6 or newer, up to 3.7, can start on " + out,
                "The cluster's version is 3.6.0 now.", member + " is as it was", "votes twice");
        assertThat(StoppedMember.lookAtEtcd(disk, out, null).version()).isEqualTo("3.6");
        assertThat(StoppedMember.isQuoins(disk, member)).isTrue();
        assertThat(export(member, "--out=" + out)).isEqualTo(new Result(1,
                "quoin export: a member is in " + out.resolve("member") + " already\n"));
    }

    /** Who names another place wants the directory to stay as it is. */
    @Test
    void elsewhereIsNotTheDirectoryItself() {
        for (Object same : List.of(member, member.resolve("../m"))) {
            Result result = export(member, "--out", same);
            assertThat(result.out()).contains("is the directory itself");
            assertThat(result.exitCode()).isEqualTo(1);
        }
        assertThat(StoppedMember.isQuoins(disk, member)).isTrue();
        assertThat(member.resolve("member.quoin")).doesNotExist();
    }

    @Test
    void whatIsNotUnderstoodIsToldWithTheUsage() {
        for (List<Object> words : List.<List<Object>>of(List.of(), List.of(member, member),
                List.of(member, "--target", "3.4"),
                List.of(member, "--out"), List.of(member, "--over"))) {
            Result result = export(words.toArray());
            assertThat(result.exitCode()).as("%s", words).isEqualTo(2);
            assertThat(result.out()).startsWith("quoin export: ").contains("--target 3.X");
        }
        assertThat(export("--help").exitCode()).isZero();
    }

    @Test
    void whatIsNoMembersIsRefused() {
        assertThat(export(home.resolve("none"))).isEqualTo(new Result(1,
                "quoin export: " + home.resolve("none") + " holds no Quoin member. Name its --data-dir.\n"));
    }
}
