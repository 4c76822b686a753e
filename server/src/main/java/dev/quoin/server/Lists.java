package dev.quoin.server;

import java.util.concurrent.Semaphore;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.member.Failure;
import dev.quoin.net.Call;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

/**
 * Where lists are read and sent: each on a virtual thread of its own, so that no loop waits for one. What they hold is
 * bounded twice. There are at most so many, each with little more than what its stream may owe; and all of them together
 * have planned at most so many keys, at 8 bytes each, or 12 for keys alone.
 */
final class Lists {
    private static final Logger LOG = LoggerFactory.getLogger(Lists.class);

    private final int listsMax;
    private final Semaphore free;
    private final int keysMax;
    private final Semaphore freeKeys;

    Lists(int listsMax, int keysMax) {
        this.listsMax = listsMax;
        free = new Semaphore(listsMax);
        this.keysMax = keysMax;
        freeKeys = new Semaphore(keysMax);
    }

    /** How many are read and sent at the moment. */
    int atWork() {
        return listsMax - free.availablePermits();
    }

    /** Answers a call, all but the status at its end. */
    @FunctionalInterface
    interface Work {
        /**
         * Sends what there is to send.
         *
         * @throws StatusException if the call is to end with that
         */
        void run(Share share) throws StatusException;
    }

    /** One list's share of the keys that may be planned. */
    final class Share {
        private int taken;

        /**
         * Takes up {@code keys} more, or all there are if they are more than that: the largest list is served while there is no
         * other.
         *
         * @throws StatusException if others have too many
         */
        void take(int keys) throws StatusException {
            int wanted = Math.min(keys, keysMax - taken);
            if (!freeKeys.tryAcquire(wanted)) {
                throw new StatusException(Errors.of(Failure.TOO_MANY_REQUESTS));
            }
            taken += wanted;
        }
    }

    /**
     * Runs {@code work} and finishes the call; refuses the call if too much is at work already. An {@link Error} passes on to
     * the thread's handler, which ends the process.
     */
    void run(Call call, Work work) {
        if (!free.tryAcquire()) {
            call.finish(Errors.of(Failure.TOO_MANY_REQUESTS));
            return;
        }
        Thread.ofVirtual().name("list").start(() -> {
            Share share = new Share();
            try {
                work.run(share);
                call.finish(Status.OK);
            } catch (StatusException ended) {
                call.finish(ended.status());
            } catch (RuntimeException broken) {
                LOG.error("a list could not be read", broken);
                call.finish(Status.of(Status.Code.INTERNAL, "internal error"));
            } finally {
                freeKeys.release(share.taken);
                free.release();
            }
        });
    }
}
