package dev.quoin.ctl.text;

/** A text is not what it should be; the message says why, in Go's words. */
public final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    public Malformed(String message) {
        super(message, null, false, false);
    }
}
