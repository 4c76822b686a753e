package dev.quoin.member;

import java.nio.file.Path;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.disk.wal.Wal;

/**
 * Where a member keeps its files, laid out as etcd lays them out as far as they are the same:
 *
 * <pre>
 * DATA-DIR/member/wal/      the write-ahead log, in etcd's format
 * DATA-DIR/member/ledger/   the store's records, our own; and as they came from a leader:
 * DATA-DIR/member/ledger-N/ the same from the state at index N on, see {@link LedgerDirectories}
 * DATA-DIR/member/snap/     states that are being received
 * DATA-DIR/member/snap/db   an etcd's database: not ours to start on, unless it is {@linkplain #hasStrayDatabase stray}
 * </pre>
 *
 * @param wal the write-ahead log, which may have been given a place of its own
 */
record DataDirectory(Path root, Path wal) {
    static final String LEDGER = "ledger";
    /** What an etcd's empty database is called that was made by mistake. */
    static final String STRAY = "db.stray";

    DataDirectory(Path root) {
        this(root, root.resolve("member").resolve("wal"));
    }

    static DataDirectory of(MemberConfig config) {
        Path log = config.logDirectory();
        return log == null
                ? new DataDirectory(config.dataDirectory())
                : new DataDirectory(config.dataDirectory(), log.toAbsolutePath().normalize());
    }

    Path member() {
        return root.resolve("member");
    }

    /** Whether the log lies where it does if it has no place of its own. */
    boolean isLogInside() {
        return wal.toAbsolutePath().normalize().equals(member().resolve("wal").toAbsolutePath().normalize());
    }

    Path ledger() {
        return member().resolve(LEDGER);
    }

    Path snap() {
        return member().resolve("snap");
    }

    /**
     * Whether a member lives here, of whatever kind. The ledger comes after the log's beginning has been synced: without
     * it a crash met the bootstrap half-way, and it is done over.
     */
    boolean isInUse(Disk disk) {
        return isEtcds(disk) || EtcdImport.exchange(disk, this).isHalfDone()
                || EtcdExport.exchange(disk, this).isHalfDone() || (hasLedger(disk) && Wal.exists(disk, wal()));
    }

    /** Whether it is a member of etcd's that lives here, or one has lived here and its database is lost. */
    boolean isEtcds(Disk disk) {
        return disk.exists(database()) || (!hasLedger(disk) && Wal.isEtcds(disk, wal()));
    }

    boolean hasLedger(Disk disk) {
        return disk.exists(member()) && disk.list(member()).stream().anyMatch(LedgerDirectories::isLedger);
    }

    /** An etcd's. */
    Path database() {
        return snap().resolve("db");
    }

    /**
     * Whether an etcd has been started on a member of ours. It makes an empty database before it finds that the log goes on
     * behind that, and panics before it writes to the log (server/etcdserver/bootstrap.go): so nothing was promised there.
     */
    boolean hasStrayDatabase(Disk disk) {
        boolean isOurs = hasLedger(disk) && Wal.exists(disk, wal()) && !Wal.isEtcds(disk, wal());
        if (!isOurs || !disk.exists(database())) {
            return false;
        }
        try (SnapshotReader reader = SnapshotReader.openUnverified(disk, database(), SnapshotLimits.DEFAULT)) {
            return SnapshotImport.isUntouched(database(), reader);
        } catch (Damaged unreadable) {
            // Nobody knows what was in it, so it is not passed over.
            return false;
        }
    }

    private void setStrayAside(Disk disk) {
        Path stray = snap().resolve(STRAY);
        // One from an earlier time is as empty.
        disk.rename(database(), stray);
        disk.syncDirectory(snap());
    }

    /**
     * Takes the directory for this process, making it first if need be, and sets a {@linkplain #hasStrayDatabase stray} database
     * aside. Refuses one that is not a Quoin member's.
     */
    DiskLock take(Disk disk) {
        refuseHalfWay(disk);
        disk.createDirectories(member());
        DiskLock lock = disk.lock(member());
        boolean accepted = false;
        try {
            if (hasStrayDatabase(disk)) {
                setStrayAside(disk);
            }
            refuseForeign(disk);
            prepareLog(disk);
            accepted = true;
            return lock;
        } finally {
            if (!accepted) {
                lock.close();
            }
        }
    }

    /** The log comes into being under another name beside its own, and then takes the place of what is there. */
    private void prepareLog(Disk disk) {
        if (wal.startsWith(root) || Wal.exists(disk, wal)) {
            return;
        }
        if (disk.exists(wal) && !disk.list(wal).isEmpty()) {
            throw new StartRefused(wal + " holds files that are not a write-ahead log. Name another --wal-dir.");
        }
        disk.createDirectories(Disk.parentOf(wal));
    }

    /**
     * Between the last steps of an export there is no member, but one is to come: whoever began anew would have its id. And where
     * somebody did, the member is not the one that is there.
     */
    void refuseHalfWay(Disk disk) {
        EtcdImport.exchange(disk, this).refuseOvertaken();
        DirectoryExchange export = EtcdExport.exchange(disk, this);
        export.refuseOvertaken();
        if (export.isHalfDone()) {
            throw new StartRefused(
                    "The files of this member are on their way to etcd: an export was killed between its last"
                            + " steps. quoin export " + root
                            + " goes on with it (with the same --wal-dir, if it has one). Then start"
                            + " etcd, or Quoin, which takes it over again.");
        }
    }

    /** Neither an etcd nor we can do anything with the log of an etcd alone. */
    StartRefused withoutDatabase() {
        return new StartRefused(
                "database file (" + database() + ") of the backend is missing, and the write-ahead log in "
                        + wal() + " is an etcd's. Put it back, or remove this member and add it again.");
    }

    private void refuseForeign(Disk disk) {
        if (disk.exists(database())) {
            throw new StartRefused(
                    "The member in " + member() + " is an etcd's. A Quoin that is started on it takes it over.");
        }
        if (isEtcds(disk)) {
            throw withoutDatabase();
        }
        boolean hasLedger = disk.list(member()).stream().anyMatch(LedgerDirectories::isLedger);
        if (hasLedger && !disk.exists(wal())) {
            throw new StartRefused("A ledger is in " + member() + ", but the write-ahead log " + wal() + " is not."
                    + " Put it back, or remove this member's directory and start anew.");
        }
    }
}
