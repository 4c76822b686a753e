package dev.quoin.disk;

import java.nio.file.Path;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

/**
 * What is stored is not what was written. Says which file, from which byte on, and what cannot be trusted because of it;
 * nothing was changed on the disk.
 */
public final class Damaged extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What to do when damage keeps a member from starting. */
    public static final String REMEDY = "Remove this member and add it again, or restore a backup.";

    private final String file;
    private final long offset;
    private final String what;

    /** {@code what} completes the sentence "FILE is damaged at byte N: …". */
    public Damaged(Path file, long offset, String what, @Nullable Throwable cause) {
        super(String.format(Locale.ROOT, "%s is damaged at byte %,d: %s", file, offset, what), cause);
        this.file = file.toString();
        this.offset = offset;
        this.what = what;
    }

    public Damaged(Path file, long offset, String what) {
        this(file, offset, what, null);
    }

    public String file() {
        return file;
    }

    public long offset() {
        return offset;
    }

    public String what() {
        return what;
    }
}
