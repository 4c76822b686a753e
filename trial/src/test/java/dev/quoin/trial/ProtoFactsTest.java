package dev.quoin.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.google.protobuf.Descriptors.FileDescriptor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Our {@code .proto} files say what etcd's say: compared with what jetcd was generated from, and with etcd's Go packages. A
 * name or number that is off would change what is on the wire, or in JSON.
 */
class ProtoFactsTest {
    private static final List<FileDescriptor> FILES = List.of(
            dev.quoin.api.etcdserverpb.RangeRequest.getDescriptor().getFile(),
            dev.quoin.api.etcdserverpb.InternalRaftRequest.getDescriptor().getFile(),
            dev.quoin.api.etcdserverpb.Metadata.getDescriptor().getFile(),
            dev.quoin.api.authpb.User.getDescriptor().getFile(),
            dev.quoin.api.mvccpb.KeyValue.getDescriptor().getFile(),
            dev.quoin.api.leasepb.Lease.getDescriptor().getFile(),
            dev.quoin.api.membershippb.Member.getDescriptor().getFile(),
            dev.quoin.api.raftpb.Entry.getDescriptor().getFile(),
            dev.quoin.api.snappb.snapshot.getDescriptor().getFile(),
            dev.quoin.api.walpb.Record.getDescriptor().getFile(),
            dev.quoin.api.v3lockpb.LockRequest.getDescriptor().getFile(),
            dev.quoin.api.v3electionpb.CampaignRequest.getDescriptor().getFile(),
            dev.quoin.api.grpc.health.v1.HealthCheckRequest.getDescriptor().getFile());

    private static final SortedSet<String> OURS = ProtoFacts.of(FILES);

    /** Of jetcd alone: no etcd serves it, and jetcd does not call it. */
    private static final String JETCD_ADDS = "rpc etcdserverpb.Watch.Progress: etcdserverpb.WatchProgressRequest"
            + " -> etcdserverpb.WatchResponse";

    /** What is newer than jetcd's copy, which is about etcd 3.3's, and what is in log entries alone. */
    private static final Pattern JETCD_LACKS = Pattern.compile("^\\w+ (" + String.join("|",
            // Whole messages, and what is said with them.
            "etcdserverpb\\.(Downgrade\\w+|AuthStatus\\w+|LeaseLeases\\w+|LeaseStatus|LeaseCheckpoint\\w*)\\b",
            "etcdserverpb\\.RangeStreamResponse\\b", "authpb\\.UserAddOptions\\b",
            "etcdserverpb\\.(InternalRaftRequest|InternalAuthenticateRequest|RequestHeader|Metadata|EmptyResponse)\\b",
            "etcdserverpb\\.(Auth\\.AuthStatus|KV\\.RangeStream|Lease\\.LeaseLeases|Maintenance\\.Downgrade):",
            // Fields and values.
            "authpb\\.User\\.options =", "etcdserverpb\\.AuthUserAddRequest\\.(options|hashedPassword) =",
            "etcdserverpb\\.AuthUserChangePasswordRequest\\.hashedPassword =", "etcdserverpb\\.Compare\\.lease =",
            "etcdserverpb\\.Compare\\.CompareTarget\\.LEASE =", "etcdserverpb\\.AlarmType\\.CORRUPT =",
            "etcdserverpb\\.HashKVResponse\\.hash_revision =", "etcdserverpb\\.MemberListRequest\\.linearizable =",
            "etcdserverpb\\.SnapshotResponse\\.version =",
            "etcdserverpb\\.StatusResponse\\.(storageVersion|dbSizeQuota|downgradeInfo) =",
            "etcdserverpb\\.WatchCreateRequest\\.(watch_id|fragment) =", "etcdserverpb\\.WatchResponse\\.fragment =")
            + ")");

    /** Options in etcd's files that say since when something is there: nothing of them is ever sent. */
    private static final String ANNOTATION = "extension versionpb.etcd_version_";

    @Test
    void everyFileIsLookedAt() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../api/src/main/proto"))) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactlyInAnyOrderElementsOf(FILES.stream().map(FileDescriptor::getName).toList());
        }
    }

    @Test
    void jetcdWasGeneratedFromTheSame() {
        SortedSet<String> theirs = ProtoFacts.of(List.of(io.etcd.jetcd.api.RangeRequest.getDescriptor().getFile(),
                io.etcd.jetcd.api.KeyValue.getDescriptor().getFile(), io.etcd.jetcd.api.User.getDescriptor().getFile(),
                io.etcd.jetcd.api.CampaignRequest.getDescriptor().getFile(),
                io.etcd.jetcd.api.lock.LockRequest.getDescriptor().getFile()));
        assertThat(theirs).hasSizeGreaterThan(400);
        assertThat(without(theirs, OURS)).containsExactly(JETCD_ADDS);
        Set<String> packages = theirs.stream().map(ProtoFactsTest::packageOf).collect(Collectors.toSet());
        assertThat(without(OURS, theirs)).filteredOn(fact -> packages.contains(packageOf(fact)))
                .filteredOn(fact -> !JETCD_LACKS.matcher(fact).find()).isEmpty();
    }

    /** The first part of the name that is a fact's second word. */
    private static String packageOf(String fact) {
        return fact.split("[ .]", -1)[1];
    }

    @Test
    @Tag("interop")
    void etcdSaysTheSame() throws Exception {
        Program.Result printed = Program.of(Tools.built("protofacts")).run();
        assertThat(printed.exitCode()).as(printed.stderr()).isZero();
        SortedSet<String> theirs = new TreeSet<>(printed.lines());
        assertThat(theirs).hasSizeGreaterThan(650);
        assertThat(without(theirs, OURS)).allMatch(fact -> fact.startsWith(ANNOTATION)).hasSize(4);
        assertThat(without(OURS, theirs)).isEmpty();
    }

    private static SortedSet<String> without(SortedSet<String> facts, Set<String> others) {
        SortedSet<String> rest = new TreeSet<>(facts);
        rest.removeAll(others);
        return rest;
    }
}
