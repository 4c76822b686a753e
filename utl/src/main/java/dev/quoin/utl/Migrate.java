package dev.quoin.utl;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.OverlayDisk;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.member.SemVersion;
import dev.quoin.member.StoppedMember;
import dev.quoin.member.StorageVersion;

/**
 * Makes an etcd's data directory fit for another version of etcd, as {@code etcdutl migrate} does
 * (etcdutl/etcdutl/migrate_command.go). All that differs is one row of its database: the version that it says it is made for, which
 * there is from 3.6 on. A Quoin member's directory has no such row and is made for no etcd; it is told so.
 */
record Migrate(Path dataDirectory, SemVersion target, boolean isForced, Patience patience) {
    static final List<Option> OPTIONS = List.of(
            Option.of("data-dir", Option.Kind.TEXT, "", "Path to the etcd data dir"),
            Option.of("force", Option.Kind.BOOLEAN, "false",
                    "Ignore migration failure and forcefully override storage version. Not recommended."),
            Option.of("target-version", Option.Kind.TEXT, "", "Target etcd version to migrate contents of data dir."
                    + " Minimal value 3.5. Format \"X.Y\" for example 3.6."));

    private static final Pattern TARGET = Pattern.compile("([0-9]{1,6})\\.([0-9]{1,6})");

    /** @throws Refused if the target is no version that can be asked for */
    static Migrate of(Arguments arguments) throws Refused {
        return new Migrate(Path.of(arguments.text("data-dir")), target(arguments.text("target-version")),
                arguments.isTrue("force"), new Patience(arguments.duration("timeout")));
    }

    private static SemVersion target(String text) throws Refused {
        if (text.chars().filter(letter -> letter == '.').count() != 1) {
            throw badTarget("wrong target version format, expected \"X.Y\", got " + GoQuote.of(text));
        }
        Matcher matcher = TARGET.matcher(text);
        if (!matcher.matches()) {
            throw badTarget("failed to parse target version: strconv.ParseInt: parsing " + GoQuote.of(badPart(text))
                    + ": invalid syntax");
        }
        SemVersion target = new SemVersion(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)), 0);
        if (target.compareTo(StorageVersion.V3_5) < 0) {
            throw badTarget("target version " + GoQuote.of(minor(target)) + " not supported. Minimal \"3.5\"");
        }
        return target;
    }

    /** The first of the two parts that is no number. */
    private static String badPart(String text) {
        String[] parts = text.split("\\.", -1);
        return parts[0].matches("[0-9]{1,6}") ? parts[1] : parts[0];
    }

    private static Refused badTarget(String why) {
        return new Refused(Refused.Exit.BAD_ARGUMENTS, why);
    }

    private static String minor(SemVersion version) {
        return version.major() + "." + version.minor();
    }

    /** @throws Refused if it is not done */
    void run(Disk disk, SnapshotRestore.Progress progress) throws Refused, InterruptedException {
        EtcdDirectory etcd = new EtcdDirectory(dataDirectory);
        if (!etcd.hasDatabase(disk)) {
            if (disk.exists(dataDirectory) && StoppedMember.isQuoins(disk, dataDirectory)) {
                ofQuoin(progress);
                return;
            }
            throw new Refused("stat " + etcd.database() + ": no such file or directory");
        }
        try {
            ofEtcd(disk, etcd, progress);
        } catch (Damaged | DiskFailure failed) {
            throw new Refused(String.valueOf(failed.getMessage()));
        }
    }

    /** What it holds is what a member 3.7 holds; how it holds it is Quoin's own. */
    private void ofQuoin(SnapshotRestore.Progress progress) throws Refused {
        if (!target.equals(StorageVersion.V3_7)) {
            throw new Refused(
                    dataDirectory + " is the data directory of a Quoin member: it is not in the form of any etcd's,"
                            + " and nothing in it can be migrated. To go on with etcd " + minor(target)
                            + ", save a snapshot of the member, and restore it with that etcd's etcdutl");
        }
        tellUpToDate(progress);
    }

    private void tellUpToDate(SnapshotRestore.Progress progress) {
        progress.told(SnapshotRestore.Progress.Level.INFO, "storage version up-to-date",
                Map.of("storage-version", minor(target)));
    }

    private void ofEtcd(Disk disk, EtcdDirectory etcd, SnapshotRestore.Progress progress)
            throws Refused, InterruptedException {
        Optional<SemVersion> found = patience.take(() -> current(disk, etcd));
        if (found.isEmpty()) {
            progress.told(SnapshotRestore.Progress.Level.WARN,
                    "failed to detect storage version. Please make sure you are"
                            + " using data dir from etcd v3.5 and older",
                    Map.of());
            throw new Refused("missing term information");
        }
        SemVersion current = found.get();
        if (current.equals(target)) {
            tellUpToDate(progress);
            return;
        }
        String obstacle = obstacle(disk, etcd, current);
        if (obstacle != null && !isForced) {
            throw new Refused(obstacle);
        }
        if (obstacle != null) {
            progress.told(SnapshotRestore.Progress.Level.INFO, "normal migrate failed, trying with force",
                    Map.of("error", obstacle));
        }
        try (DiskLock _ = patience.take(() -> etcd.take(disk))) {
            new DatabaseRewrite(disk, etcd.database()).run(meta -> StorageVersion.set(meta, target));
        }
        progress.told(SnapshotRestore.Progress.Level.INFO, "updated storage version",
                Map.of("new-storage-version", target.toString()));
    }

    private static Optional<SemVersion> current(Disk disk, EtcdDirectory etcd) {
        if (etcd.isInUse(disk)) {
            throw DiskFailure.inUse(etcd.root());
        }
        try (SnapshotReader database = SnapshotReader.openUnverified(disk, etcd.database(), SnapshotLimits.DEFAULT)) {
            return Optional.ofNullable(StorageVersion.of(DatabaseRewrite.meta(etcd.database(), database)));
        }
    }

    /** Why it cannot be done; null if nothing speaks against it. */
    private @Nullable String obstacle(Disk disk, EtcdDirectory etcd, SemVersion current) {
        // The log is read in any case, as etcdutl does: one that cannot be read is no ground to build on.
        SemVersion needed = neededByLog(disk, etcd);
        String obstacle = StorageVersion.obstacle(current, target);
        if (obstacle == null && needed != null && target.compareTo(current) < 0 && target.compareTo(needed) < 0) {
            return "cannot downgrade storage, WAL contains newer entries, as the target version (" + target
                    + ") is lower than the version (" + needed + ") detected from WAL logs";
        }
        return obstacle;
    }

    private static @Nullable SemVersion neededByLog(Disk disk, EtcdDirectory etcd) {
        Wal.Recovered log = Wal.open(new OverlayDisk(disk), etcd.log(), WalLimits.DEFAULT);
        try {
            return StorageVersion.neededBy(log.entries());
        } finally {
            log.wal().close();
        }
    }
}
