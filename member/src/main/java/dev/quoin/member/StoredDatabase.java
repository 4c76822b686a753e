package dev.quoin.member;

import java.nio.file.Path;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.snapshot.RevisionKey;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.raft.ConfState;
import dev.quoin.raft.SnapshotMeta;
import dev.quoin.store.KeyValues;
import dev.quoin.store.Records;
import dev.quoin.store.Store;
import dev.quoin.store.View;

/**
 * What is in a database file of etcd's, 3.4 to 3.7, as a store answers it: a snapshot, or the {@code snap/db} of a member that
 * does not run. The file is only read. Of it the index of all keys is held in memory, about 100 bytes for each; values are read
 * when they are asked for. For one thread.
 */
public final class StoredDatabase implements AutoCloseable {
    private final SnapshotReader database;
    private final Store store;

    private StoredDatabase(SnapshotReader database, Store store) {
        this.database = database;
        this.store = store;
    }

    /**
     * Opens a file and reads it through.
     *
     * @param isVerified whether the SHA-256 behind the database, if there is one, must be right
     * @throws Damaged if it is no such file, or not whole
     * @throws SnapshotRefused if it lacks what every database has
     */
    public static StoredDatabase open(Disk disk, Path file, boolean isVerified) {
        SnapshotReader database = isVerified
                ? SnapshotReader.open(disk, file, SnapshotLimits.DEFAULT)
                : SnapshotReader.openUnverified(disk, file, SnapshotLimits.DEFAULT);
        boolean done = false;
        try {
            Store store = new Store(new Rows(file, database), MemberLimits.DEFAULT.minLeaseTtlSeconds());
            SnapshotMeta unknown = new SnapshotMeta(0, 0, new ConfState(List.of(), List.of()));
            new SnapshotImport(file, database, unknown, "the database " + file).restoreTo(store);
            store.restored();
            done = true;
            return new StoredDatabase(database, store);
        } finally {
            if (!done) {
                database.close();
            }
        }
    }

    /** All that is in it, at its newest revision. */
    public View view() {
        return store.view();
    }

    /** The cluster as it was then. */
    public Membership membership() {
        return Membership.load(store);
    }

    @Override
    public void close() {
        database.close();
    }

    /** The rows of the keys' history; a position is the place of a row. */
    private record Rows(Path file, SnapshotReader database) implements Records {
        @Override
        public long append(long main, int sub, int kind, Bytes payload) {
            throw Invariant.violation("a record of revision %d for a file that is only read", main);
        }

        @Override
        public Bytes read(long position) {
            SnapshotReader.Row row = database.rowAt(position);
            RevisionKey revision = RevisionKey.decode(row.key());
            if (revision == null) {
                throw new Damaged(file, position, "there is no revision any more");
            }
            try {
                return revision.isTombstone() ? KeyValues.decode(row.value()).key() : row.value();
            } catch (Malformed malformed) {
                throw new Damaged(file, position, "there is no key any more: " + malformed.getMessage(), malformed);
            }
        }

        @Override
        public int length(long position) {
            return read(position).length();
        }
    }
}
