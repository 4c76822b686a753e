package dev.quoin.cert;

/** What was asked for is not done, and nothing was written: the text says why, and what to do. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    /** How the process ends. */
    enum Exit {
        /** It would destroy something, or it makes no sense with what is there. */
        FAILED(1),
        /** It was not understood. */
        USAGE(2);

        final int code;

        Exit(int code) {
            this.code = code;
        }
    }

    private final Exit exit;

    private Refused(Exit exit, String message) {
        super(message);
        this.exit = exit;
    }

    static Refused failed(String message) {
        return new Refused(Exit.FAILED, message);
    }

    static Refused usage(String message) {
        return new Refused(Exit.USAGE, message);
    }

    Exit exit() {
        return exit;
    }
}
