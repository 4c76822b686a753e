package dev.quoin.utl;

import java.nio.file.Path;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.DiskLock;

/**
 * A data directory as etcd lays it out. A member of etcd's that runs has its log locked, segment by segment: by that it is
 * told from one that does not.
 */
public record EtcdDirectory(Path root) {
    public Path database() {
        return root.resolve("member").resolve("snap").resolve("db");
    }

    public Path log() {
        return root.resolve("member").resolve("wal");
    }

    /** Whether there is a database of etcd's in it. */
    public boolean hasDatabase(Disk disk) {
        return disk.exists(database());
    }

    /** Whether an etcd runs on it. */
    public boolean isInUse(Disk disk) {
        Path last = lastSegment(disk);
        if (last == null) {
            return false;
        }
        try (DiskFile file = disk.openToRead(last)) {
            return file.isLocked();
        }
    }

    /**
     * Keeps every etcd from it, until what is returned is closed.
     *
     * @throws DiskFailure if one runs on it
     */
    DiskLock take(Disk disk) {
        Path last = lastSegment(disk);
        if (last == null) {
            return () -> {};
        }
        DiskFile file = disk.open(last);
        boolean done = false;
        try {
            file.lock();
            done = true;
            return file::close;
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

    private @Nullable Path lastSegment(Disk disk) {
        if (!disk.exists(log())) {
            return null;
        }
        List<String> segments = disk.list(log()).stream().filter(name -> name.endsWith(".wal")).toList();
        return segments.isEmpty() ? null : log().resolve(segments.getLast());
    }
}
