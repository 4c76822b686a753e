package dev.quoin.member;

import java.nio.file.Path;
import java.util.List;

import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.OverlayDisk;
import dev.quoin.store.View;

/**
 * What the ledger of a member holds, for who cannot read the log that belongs to it: to save what is left. No member could go on
 * from here, since only the log tells what was promised. Changes nothing, as {@link StoppedMember#look}. For one thread.
 */
public final class StoredLedger implements AutoCloseable {
    private final OpenedStore opened;
    private final DiskLock lock;

    private StoredLedger(OpenedStore opened, DiskLock lock) {
        this.opened = opened;
        this.lock = lock;
    }

    /**
     * Opens it, up to the first damage behind its checkpoint.
     *
     * @throws StartRefused if there is no ledger, or several, of which only the log knows the one that counts
     * @throws dev.quoin.disk.Damaged if not even a beginning of it can be read
     * @throws dev.quoin.disk.DiskFailure if it is in use, or cannot be read
     */
    public static StoredLedger open(Disk disk, Path dataDirectory) {
        Disk overlay = new OverlayDisk(disk);
        Path member = new DataDirectory(dataDirectory).member();
        List<String> ledgers = overlay.list(member).stream().filter(LedgerDirectories::isLedger).toList();
        if (ledgers.size() != 1) {
            throw new StartRefused("In " + member + " are " + ledgers.size()
                    + " ledgers, and only the write-ahead log knows the one that counts.");
        }
        DiskLock lock = overlay.lock(member);
        boolean done = false;
        try {
            OpenedStore opened = OpenedStore.open(overlay, member.resolve(ledgers.getFirst()), MemberLimits.DEFAULT,
                    Events.NONE, 0);
            done = true;
            return new StoredLedger(opened, lock);
        } finally {
            if (!done) {
                lock.close();
            }
        }
    }

    /** All that could be read. */
    public View view() {
        return opened.store().view();
    }

    public Membership membership() {
        return opened.membership();
    }

    /** The index of the last entry whose effects are in it. */
    public long appliedIndex() {
        return opened.appliedIndex();
    }

    @Override
    public void close() {
        try {
            opened.ledger().close();
        } finally {
            lock.close();
        }
    }
}
