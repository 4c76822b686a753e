package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.InternalRaftRequest;
import dev.quoin.api.etcdserverpb.Metadata;
import dev.quoin.base.Bytes;
import dev.quoin.base.HumanBytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.OverlayDisk;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalEntry;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.Entry;
import dev.quoin.raft.EntryKind;
import dev.quoin.raft.HardState;

/**
 * Makes of a member of ours that does not run one of etcd's, 3.5 to 3.7: the same member of the same cluster, that has promised
 * the same. The other way round than {@link EtcdImport}: the database holds what the ledger does, at its applied index; the log
 * begins there, and has the term, the vote and the entries behind it. For members up to 3.6 the file {@code .snap} is there, from
 * which they know who decides.
 *
 * <p>Either it takes the place of what is there, by a {@link DirectoryExchange}; or it is made in another directory, and what is
 * there is not changed. Then only one of the two may ever be started. For one thread.
 */
public final class EtcdExport {
    private static final String BEING_MADE = "exporting";
    private static final String KEPT = "quoin";
    /** Segments of the log that are made, of which the first is deleted again. */
    private static final int LOG_SEGMENTS = 2;

    private final Disk disk;
    private final DataDirectory from;
    private final DataDirectory to;
    private final @Nullable SemVersion asked;
    private final MemberLimits limits;
    private final DirectoryExchange exchange;

    /**
     * What was made.
     *
     * @param version of the oldest etcd that starts on it
     * @param kept what Quoin's own directory is called now; null if it stays as it is
     * @param isLowered whether the cluster's version is an older one than it was
     */
    public record Exported(SemVersion version, long memberId, long clusterId, long revision, long keys,
            long appliedIndex,
            long lastIndex, long term, @Nullable Path kept, boolean isLowered) {
        private Exported keeping(@Nullable Path directory) {
            return new Exported(version, memberId, clusterId, revision, keys, appliedIndex, lastIndex, term, directory,
                    isLowered);
        }
    }

    EtcdExport(Disk disk, DataDirectory from, DataDirectory to, @Nullable SemVersion asked, MemberLimits limits) {
        this.disk = disk;
        this.from = from;
        this.to = to;
        this.asked = asked;
        this.limits = limits;
        exchange = exchange(disk, to);
    }

    static DirectoryExchange exchange(Disk disk, DataDirectory directory) {
        return new DirectoryExchange(disk, directory, BEING_MADE);
    }

    /**
     * For the member of a directory, in its place.
     *
     * @param logDirectory of the write-ahead log, if it has a place of its own; or null
     * @param asked the etcd that is to start on it; null: any that the cluster's version allows
     */
    public static EtcdExport inPlace(Disk disk, Path dataDirectory, @Nullable Path logDirectory,
            @Nullable SemVersion asked) {
        DataDirectory directory = StoppedMember.directory(dataDirectory, logDirectory);
        return new EtcdExport(disk, directory, directory, asked, MemberLimits.DEFAULT);
    }

    /**
     * The same into another directory, which must not hold a member, with the log inside.
     *
     * @throws StartRefused if it is the same directory
     */
    public static EtcdExport into(Disk disk, Path dataDirectory, @Nullable Path logDirectory, Path out,
            @Nullable SemVersion asked) {
        if (out.toAbsolutePath().normalize().equals(dataDirectory.toAbsolutePath().normalize())) {
            throw new StartRefused("--out " + out
                    + " is the directory itself, which is to stay as it is. Name another one, or none"
                    + " to export in place.");
        }
        return new EtcdExport(disk, StoppedMember.directory(dataDirectory, logDirectory), new DataDirectory(out), asked,
                MemberLimits.DEFAULT);
    }

    /** What the files of this name in a data directory mean, if it is that of files on their way from one form to the other; or null. */
    public static @Nullable HalfWay halfWay(Disk disk, Path dataDirectory, String name) {
        DataDirectory directory = new DataDirectory(dataDirectory);
        return switch (name) {
            case "member." + BEING_MADE -> exchange(disk, directory).state();
            case "member." + EtcdImport.BEING_MADE -> EtcdImport.exchange(disk, directory).state();
            default -> null;
        };
    }

    /**
     * Whether an attempt in place met the end of its process when all but the names was done.
     *
     * @throws StartRefused if somebody has begun anew there meanwhile
     */
    public boolean isHalfDone() {
        if (!from.equals(to)) {
            return false;
        }
        exchange.refuseOvertaken();
        return exchange.isHalfDone();
    }

    /** Does what was left of that. */
    public void resume() {
        try (DiskLock _ = disk.lock(exchange.made())) {
            exchange.resume();
        }
    }

    /**
     * Does it.
     *
     * @throws StartRefused if it cannot be done; says why, and what to do. Then nothing has changed
     * @throws Damaged if what is there is not what was written
     * @throws dev.quoin.disk.DiskFailure if a member runs on it, or the disk did not do what it was asked
     */
    public Exported run() {
        return from.equals(to) ? runInPlace() : runAside();
    }

    private Exported runInPlace() {
        exchange.refuseLogThatGoesAlong();
        Path kept = null;
        DiskLock lock = from.take(disk);
        try {
            Exported made;
            try (StoppedMember member = StoppedMember.open(disk, from, limits, () -> {})) {
                made = make(member);
            }
            kept = exchange.finish(KEPT);
            return made.keeping(kept);
        } finally {
            if (kept == null && disk.exists(from.member())) {
                exchange.giveUp();
            }
            lock.close();
        }
    }

    private Exported runAside() {
        if (disk.exists(to.member())) {
            throw new StartRefused("a member is in " + to.member() + " already");
        }
        boolean isNew = !disk.exists(to.root());
        boolean isDone = false;
        try (StoppedMember member = StoppedMember.open(new OverlayDisk(disk), from, limits)) {
            Exported made = make(member);
            exchange.finish(KEPT);
            isDone = true;
            return made;
        } finally {
            if (!isDone && disk.exists(to.root()) && !disk.exists(to.member())) {
                exchange.giveUp();
                if (isNew) {
                    disk.delete(to.root());
                }
            }
        }
    }

    // ---- what is asked for

    /** The oldest etcd that is to start on it, which is what the cluster's version becomes if that is newer. */
    private SemVersion version(StoppedMember member, List<WalEntry> behind) {
        SemVersion cluster = clusterVersion(member);
        if (asked == null || cluster.compareTo(asked) <= 0) {
            return cluster;
        }
        String minor = asked.major() + "." + asked.minor();
        Membership membership = member.membership();
        boolean isAlone = membership.members().size() == 1 && membership.member(member.memberId()).isPresent();
        if (!isAlone) {
            throw new StartRefused("The cluster is of version " + cluster + ", and no etcd " + minor
                    + " starts as a member of it. Start this member again, bring the cluster down (etcdctl downgrade enable "
                    + minor + ", once for each minor version), and export it then.");
        }
        for (WalEntry entry : behind) {
            SemVersion said = EntryKind.of(entry.type()) == EntryKind.NORMAL ? versionSet(entry.data()) : null;
            if (said != null && asked.compareTo(said) < 0) {
                throw new StartRefused(
                        "The entry at index " + entry.index() + " is not applied yet, and makes the cluster one of "
                                + said + ", which no etcd " + minor
                                + " bears. Start this member once more, stop it with SIGTERM, and"
                                + " export it then.");
            }
        }
        return asked;
    }

    /** As {@link Membership#storageVersion}: a cluster whose leader could not ask all members yet says that it is 3.0. */
    private static SemVersion clusterVersion(StoppedMember member) {
        SemVersion stored = SemVersion.parse(member.membership().storageVersion());
        return stored == null ? SemVersion.OWN_STORAGE : stored.withoutPatch();
    }

    private static @Nullable SemVersion versionSet(Bytes data) {
        return !data.isEmpty()
                && Requests.logged(data) instanceof Requests.Logged.ToCluster(long _, InternalRaftRequest request)
                && request.hasClusterVersionSet() ? SemVersion.parse(request.getClusterVersionSet().getVer()) : null;
    }

    private static void refuseUnreadable(List<WalEntry> behind, SemVersion version) {
        SemVersion needed = StorageVersion.neededBy(behind);
        if (needed != null && version.compareTo(needed) < 0) {
            throw new StartRefused("The log holds entries that are not applied yet and that an etcd " + version
                    + " cannot read; " + needed + " can. Start this member once more, and stop it with SIGTERM.");
        }
    }

    // ---- making it

    private Exported make(StoppedMember member) {
        Startup startup = member.startup();
        if (member.appliedIndex() == 0) {
            throw new StartRefused(
                    "Nothing has been applied in " + from.member() + " yet: there is nothing to export.");
        }
        List<WalEntry> behind = behind(startup);
        SemVersion version = version(member, behind);
        refuseUnreadable(behind, version);
        boolean isLowered = version.compareTo(clusterVersion(member)) < 0;
        Membership membership = isLowered
                ? member.membership().withClusterVersion(version.toString())
                : member.membership();
        OpenedStore opened = startup.opened();
        try (StateSnapshot state = StateSnapshot.of(opened.store(), opened.appliedIndex(), opened.appliedTerm(),
                membership,
                () -> {})) {
            refuseWithoutRoom(state, behind);
            exchange.begin();
            Path snap = exchange.made().resolve("snap");
            disk.createDirectory(snap);
            writeDatabase(snap, state);
            SnapFile.write(disk, snap, state.meta(), OldStore.json(membership));
            disk.syncDirectory(snap);
        }
        writeLog(startup, behind);
        disk.syncDirectory(exchange.made());
        return new Exported(version, member.memberId(), member.clusterId(), member.view().revision(),
                member.view().keyCount(), member.appliedIndex(), member.lastIndex(), member.term(), null, isLowered);
    }

    /** What is not applied, in words that every etcd understands. */
    private static List<WalEntry> behind(Startup startup) {
        List<WalEntry> behind = new ArrayList<>();
        for (Entry entry : startup.restart().entries()) {
            if (entry.index() > startup.opened().appliedIndex()) {
                boolean isOld = entry.kind() == EntryKind.NORMAL && OldRequests.isOld(entry.data());
                behind.add(new WalEntry(entry.kind().number(), entry.term(), entry.index(),
                        isOld ? OldRequests.inWordsOfToday(entry.data()) : entry.data()));
            }
        }
        return behind;
    }

    private void refuseWithoutRoom(StateSnapshot state, List<WalEntry> behind) {
        disk.createDirectories(to.root());
        long needed = state.lengthBytes() + LOG_SEGMENTS * limits.wal().segmentBytes()
                + behind.stream().mapToLong(entry -> entry.data().length() + 64L).sum();
        long free = disk.freeBytes(to.root());
        if (needed > free) {
            throw new StartRefused("The export takes " + HumanBytes.text(needed) + " in " + to.root() + ", and "
                    + HumanBytes.text(free)
                    + " are free there. Nothing was changed. Make room, or name another --out.");
        }
    }

    private void writeDatabase(Path snap, StateSnapshot state) {
        try (DiskFile file = disk.create(snap.resolve("db"))) {
            long[] end = {0};
            state.writeTo((bytes, offset, length) -> {
                file.writeFully(end[0], bytes, offset, length);
                end[0] += length;
            });
            file.sync();
        }
    }

    private void writeLog(Startup startup, List<WalEntry> behind) {
        OpenedStore opened = startup.opened();
        HardState promised = startup.restart().hardState();
        WalState state = new WalState(promised.term(), promised.vote(),
                Math.max(promised.commit(), opened.appliedIndex()));
        Bytes metadata = Bytes
                .of(Metadata.newBuilder().setNodeID(startup.memberId()).setClusterID(startup.clusterId()).build()
                        .toByteArray());
        try (Wal wal = Wal.create(disk, exchange.log(), metadata, limits.wal())) {
            wal.beginAnew(new WalSnapshot(opened.appliedIndex(), opened.appliedTerm(),
                    opened.membership().encodeConfState()), state);
            wal.append(behind, state);
            wal.sync();
            wal.release(opened.appliedIndex(), 1);
        }
        Wal.leaveToEtcd(disk, exchange.log());
    }
}
