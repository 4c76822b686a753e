package dev.quoin.net;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What becomes of an exception nobody expected: a line in the log, and a text on the wire that says nothing about us. */
final class Faults {
    private static final Logger LOG = LoggerFactory.getLogger("dev.quoin.net");

    private Faults() {}

    static Status internal(String where, Throwable fault) {
        // An invariant that broke must stop the member, and out of memory too: their owner sets the handler that does.
        if (fault instanceof Error error) {
            Thread thread = Thread.currentThread();
            Thread.UncaughtExceptionHandler owner = Thread.getDefaultUncaughtExceptionHandler();
            if (owner != null) {
                owner.uncaughtException(thread, error);
            }
        }
        LOG.error("{} failed", where, fault);
        return Status.of(Status.Code.INTERNAL, "internal error");
    }
}
