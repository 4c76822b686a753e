package dev.quoin.member;

import org.jspecify.annotations.Nullable;

/** A state that was sent to this member is not used: it is damaged, half, or not the one that was announced. */
public final class SnapshotRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SnapshotRefused(String why) {
        this(why, null);
    }

    public SnapshotRefused(String why, @Nullable Throwable cause) {
        super(why, cause);
    }
}
