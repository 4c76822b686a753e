package dev.quoin.member;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Damaged;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.wal.Wal;

/**
 * Puts a member's files into another form: what is made stands beside what is there, then takes its place, and what was there is
 * kept under a name by which nobody starts on it. So there is never more than one member that could vote.
 *
 * <p>{@code member} is the directory that is there, {@code made} the new one beside it, {@code old} the name that the former is to
 * have. A log that has a place of its own is three directories more, with the same endings. In this order, each durable before the
 * next:
 *
 * <ol>
 * <li>{@code made} is whole, the file {@value #NOTE} in it too, which says what the old ones are to be called
 * <li>{@code member} becomes {@code old}
 * <li>the log that was there becomes the old one, and the one that was made takes its place; if it is elsewhere
 * <li>{@code made} becomes {@code member}
 * <li>the note is deleted
 * </ol>
 *
 * <p>If a log elsewhere cannot be renamed at all, step 2 is taken back, and the member is what it was.
 *
 * <p>Power may go at any moment. As long as there is a {@code member}, it is what it was, and whatever else was made is deleted and
 * made anew. Without one, {@code made} is whole, and {@link #isHalfDone}: whoever comes next {@linkplain #resume goes on} with step
 * 3, where each rename is done unless it was done before. From step 4 on there is nothing left to do; the note may stay, and means
 * nothing. Between steps 2 and 4 no server of either kind finds a member: ours goes on with an import and refuses to start on an
 * export, and etcd, which knows nothing of it, must not be started. If it was, there is a {@code member} again that is not the
 * one: {@link #isOvertaken}. Then nothing is done, least of all deleted.
 *
 * <p>For one thread, which holds a lock on what is there.
 */
final class DirectoryExchange {
    private static final String NOTE = "exchange";
    private static final int NOTE_BYTES_MAX = 16 << 10;
    private static final String TEMPORARY = ".tmp";
    /** Names that are tried for what is kept: so often has nobody gone to and fro. */
    private static final int NAMES_MAX = 1_000;

    private final Disk disk;
    private final DataDirectory directory;
    private final Path made;
    private final boolean isLogInside;
    private final Path log;

    /** @param ending that of the names of what is being made */
    DirectoryExchange(Disk disk, DataDirectory directory, String ending) {
        this.disk = disk;
        this.directory = directory;
        made = directory.root().resolve("member." + ending);
        isLogInside = directory.isLogInside();
        log = isLogInside ? made.resolve("wal")
                : directory.wal().resolveSibling(directory.wal().getFileName() + "." + ending);
    }

    /** Where the member's files are made. */
    Path made() {
        return made;
    }

    /** Where its log is made. */
    Path log() {
        return log;
    }

    /**
     * Refuses a log that lies in the member's directory, but not in its place there: it would go along to where nobody looks
     * for it.
     */
    void refuseLogThatGoesAlong() {
        Path member = directory.member().toAbsolutePath().normalize();
        if (!isLogInside && directory.wal().toAbsolutePath().normalize().startsWith(member)) {
            throw StartRefused.onlyForUs("The write-ahead log in " + directory.wal() + " would go wherever "
                    + directory.member()
                    + " goes, which is to be set aside: move the log out of that directory, and name"
                    + " the new --wal-dir. Nothing was changed.");
        }
    }

    /** Begins with nothing: what is left of an attempt is gone. */
    void begin() {
        disk.createDirectories(made);
        deleteMade();
        if (!isLogInside) {
            disk.createDirectories(Disk.parentOf(log));
        }
    }

    /** Leaves nothing of what was made. */
    void giveUp() {
        deleteMade();
        disk.deleteDirectory(made);
    }

    private void deleteMade() {
        if (!disk.exists(made)) {
            return;
        }
        // First what says that it is whole.
        if (disk.exists(made.resolve(NOTE))) {
            disk.delete(made.resolve(NOTE));
            disk.syncDirectory(made);
        }
        for (String name : disk.list(made)) {
            if (disk.isDirectory(made.resolve(name))) {
                disk.deleteDirectory(made.resolve(name));
            }
        }
        disk.deleteDirectory(log);
        disk.deleteDirectory(log.resolveSibling(log.getFileName() + TEMPORARY));
    }

    /**
     * Lets what was made, which is durable but for the names in {@link #made}, take the place of what is there, if anything is.
     *
     * @param ending that of the names of what is kept
     * @return what the member's directory is called now that was there; null if there was none
     */
    @Nullable
    Path finish(String ending) {
        Path old = disk.exists(directory.member()) ? free(directory.member(), ending) : null;
        Path oldLog = !isLogInside && disk.exists(directory.wal()) ? free(directory.wal(), ending) : null;
        writeNote(new Note(logPlace(), name(oldLog), name(old)));
        if (old != null) {
            disk.rename(directory.member(), old);
            disk.syncDirectory(directory.root());
        }
        try {
            resume();
        } catch (DiskFailure failure) {
            boolean isLogUntouched = !isLogInside && disk.exists(log) && (oldLog == null || !disk.exists(oldLog));
            if (old == null || !isLogUntouched) {
                throw failure;
            }
            takeBack(old, failure);
        }
        return old;
    }

    /** Takes step 2 back, where nothing could be done of step 3: a directory that is a mount point cannot be renamed, ever. */
    private void takeBack(Path old, DiskFailure failure) {
        disk.rename(old, directory.member());
        disk.syncDirectory(directory.root());
        throw new DiskFailure(failure.operation(), directory.wal(), failure.reason() + ". The member is as it was. If "
                + directory.wal()
                + " is a mount point, or its parent is on another disk: move the log into a directory of"
                + " its own below the mount point, and name that as --wal-dir", failure);
    }

    private static String name(@Nullable Path path) {
        return path == null ? "" : path.getFileName().toString();
    }

    private Path free(Path path, String ending) {
        Path candidate = path.resolveSibling(path.getFileName() + "." + ending);
        for (int n = 2; disk.exists(candidate); n++) {
            if (n > NAMES_MAX) {
                throw new StartRefused("all names for what is to be kept of " + path + " are taken, up to " + candidate
                        + ". Remove those that nobody needs any more.");
            }
            candidate = path.resolveSibling(path.getFileName() + "." + ending + "-" + n);
        }
        return candidate;
    }

    /** Whether power went between the renames. */
    boolean isHalfDone() {
        return !disk.exists(directory.member()) && disk.exists(made.resolve(NOTE));
    }

    /**
     * Whether somebody has begun anew between steps 2 and 4: then what was made is the member, and what is there is another one
     * with its id. The name of the old one was free when it was chosen, so nothing but step 2 can have given it.
     */
    boolean isOvertaken() {
        if (!disk.exists(directory.member()) || !disk.exists(made.resolve(NOTE))) {
            return false;
        }
        String old = readNote().old;
        return !old.isEmpty() && disk.exists(directory.root().resolve(old));
    }

    /** For what there is of {@link #made}. */
    HalfWay state() {
        if (isHalfDone()) {
            return HalfWay.GOES_ON;
        }
        if (!disk.exists(directory.member())) {
            return HalfWay.WITHOUT_MEMBER;
        }
        return isOvertaken() ? HalfWay.OVERTAKEN : HalfWay.WITHOUT_EFFECT;
    }

    /** Refuses to do anything with a directory in which {@linkplain #isOvertaken somebody has begun anew}. */
    void refuseOvertaken() {
        if (isOvertaken()) {
            throw new StartRefused("The files of this member were on their way from one form to the other when somebody"
                    + " started a server here, which began anew in " + directory.member()
                    + ", with the same id and without"
                    + " what the member has promised. The member itself is in " + made + ". Move " + directory.member()
                    + " away and do again what was interrupted: it goes on. If the cluster has given that member up, delete "
                    + made + " instead.");
        }
    }

    /** Does what of it was not done. */
    void resume() {
        Note note = readNote();
        if (!note.log.equals(logPlace())) {
            throw new StartRefused("the files in " + made
                    + " are whole, and about to become a member whose write-ahead log is in "
                    + (note.log.isEmpty() ? "the data directory" : note.log) + ". Name the --wal-dir accordingly.");
        }
        if (!isLogInside && disk.exists(log)) {
            if (disk.exists(directory.wal())) {
                if (note.oldLog.isEmpty()) {
                    throw new StartRefused(directory.wal() + " was not there when the files in " + made
                            + " were made, and is where their write-ahead log is to be. Move it away, and do the same again.");
                }
                disk.rename(directory.wal(), directory.wal().resolveSibling(note.oldLog));
            }
            disk.rename(log, directory.wal());
            disk.syncDirectory(Disk.parentOf(log));
        }
        // That the log is not where it was made does not say that it is where it belongs.
        if (!isLogInside && !Wal.exists(disk, directory.wal())) {
            throw new StartRefused("The files in " + made + " are whole, but their write-ahead log is neither in " + log
                    + " nor in " + directory.wal() + ". Put it back, and do the same again.");
        }
        disk.rename(made, directory.member());
        disk.syncDirectory(directory.root());
        disk.delete(directory.member().resolve(NOTE));
        disk.syncDirectory(directory.member());
    }

    // ---- the note

    /**
     * What is to be known when power has gone.
     *
     * @param log where the log is; empty: in its place inside
     * @param oldLog the name that the log's directory is to have that is there; empty if there is none, or if it is inside
     * @param old the name that the member's directory is to have that is there; empty if there is none
     */
    private record Note(String log, String oldLog, String old) {}

    private String logPlace() {
        return isLogInside ? "" : directory.wal().toString();
    }

    private void writeNote(Note note) {
        byte[] text = (note.log + "\n" + note.oldLog + "\n" + note.old + "\n").getBytes(StandardCharsets.UTF_8);
        Path temporary = made.resolve(NOTE + TEMPORARY);
        if (disk.exists(temporary)) {
            disk.delete(temporary);
        }
        try (DiskFile file = disk.create(temporary)) {
            file.writeFully(0, text, 0, text.length);
            file.sync();
            disk.syncDirectory(made);
            file.renameTo(made.resolve(NOTE));
        }
        disk.syncDirectory(made);
    }

    private Note readNote() {
        Path path = made.resolve(NOTE);
        try (DiskFile file = disk.openToRead(path)) {
            int length = (int) Math.min(file.size(), NOTE_BYTES_MAX);
            ByteBuffer bytes = ByteBuffer.allocate(length);
            if (file.readFully(0, bytes) < length) {
                throw new DiskFailure("read", path, "the file became shorter", null);
            }
            String[] lines = new String(bytes.array(), StandardCharsets.UTF_8).split("\n", -1);
            if (lines.length != 4 || !lines[3].isEmpty()) {
                throw new Damaged(path, 0, "it does not say what is to be done.");
            }
            return new Note(lines[0], lines[1], lines[2]);
        }
    }
}
