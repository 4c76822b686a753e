package dev.quoin.utl;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.quoin.base.HumanBytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.DiskLock;
import dev.quoin.member.StartRefused;
import dev.quoin.member.StoppedMember;

/**
 * Gives back the space in a data directory that nothing needs, as {@code etcdutl defrag} does (etcdutl/etcdutl/defrag_command.go).
 * A database of etcd's is written anew, which needs as much space again as its rows take. Of a Quoin member's ledger files are
 * rewritten one by one, as the member does by itself while it runs: there is seldom much to gain.
 */
record Defrag(Path dataDirectory, Patience patience) {
    static final List<Option> OPTIONS = List.of(Option.of("data-dir", Option.Kind.TEXT, "",
            "Required. Defragments a data directory not in use by etcd."));

    /** @throws Refused if it is not done */
    void run(Disk disk, SnapshotRestore.Progress progress) throws Refused, InterruptedException {
        EtcdDirectory etcd = new EtcdDirectory(dataDirectory);
        try {
            if (etcd.hasDatabase(disk)) {
                ofEtcd(disk, etcd, progress);
            } else if (disk.exists(dataDirectory) && StoppedMember.isQuoins(disk, dataDirectory)) {
                ofQuoin(disk, progress);
            } else {
                throw refused("stat " + etcd.database() + ": no such file or directory");
            }
        } catch (Damaged | DiskFailure | StartRefused failed) {
            throw refused(String.valueOf(failed.getMessage()));
        }
    }

    private Refused refused(String why) {
        return new Refused("Failed to defragment etcd data[" + dataDirectory + "] (" + why + ")");
    }

    private void ofEtcd(Disk disk, EtcdDirectory etcd, SnapshotRestore.Progress progress) throws InterruptedException {
        Path database = etcd.database();
        try (DiskLock _ = patience.take(() -> etcd.take(disk))) {
            long before = size(disk, database);
            tellBegin(progress, database, before);
            new DatabaseRewrite(disk, database).run(meta -> {});
            tellEnd(progress, database, before, size(disk, database));
        }
    }

    private static long size(Disk disk, Path file) {
        try (DiskFile open = disk.openToRead(file)) {
            return open.size();
        }
    }

    private void ofQuoin(Disk disk, SnapshotRestore.Progress progress) throws InterruptedException {
        try (StoppedMember member = patience.take(() -> StoppedMember.take(disk, dataDirectory, null))) {
            long before = member.ledgerBytes();
            tellBegin(progress, dataDirectory, before);
            member.defragment();
            tellEnd(progress, dataDirectory, before, member.ledgerBytes());
        }
    }

    private static void tellBegin(SnapshotRestore.Progress progress, Path what, long bytes) {
        progress.told(SnapshotRestore.Progress.Level.INFO, "defragmenting", fields(what, bytes));
    }

    private static void tellEnd(SnapshotRestore.Progress progress, Path what, long before, long after) {
        Map<String, Object> fields = fields(what, after);
        fields.put("current-db-size-bytes-diff", after - before);
        progress.told(SnapshotRestore.Progress.Level.INFO, "finished defragmenting directory", fields);
    }

    private static Map<String, Object> fields(Path what, long bytes) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("path", what.toString());
        fields.put("current-db-size-bytes", bytes);
        fields.put("current-db-size", HumanBytes.text(bytes));
        return fields;
    }
}
