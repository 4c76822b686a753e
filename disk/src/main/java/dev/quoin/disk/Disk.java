package dev.quoin.disk;

import java.nio.file.Path;
import java.util.List;

/**
 * A file system, as little of it as we need. Every method throws {@link DiskFailure} when it could not do what it says.
 *
 * <p>What is durable, and when: the bytes and the length of a file after {@link DiskFile#sync}; that a file exists under
 * its name (created, renamed, deleted) after {@link #syncDirectory} of the directory it lies in. Nothing else is, whatever
 * one file system or another happens to do.
 */
public interface Disk {
    boolean exists(Path path);

    /** Whether there is a directory of this name. */
    boolean isDirectory(Path path);

    /** The names in {@code directory}, sorted. */
    List<String> list(Path directory);

    /** Makes one directory (mode 0700) whose parent exists. */
    void createDirectory(Path directory);

    /** Makes {@code directory} and the parents it lacks, durably. One that is there already is left as it is. */
    default void createDirectories(Path directory) {
        if (exists(directory)) {
            return;
        }
        Path parent = parentOf(directory);
        createDirectories(parent);
        createDirectory(directory);
        syncDirectory(parent);
    }

    /** The directory that {@code path} lies in, which for a lone name is the working directory. */
    static Path parentOf(Path path) {
        Path parent = path.getParent();
        return parent == null ? Path.of("") : parent;
    }

    /** A new empty file (mode 0600), for reading and writing; there must be none of that name. */
    DiskFile create(Path file);

    /** An existing file, for reading and writing. */
    DiskFile open(Path file);

    /** An existing file, for reading alone: that it must not be written is no failure. */
    default DiskFile openToRead(Path file) {
        return open(file);
    }

    /** Gives a file or directory a new name in the same file system, replacing a file of that name. */
    void rename(Path from, Path to);

    /** Deletes a file or an empty directory. */
    void delete(Path path);

    /** Deletes a directory and the files in it; one that is not there is no failure. Holds no directories of its own. */
    default void deleteDirectory(Path directory) {
        if (!exists(directory)) {
            return;
        }
        for (String name : list(directory)) {
            delete(directory.resolve(name));
        }
        delete(directory);
    }

    /** Makes what was created, renamed and deleted in {@code directory} durable, in the order in which it was done. */
    void syncDirectory(Path directory);

    /** Takes {@code directory} for this process until the lock is closed; fails at once when another one has it. */
    DiskLock lock(Path directory);

    /** How many bytes more the file system that {@code directory}, which is there, lies on has room for. */
    long freeBytes(Path directory);

    /** Whether another process has {@code directory}. Takes and changes nothing; not for a process that has it itself. */
    boolean isLocked(Path directory);
}
