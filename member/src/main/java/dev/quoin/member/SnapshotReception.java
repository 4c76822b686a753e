package dev.quoin.member;

import java.nio.file.Path;

import dev.quoin.base.Invariant;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.snapshot.SnapshotLimits;
import dev.quoin.disk.snapshot.SnapshotReader;
import dev.quoin.raft.SnapshotMeta;

/**
 * A state that is being received: etcd's database file, as a leader sends it, on its way to a ledger of its own. The bytes
 * go to a temporary file; when all are there, everything is checked, copied into the new ledger, and that is opened. What
 * fails on the way leaves nothing behind; what a process that dies leaves behind, the next start deletes.
 *
 * <p>Waits for the disk, and takes long: never on a loop. For one thread. Nothing in the directory that is in use changes.
 */
final class SnapshotReception {
    private final Disk disk;
    private final LedgerDirectories ledgers;
    private final MemberLimits limits;
    private final Events events;
    private final SnapshotMeta announced;
    private final Path arriving;
    private final Path target;
    private final DiskFile file;
    private long received;
    private boolean isOver;

    private SnapshotReception(Disk disk, DataDirectory directory, MemberLimits limits, Events events,
            SnapshotMeta announced) {
        this.disk = disk;
        this.ledgers = new LedgerDirectories(disk, directory);
        this.limits = limits;
        this.events = events;
        this.announced = announced;
        arriving = ledgers.arriving(announced.index());
        target = ledgers.of(announced.index());
        if (disk.exists(arriving) || disk.exists(target)) {
            throw new SnapshotRefused("the state at index " + announced.index()
                    + " is being received already, or has been: " + target);
        }
        disk.createDirectories(directory.snap());
        file = disk.create(arriving);
    }

    /**
     * Begins to receive the state of which the leader said so much.
     *
     * @throws SnapshotRefused if this state is there, or on its way, already
     */
    static SnapshotReception begin(Disk disk, DataDirectory directory, MemberLimits limits, Events events,
            SnapshotMeta announced) {
        return new SnapshotReception(disk, directory, limits, events, announced);
    }

    /** Takes the next bytes of the file. If the disk does not take them, {@link #abort} is what remains. */
    void write(byte[] bytes, int offset, int length) {
        Invariant.check(!isOver, "bytes for a state that is not received any more");
        file.writeFully(received, bytes, offset, length);
        received += length;
    }

    /** Gives it up: as if it had never been begun. Without effect once it is over. */
    void abort() {
        if (!isOver) {
            isOver = true;
            file.close();
            disk.delete(arriving);
        }
    }

    /**
     * Those were all the bytes. It is over afterwards, in any case.
     *
     * @param onSynced run once the file is durable, before it is looked at
     * @throws SnapshotRefused if they are not a whole and sound state, or not the one that was announced
     */
    ReceivedState finish(Runnable onSynced) {
        Invariant.check(!isOver, "a state that is not received any more is finished");
        try {
            file.sync();
            onSynced.run();
            copy();
        } catch (Damaged damage) {
            throw unusable(damage);
        } finally {
            abort();
        }
        return open();
    }

    private SnapshotRefused unusable(RuntimeException why) {
        return new SnapshotRefused("the state at index " + announced.index() + ", " + received
                + " bytes long, is not usable: " + why.getMessage(), why);
    }

    private void copy() {
        boolean done = false;
        try (SnapshotReader database = SnapshotReader.open(disk, arriving, SnapshotLimits.DEFAULT)) {
            SnapshotImport rows = new SnapshotImport(arriving, database, announced,
                    "the state at index " + announced.index());
            rows.check();
            SnapshotImport.fill(disk, target, limits.ledger(), rows::copyTo);
            done = true;
        } finally {
            if (!done) {
                ledgers.delete(target);
            }
        }
    }

    /** As a start would open it: so a restart will not find anything else than what is in use from now on. */
    private ReceivedState open() {
        boolean done = false;
        try {
            OpenedStore opened = OpenedStore.open(disk, target, limits, events, Long.MAX_VALUE);
            Invariant.check(opened.appliedIndex() == announced.index(), "the state at %d came out as one at %d",
                    announced.index(), opened.appliedIndex());
            done = true;
            return new ReceivedState(announced, opened, ledgers);
        } catch (Damaged | Malformed unusable) {
            throw unusable(unusable);
        } finally {
            if (!done) {
                ledgers.delete(target);
            }
        }
    }
}
