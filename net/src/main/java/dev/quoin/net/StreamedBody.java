package dev.quoin.net;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;

/**
 * A body between the loop, which puts in what arrives, and the thread of its request, which takes out all there is. What
 * waits is kept together in one array, so that a client that sends single bytes costs no more than their number. How the
 * client is kept from sending more is the connection's: {@link #taken}.
 */
abstract class StreamedBody implements HttpBody {
    private final long silenceNanosMax;

    // Guarded by this, as all below.
    private byte[] waiting = {};
    private int waitingBytes;
    private boolean over;
    private boolean gone;
    private @Nullable String whyLost;
    private @Nullable Runnable whenGone;

    StreamedBody(NetLimits limits) {
        silenceNanosMax = TimeUnit.MILLISECONDS.toNanos(limits.bodySilenceMillisMax());
    }

    /** The request's thread has taken what waited. */
    abstract void taken();

    // ---- the loop's side

    /** A piece has come, in an array of its own; how much waits now. */
    final synchronized int arrived(byte[] piece) {
        if (whyLost != null) {
            return 0;
        }
        if (waitingBytes == 0) {
            waiting = piece;
        } else {
            int needed = Math.addExact(waitingBytes, piece.length);
            if (needed > waiting.length) {
                waiting = Arrays.copyOf(waiting, (int) Math.max(needed, Math.min(2L * waiting.length, 1 << 30)));
            }
            System.arraycopy(piece, 0, waiting, waitingBytes, piece.length);
        }
        waitingBytes += piece.length;
        notifyAll();
        return waitingBytes;
    }

    final synchronized int waitingBytes() {
        return waitingBytes;
    }

    final synchronized void ended() {
        over = true;
        notifyAll();
    }

    /** No more will come, or nobody is to read what does. */
    final synchronized void lost(String why) {
        if (whyLost == null) {
            whyLost = why;
        }
        notifyAll();
    }

    /** The request has been answered: what still comes is dropped. */
    final synchronized void discard() {
        lost("the request has been answered");
        whenGone = null;
        waiting = new byte[0];
        waitingBytes = 0;
    }

    /** The client is not there any more. */
    final void gone() {
        Runnable task;
        synchronized (this) {
            lost("the connection was closed inside the body");
            gone = true;
            task = whenGone;
            whenGone = null;
        }
        if (task != null) {
            task.run();
        }
    }

    // ---- the request's side

    @Override
    public final @Nullable Bytes next() throws HttpBodyLost, InterruptedException {
        return next(silenceNanosMax);
    }

    @Override
    public final @Nullable Bytes awaitNext() throws HttpBodyLost, InterruptedException {
        return next(Long.MAX_VALUE);
    }

    private @Nullable Bytes next(long patienceNanos) throws HttpBodyLost, InterruptedException {
        Bytes all;
        synchronized (this) {
            await(patienceNanos);
            if (waitingBytes == 0) {
                if (over) {
                    return null;
                }
                throw new HttpBodyLost(String.valueOf(whyLost));
            }
            all = Bytes.of(waiting, 0, waitingBytes);
            waiting = new byte[0];
            waitingBytes = 0;
        }
        taken();
        return all;
    }

    private synchronized void await(long patienceNanos) throws InterruptedException {
        long began = System.nanoTime();
        while (waitingBytes == 0 && !over && whyLost == null) {
            long left = patienceNanos - (System.nanoTime() - began);
            if (left <= 0) {
                whyLost = "nothing came for " + TimeUnit.NANOSECONDS.toMillis(patienceNanos) + " ms";
            } else if (patienceNanos == Long.MAX_VALUE) {
                wait();
            } else {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        }
    }

    @Override
    public final void whenGone(Runnable task) {
        synchronized (this) {
            if (!gone) {
                whenGone = task;
                return;
            }
        }
        task.run();
    }
}
