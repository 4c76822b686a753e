package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;
import dev.quoin.disk.DiskFailure;

/**
 * The files of the ledger, in the order of the segments they stand for, for readers on any thread: an array that is
 * replaced, never changed. Its two changers, the writer that adds segments and the housekeeper that packs them, exclude
 * each other; readers are not held up.
 *
 * <p>A reader that finds a file but cannot hold it came between the array and its replacement, and looks again.
 */
final class Segments {
    private final Path directory;
    private volatile LedgerFile @Nullable [] files;

    Segments(Path directory, List<LedgerFile> files) {
        this.directory = directory;
        this.files = files.toArray(LedgerFile[]::new);
    }

    /** All files as they are now. Whoever may run beside the housekeeper cannot rely on any of them being open. */
    List<LedgerFile> all() {
        return List.of(current());
    }

    private LedgerFile[] current() {
        LedgerFile[] now = files;
        if (now == null) {
            throw new DiskFailure("read", directory, "the ledger is closed", null);
        }
        return now;
    }

    /** The file that stands for {@code segment}, held; null if there is none. */
    @Nullable
    LedgerFile acquire(int segment) {
        while (true) {
            LedgerFile found = find(segment);
            if (found == null || found.acquire()) {
                return found;
            }
        }
    }

    /** The file that stands for {@code segment}. */
    @Nullable
    LedgerFile find(int segment) {
        LedgerFile[] now = current();
        int low = 0;
        int high = now.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            LedgerFile file = now[middle];
            if (segment < file.first()) {
                high = middle - 1;
            } else if (segment > file.last()) {
                low = middle + 1;
            } else {
                return file;
            }
        }
        return null;
    }

    /** Puts {@code file} in the place of all files in its range, which are retired, or of none. */
    synchronized void put(LedgerFile file) {
        List<LedgerFile> next = new ArrayList<>();
        List<LedgerFile> replaced = new ArrayList<>();
        for (LedgerFile other : current()) {
            boolean within = file.first() <= other.first() && other.last() <= file.last();
            Invariant.check(within || other.last() < file.first() || other.first() > file.last(),
                    "the file of segments %d to %d is replaced in part", other.first(), other.last());
            (within ? replaced : next).add(other);
        }
        int at = 0;
        while (at < next.size() && next.get(at).last() < file.first()) {
            at++;
        }
        next.add(at, file);
        files = next.toArray(LedgerFile[]::new);
        replaced.forEach(LedgerFile::retire);
    }

    synchronized void close() {
        LedgerFile[] now = files;
        files = null;
        if (now != null) {
            for (LedgerFile file : now) {
                file.retire();
            }
        }
    }
}
