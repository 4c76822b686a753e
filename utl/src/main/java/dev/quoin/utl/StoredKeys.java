package dev.quoin.utl;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.member.Membership;
import dev.quoin.member.StoppedMember;
import dev.quoin.member.StoredDatabase;
import dev.quoin.member.StoredLedger;
import dev.quoin.store.View;

/**
 * The keys in a snapshot, in a database of etcd's, or in the data directory of a member that does not run, etcd's or Quoin's;
 * read and never changed. For one thread. Memory: an index of all keys, about 100 bytes for each.
 */
public final class StoredKeys implements AutoCloseable {
    /** What it was that was opened. */
    public enum Kind {
        FILE("etcd's database file"), ETCD("the data directory of an etcd"),
        QUOIN(
                "the data directory of a Quoin member"),
        LEDGER("the ledger of a Quoin member, without its log");

        private final String title;

        Kind(String title) {
            this.title = title;
        }

        public String title() {
            return title;
        }
    }

    private final Kind kind;
    private final View view;
    private final Membership membership;
    private final @Nullable StoppedMember member;
    private final Runnable onClose;

    private StoredKeys(Kind kind, View view, Membership membership, @Nullable StoppedMember member, Runnable onClose) {
        this.kind = kind;
        this.view = view;
        this.membership = membership;
        this.member = member;
        this.onClose = onClose;
    }

    private static StoredKeys of(Kind kind, StoredDatabase database) {
        return new StoredKeys(kind, database.view(), database.membership(), null, database::close);
    }

    /**
     * Opens a file or a data directory.
     *
     * @param log of a Quoin member's directory, if its log has a place of its own; or null
     * @param isVerified whether a file's SHA-256, where it has one, must be right
     * @throws Refused if there is nothing that could be read
     * @throws DiskFailure if somebody is using it
     * @throws dev.quoin.disk.Damaged if what is there is not what was written
     * @throws dev.quoin.member.StartRefused if no member could start on a directory of Quoin's
     * @throws dev.quoin.member.SnapshotRefused if a database lacks what every database has
     */
    public static StoredKeys open(Disk disk, Path path, @Nullable Path log, boolean isVerified) throws Refused {
        if (!disk.exists(path)) {
            throw new Refused("stat " + path + ": no such file or directory" + advice(disk, path));
        }
        if (!disk.isDirectory(path)) {
            return of(Kind.FILE, StoredDatabase.open(disk, path, isVerified));
        }
        EtcdDirectory etcd = new EtcdDirectory(path);
        if (etcd.hasDatabase(disk)) {
            if (etcd.isInUse(disk)) {
                throw DiskFailure.inUse(path);
            }
            return of(Kind.ETCD, StoredDatabase.open(disk, etcd.database(), false));
        }
        if (!StoppedMember.isQuoins(disk, path)) {
            throw new Refused(path + " is a directory without a member of etcd's or Quoin's");
        }
        StoppedMember member = StoppedMember.look(disk, path, log);
        return new StoredKeys(Kind.QUOIN, member.view(), member.membership(), member, member::close);
    }

    /** Whether {@link #rescue} may find something where {@link #open} does not. */
    public static boolean mayBeRescued(Disk disk, Path path) {
        return disk.isDirectory(path) && !new EtcdDirectory(path).hasDatabase(disk)
                && StoppedMember.isQuoins(disk, path);
    }

    /** What the ledger of a Quoin member has whose log is lost or damaged; throws as {@link #open}. */
    public static StoredKeys rescue(Disk disk, Path path) {
        StoredLedger ledger = StoredLedger.open(disk, path);
        return new StoredKeys(Kind.LEDGER, ledger.view(), ledger.membership(), null, ledger::close);
    }

    /** For who looks for etcd's database where Quoin has none. */
    private static String advice(Disk disk, Path path) {
        Path root = path.resolve("..").resolve("..").resolve("..").normalize();
        boolean isThatPlace = path.normalize().endsWith(Path.of("member", "snap", "db"));
        return isThatPlace && disk.exists(root) && StoppedMember.isQuoins(disk, root)
                ? "; " + root + " is the data directory of a Quoin member, which has no such file: name the directory"
                : "";
    }

    public Kind kind() {
        return kind;
    }

    /** All that is there. */
    public View view() {
        return view;
    }

    public Membership membership() {
        return membership;
    }

    /** The member whose directory it is, if it is one of Quoin's as a whole; null else. */
    public @Nullable StoppedMember member() {
        return member;
    }

    @Override
    public void close() {
        onClose.run();
    }
}
