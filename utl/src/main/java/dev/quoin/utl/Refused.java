package dev.quoin.utl;

/** It is not done, for this reason: in etcdutl's words where etcdutl would refuse it, too. */
public final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    /** What the process ends with (pkg/cobrautl/error.go). */
    enum Exit {
        FAILED(1), UNSUPPORTED(4), BAD_ARGUMENTS(128);

        final int code;

        Exit(int code) {
            this.code = code;
        }
    }

    private final Exit exit;

    /** For whatever has no exit code of its own. */
    public Refused(String message) {
        this(Exit.FAILED, message);
    }

    Refused(Exit exit, String message) {
        super(message);
        this.exit = exit;
    }

    int exitCode() {
        return exit.code;
    }
}
