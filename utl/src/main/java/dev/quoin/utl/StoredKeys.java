package dev.quoin.utl;

import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.member.Membership;
import dev.quoin.member.StoppedMember;
import dev.quoin.member.StoredDatabase;
import dev.quoin.store.View;

/**
 * The keys in a snapshot, in a database of etcd's, or in the data directory of a member that does not run, etcd's or Quoin's;
 * read and never changed. For one thread. Memory: an index of all keys, about 100 bytes for each.
 */
public final class StoredKeys implements AutoCloseable {
    /** What it was that was opened. */
    public enum Kind {
        FILE("etcd's database file"), ETCD("the data directory of an etcd"),
        QUOIN("the data directory of a Quoin member");

        private final String title;

        Kind(String title) {
            this.title = title;
        }

        public String title() {
            return title;
        }
    }

    private final Kind kind;
    private final @Nullable StoredDatabase database;
    private final @Nullable StoppedMember member;

    private StoredKeys(Kind kind, @Nullable StoredDatabase database, @Nullable StoppedMember member) {
        this.kind = kind;
        this.database = database;
        this.member = member;
    }

    /**
     * Opens a file or a data directory.
     *
     * @param isVerified whether a file's SHA-256, where it has one, must be right
     * @throws Refused if there is nothing that could be read
     * @throws DiskFailure if somebody is using it
     * @throws dev.quoin.disk.Damaged if what is there is not what was written
     * @throws dev.quoin.member.StartRefused if no member could start on a directory of Quoin's
     * @throws dev.quoin.member.SnapshotRefused if a database lacks what every database has
     */
    public static StoredKeys open(Disk disk, Path path, boolean isVerified) throws Refused {
        if (!disk.exists(path)) {
            throw new Refused("stat " + path + ": no such file or directory" + advice(disk, path));
        }
        if (!disk.isDirectory(path)) {
            return new StoredKeys(Kind.FILE, StoredDatabase.open(disk, path, isVerified), null);
        }
        EtcdDirectory etcd = new EtcdDirectory(path);
        if (etcd.hasDatabase(disk)) {
            if (etcd.isInUse(disk)) {
                throw DiskFailure.inUse(path);
            }
            return new StoredKeys(Kind.ETCD, StoredDatabase.open(disk, etcd.database(), false), null);
        }
        if (!StoppedMember.isIn(disk, path, null)) {
            throw new Refused(path + " is a directory without a member of etcd's or Quoin's");
        }
        return new StoredKeys(Kind.QUOIN, null, StoppedMember.look(disk, path, null));
    }

    /** For who looks for etcd's database where Quoin has none. */
    private static String advice(Disk disk, Path path) {
        Path root = path.resolve("..").resolve("..").resolve("..").normalize();
        boolean isThatPlace = path.normalize().endsWith(Path.of("member", "snap", "db"));
        return isThatPlace && disk.exists(root) && StoppedMember.isIn(disk, root, null)
                ? "; " + root + " is the data directory of a Quoin member, which has no such file: name the directory"
                : "";
    }

    public Kind kind() {
        return kind;
    }

    /** All that is there. */
    public View view() {
        if (member != null) {
            return member.view();
        }
        return whole(database).view();
    }

    public Membership membership() {
        if (member != null) {
            return member.membership();
        }
        return whole(database).membership();
    }

    /** The member whose directory it is, if it is Quoin's; null else. */
    public @Nullable StoppedMember member() {
        return member;
    }

    private static StoredDatabase whole(@Nullable StoredDatabase database) {
        if (database == null) {
            throw new IllegalStateException("it is neither a database nor a directory");
        }
        return database;
    }

    @Override
    public void close() {
        if (member != null) {
            member.close();
        }
        if (database != null) {
            database.close();
        }
    }
}
