package dev.quoin.utl;

import java.nio.file.Path;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.member.SemVersion;
import dev.quoin.member.StorageVersion;

/** Which etcd a database was written by, as far as the database tells. */
public final class EtcdVersion {
    private EtcdVersion() {}

    /** {@code 3.7}; {@code 3.5}, which writes no version; {@code 3.4 or older}, which writes no term either. */
    public static String of(Disk disk, Path database) {
        try (SnapshotReader reader = SnapshotReader.openUnverified(disk, database, SnapshotLimits.DEFAULT)) {
            SemVersion version = StorageVersion.of(DatabaseRewrite.meta(database, reader));
            return version == null ? "3.4 or older" : version.major() + "." + version.minor();
        } catch (Damaged damage) {
            return "of a version that its database does not tell";
        }
    }
}
