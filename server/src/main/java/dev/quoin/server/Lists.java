package dev.quoin.server;

import java.util.concurrent.Semaphore;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.member.Failure;
import dev.quoin.net.Call;
import dev.quoin.net.Status;

/** Where lists are read: each on a virtual thread of its own, so that no loop waits for one; bounded in number. */
final class Lists {
    private static final Logger LOG = LoggerFactory.getLogger(Lists.class);

    private final Semaphore free;

    Lists(int listsMax) {
        free = new Semaphore(listsMax);
    }

    /**
     * Runs {@code work}, which finishes the call; refuses the call if too much is at work already. An {@link Error} passes
     * on to the thread's handler, which ends the process.
     */
    void run(Call call, Runnable work) {
        if (!free.tryAcquire()) {
            call.finish(Errors.of(Failure.TOO_MANY_REQUESTS));
            return;
        }
        Thread.ofVirtual().name("list").start(() -> {
            try {
                work.run();
            } catch (RuntimeException broken) {
                LOG.error("a list could not be read", broken);
                call.finish(Status.of(Status.Code.INTERNAL, "internal error"));
            } finally {
                free.release();
            }
        });
    }
}
