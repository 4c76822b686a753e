package dev.quoin.member;

/** A state that was sent to this member is not taken over; the text says why. */
public final class SnapshotRefused extends Exception {
    private static final long serialVersionUID = 1L;

    public SnapshotRefused(String why) {
        super(why);
    }

    public SnapshotRefused(String why, Throwable cause) {
        super(why, cause);
    }
}
