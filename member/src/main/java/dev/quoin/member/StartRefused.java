package dev.quoin.member;

/** A member cannot start on this directory. The message says why and what to do; nothing
 * that was there has been changed. */
public final class StartRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StartRefused(String message) {
        super(message);
    }
}
