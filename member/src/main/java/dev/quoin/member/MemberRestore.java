package dev.quoin.member;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.wal.Wal;
import dev.quoin.disk.wal.WalSnapshot;
import dev.quoin.disk.wal.WalState;
import dev.quoin.raft.SnapshotMeta;

/**
 * Makes the directory of a member of a new cluster that begins with the state in a database file of etcd's, as {@code etcdutl
 * snapshot restore} does (etcdutl/snapshot/v3_snapshot.go).
 *
 * <p>The log holds what etcdutl's would: an entry for each founding member, a state that has committed them, and a snapshot
 * mark behind them; the ledger holds the file's state as of that mark, with these members and no others. So the member starts as
 * after any restart, and all founders that are made from one file agree. Of the file's cluster all else stays: its version, users,
 * leases, alarms.
 *
 * <p>Everything is made under other names and synced; then it takes its place by a change of names: {@code member.tmp} in the
 * data directory, which may be a file system of its own, becomes {@code member}. A log that has a place of its own takes it
 * just before: alone it is refused by every start. What fails leaves nothing behind; what is left by a process that died, the
 * next attempt deletes. For one thread; waits for the disk.
 */
public final class MemberRestore {
    private static final String TEMPORARY = ".tmp";
    private static final String MEMBER_MADE = "member" + TEMPORARY;

    private final Disk disk;
    private final DataDirectory directory;
    private final MemberLimits limits;
    private final boolean isLogInside;
    /** Where all is made but a log that has a place of its own. */
    private final Path made;
    private final Path log;
    private boolean isLogPlaced;

    /**
     * For directories that hold no member; both are made if need be, as the log's must not be there.
     *
     * @param logDirectory of the write-ahead log; null for its place in the data directory
     */
    public MemberRestore(Disk disk, Path dataDirectory, @Nullable Path logDirectory, MemberLimits limits) {
        this.disk = disk;
        this.limits = limits;
        DataDirectory usual = new DataDirectory(dataDirectory);
        isLogInside = logDirectory == null || isSame(logDirectory, usual.wal());
        directory = logDirectory == null || isLogInside ? usual : new DataDirectory(dataDirectory, logDirectory);
        made = dataDirectory.resolve(MEMBER_MADE);
        log = isLogInside ? made.resolve("wal")
                : directory.wal().resolveSibling(directory.wal().getFileName() + TEMPORARY);
    }

    private static boolean isSame(Path one, Path other) {
        return one.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize());
    }

    /** Whether a name in a data directory is only what an attempt has left that did not come to its end. */
    public static boolean isLeftover(String name) {
        return name.equals(MEMBER_MADE);
    }

    /**
     * Makes the member.
     *
     * @param file what the database is called where it is refused
     * @param revisionBump by how much the newest revision is to be higher, with all before it compacted; 0 leaves it
     * @throws SnapshotRefused if no member can start with the state
     * @throws Damaged if the file is not what was written
     */
    public void run(Path file, SnapshotReader database, Origin.Founder founder, long revisionBump) {
        if (disk.exists(directory.member())) {
            throw new StartRefused("a member is in " + directory.member() + " already");
        }
        boolean isNew = !disk.exists(directory.root());
        disk.createDirectories(made);
        // Who has it already is at work in there.
        DiskLock lock = disk.lock(made);
        try {
            deleteMade();
            makeLedger(file, database, founder, revisionBump);
            makeLog(founder);
            disk.syncDirectory(made);
            takePlace();
        } catch (Throwable failed) {
            giveUp(isNew, failed);
            throw failed;
        } finally {
            lock.close();
        }
    }

    private void makeLedger(Path file, SnapshotReader database, Origin.Founder founder, long revisionBump) {
        Membership founders = Membership.of(founder.members());
        SnapshotMeta mark = mark(founders);
        Path ledger = made.resolve(DataDirectory.LEDGER);
        SnapshotImport rows = new SnapshotImport(file, database, mark, "the snapshot " + file);
        rows.checkUsable();
        SnapshotImport.fill(disk, ledger, limits.ledger(), target -> rows.copyTo(target, founders, revisionBump));
        openAsAStartWould(ledger, mark, file);
    }

    private void openAsAStartWould(Path ledger, SnapshotMeta mark, Path file) {
        OpenedStore opened;
        try {
            opened = OpenedStore.open(disk, ledger, limits, Events.NONE, Long.MAX_VALUE);
        } catch (Damaged | Malformed unusable) {
            throw new SnapshotRefused("the snapshot " + file + " is not usable: " + unusable.getMessage(), unusable);
        }
        try {
            Invariant.check(opened.appliedIndex() == mark.index()
                    && opened.membership().confState().equals(mark.configuration()),
                    "the state at %d of %s came out as one at %d of %s", mark.index(), mark.configuration(),
                    opened.appliedIndex(), opened.membership().confState());
        } finally {
            opened.ledger().close();
        }
    }

    /** Where the log begins: behind the entries of the founders. */
    private static SnapshotMeta mark(Membership founders) {
        return new SnapshotMeta(founders.members().size(), Startup.FIRST_TERM, founders.confState());
    }

    private void makeLog(Origin.Founder founder) {
        Membership founders = Membership.of(founder.members());
        SnapshotMeta mark = mark(founders);
        Bytes configuration = founders.encodeConfState();
        disk.createDirectories(Disk.parentOf(log));
        try (Wal wal = Wal.create(disk, log, Startup.newMetadata(founder), limits.wal())) {
            // All vote for the same, in a term that nobody will ever lead.
            wal.append(ConfChanges.founding(founders, mark.term()),
                    new WalState(mark.term(), founders.members().getFirst().id(), mark.index()));
            wal.saveSnapshot(new WalSnapshot(mark.index(), mark.term(), configuration));
        }
    }

    private void takePlace() {
        if (!isLogInside) {
            disk.rename(log, directory.wal());
            isLogPlaced = true;
            disk.syncDirectory(Disk.parentOf(directory.wal()));
        }
        disk.rename(made, directory.member());
        disk.syncDirectory(directory.root());
    }

    // ---- what is left of an attempt

    private void deleteMade() {
        disk.deleteDirectory(made.resolve(DataDirectory.LEDGER));
        disk.deleteDirectory(log);
        disk.deleteDirectory(log.resolveSibling(log.getFileName() + TEMPORARY));
    }

    /** What cannot be taken away is told with what failed before. */
    private void giveUp(boolean isNew, Throwable failed) {
        try {
            if (disk.exists(directory.member())) {
                return; // It is there, and whole; only nobody knows whether a loss of power would undo it.
            }
            deleteMade();
            disk.deleteDirectory(made);
            if (isLogPlaced) {
                disk.deleteDirectory(directory.wal());
            }
            if (isNew) {
                disk.delete(directory.root());
            }
        } catch (DiskFailure more) {
            failed.addSuppressed(more);
        }
    }
}
