package dev.quoin.member;

/** A member cannot start on this directory. The message says why and what to do; nothing
 * that was there has been changed. */
public final class StartRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean isOnlyForUs;

    public StartRefused(String message) {
        this(message, false);
    }

    private StartRefused(String message, boolean isOnlyForUs) {
        super(message);
        this.isOnlyForUs = isOnlyForUs;
    }

    /** Of the directory of an etcd whole enough for that etcd to go on with it, though not for us to take it over. */
    static StartRefused onlyForUs(String message) {
        return new StartRefused(message, true);
    }

    /** Whether the etcd that the directory belongs to may start on it as before. If not, it may have forgotten a promise. */
    public boolean isOnlyForUs() {
        return isOnlyForUs;
    }
}
