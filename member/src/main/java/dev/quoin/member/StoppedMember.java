package dev.quoin.member;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskLock;
import dev.quoin.disk.OverlayDisk;
import dev.quoin.disk.ledger.CheckpointWriter;
import dev.quoin.disk.ledger.Ledger;
import dev.quoin.disk.ledger.Mark;
import dev.quoin.disk.ledger.Rewrite;
import dev.quoin.disk.ledger.Scrub;
import dev.quoin.disk.wal.LogScrub;
import dev.quoin.store.Image;
import dev.quoin.store.Records;
import dev.quoin.store.Store;
import dev.quoin.store.View;

/**
 * A member that does not run, opened as its next start would open it, up to where that start would begin its threads. So
 * whatever would keep the member from starting is thrown here, in the same words.
 *
 * <p>To {@linkplain #look look} at it changes nothing: all that a start does to the files is done on an {@link OverlayDisk}. To
 * {@linkplain #take take} it is to do what a start does, for those who work on the files.
 *
 * <p>What it holds is what the ledger holds: all that was applied, if the member was stopped in an orderly way; else what was
 * applied up to about 100 ms before its end. The log behind that is known by its length alone.
 *
 * <p>For one thread. As much memory as the member itself would need for its index.
 */
public final class StoppedMember implements AutoCloseable {
    private static final int STEP_BYTES = 1 << 20;
    /** Only the limits of it count, where a directory is in use. */
    private static final String ANY_VERSION = "3.7.0";

    private final Startup startup;
    private final DiskLock lock;
    private final Notes notes;

    /** What a start has to say beside that it succeeded. */
    private static final class Notes implements Events {
        private final List<Damaged> damage = new ArrayList<>();
        private @Nullable String repaired;

        @Override
        public void damaged(Damaged found) {
            damage.add(found);
        }

        @Override
        public void repaired(String what) {
            repaired = what;
        }
    }

    private StoppedMember(Startup startup, DiskLock lock, Notes notes) {
        this.startup = startup;
        this.lock = lock;
        this.notes = notes;
    }

    /** Whether there are files in the directory that only Quoin writes. */
    public static boolean isQuoins(Disk disk, Path dataDirectory) {
        return directory(dataDirectory, null).hasLedger(disk);
    }

    /** Whether an empty database is there beside a member of ours, left by an etcd that was started on it by mistake. */
    public static boolean hasStrayDatabase(Disk disk, Path dataDirectory, @Nullable Path logDirectory) {
        return directory(dataDirectory, logDirectory).hasStrayDatabase(disk);
    }

    /**
     * Opens it and changes nothing.
     *
     * @param logDirectory of the write-ahead log, if it was given a place of its own; or null
     * @throws StartRefused if no member could start there
     * @throws Damaged if what is there is not what was written
     * @throws DiskFailure if it is in use, or cannot be read
     */
    public static StoppedMember look(Disk disk, Path dataDirectory, @Nullable Path logDirectory) {
        return open(new OverlayDisk(disk), directory(dataDirectory, logDirectory), MemberLimits.DEFAULT);
    }

    /**
     * What a member that starts on an etcd's directory would take over. Changes nothing.
     *
     * @throws StartRefused if it would not
     * @throws Damaged if what is there is not what etcd wrote
     * @throws DiskFailure if an etcd runs on it, or it cannot be read
     */
    public static EtcdFound lookAtEtcd(Disk disk, Path dataDirectory, @Nullable Path logDirectory) {
        return new EtcdImport(new OverlayDisk(disk), directory(dataDirectory, logDirectory), MemberLimits.DEFAULT,
                Events.NONE).look();
    }

    /** Opens it as a start does, which cuts off what a crash has left, and keeps others from it until it is closed. */
    public static StoppedMember take(Disk disk, Path dataDirectory, @Nullable Path logDirectory) {
        return open(disk, directory(dataDirectory, logDirectory), MemberLimits.DEFAULT);
    }

    static DataDirectory directory(Path dataDirectory, @Nullable Path logDirectory) {
        return logDirectory == null
                ? new DataDirectory(dataDirectory)
                : new DataDirectory(dataDirectory, logDirectory.toAbsolutePath().normalize());
    }

    static StoppedMember open(Disk disk, DataDirectory directory, MemberLimits limits) {
        return open(disk, directory, limits, directory.take(disk));
    }

    /** The same in a directory that is taken; {@code lock} is closed with it. */
    static StoppedMember open(Disk disk, DataDirectory directory, MemberLimits limits, DiskLock lock) {
        Notes notes = new Notes();
        boolean done = false;
        try {
            MemberConfig config = new MemberConfig("", directory.root(), directory.wal(), List.of(), ANY_VERSION, null,
                    true, true, false, limits);
            StoppedMember member = new StoppedMember(Startup.on(disk, directory, config, notes), lock, notes);
            done = true;
            return member;
        } finally {
            if (!done) {
                lock.close();
            }
        }
    }

    // ---- what it is

    public long memberId() {
        return startup.memberId();
    }

    public long clusterId() {
        return startup.clusterId();
    }

    /** As of {@link #appliedIndex}. */
    public Membership membership() {
        return startup.opened().membership();
    }

    /** The index of the last entry whose effects are in {@link #view}. */
    public long appliedIndex() {
        return startup.opened().appliedIndex();
    }

    /** Up to where the log is known to be committed. It may be so beyond that. */
    public long commitIndex() {
        return startup.restart().hardState().commit();
    }

    /** The index of the last entry in the log. */
    public long lastIndex() {
        return startup.wal().lastIndex();
    }

    public long term() {
        return startup.restart().hardState().term();
    }

    /** All that it holds. */
    public View view() {
        return store().view();
    }

    Startup startup() {
        return startup;
    }

    private Store store() {
        return startup.opened().store();
    }

    private Ledger ledger() {
        return startup.opened().ledger();
    }

    /** What the files of the ledger take, in bytes. */
    public long ledgerBytes() {
        return ledger().totalBytes();
    }

    /** What of them is not known to be dead, in bytes. */
    public long ledgerBytesInUse() {
        return ledger().inUseBytes();
    }

    // ---- what is wrong with it

    /** Damage that was found on the way, and keeps nobody from starting. */
    public List<Damaged> damage() {
        return List.copyOf(notes.damage);
    }

    /** What a start would set aside as damaged, and apply again from the log; null if nothing. */
    public @Nullable String repaired() {
        return notes.repaired;
    }

    /** Reads all of the ledger, and the full segments of the log, whose last one was read before; tells each damage once. */
    public void scrub(Consumer<Damaged> onDamage) {
        Scrub ledgerScrub = ledger().scrubStill(onDamage);
        while (!ledgerScrub.step(STEP_BYTES)) {
            // Once more, until it is through.
        }
        LogScrub logScrub = startup.wal().scrub(onDamage);
        while (!logScrub.step(STEP_BYTES)) {
            // And so with the log.
        }
    }

    // ---- what can be done for it

    /**
     * Rewrites files of the ledger without what nobody can ask for any more, as long as that gives back a fiftieth of a file:
     * what the member does by itself, and does at once when it is asked to defragment. The file that is written last stays as
     * it is. For a member that was taken.
     */
    public void defragment() {
        if (appliedIndex() == 0) {
            return;
        }
        Mark mark = ledger().mark();
        Image image = store().capture();
        long[] replaced = image.replaced().toArray();
        ledger().forget(replaced, replaced.length);
        CheckpointWriter checkpoint = ledger().checkpoint(mark);
        image.writeTo(checkpoint::add);
        checkpoint.finish();
        View view = view();
        Rewrite rewrite = next(view);
        while (rewrite != null) {
            while (!rewrite.step(STEP_BYTES)) {
                ledger().flush();
            }
            rewrite = next(view);
        }
    }

    private @Nullable Rewrite next(View view) {
        return ledger().nextRewrite(Housekeeper.DEAD_SHARE_IN_A_HURRY, (position, main, sub, kind, payload) -> {
            boolean isAboutKeys = kind == Records.Kind.PUT.number() || kind == Records.Kind.TOMBSTONE.number();
            return isAboutKeys && view.refersTo(position, main, sub, kind, payload);
        });
    }

    @Override
    public void close() {
        try {
            startup.opened().ledger().close();
        } finally {
            try {
                startup.wal().close();
            } finally {
                lock.close();
            }
        }
    }
}
