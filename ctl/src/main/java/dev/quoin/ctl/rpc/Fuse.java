package dev.quoin.ctl.rpc;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * Ends what takes too long and cannot be given a time itself (a handshake, a write into a socket whose other side takes nothing): after so
 * long it closes what that waits for, unless it was put out before.
 */
final class Fuse implements AutoCloseable {
    private final Closeable guarded;
    private final Thread thread;
    // This object's lock keeps these two.
    private boolean isOut;
    private boolean hasBurnt;

    /** Lights it; {@code nanos} that are 0 or less are over at once. */
    Fuse(Closeable guarded, long nanos) {
        this.guarded = guarded;
        this.thread = new Thread(() -> burn(nanos), "fuse");
        thread.setDaemon(true);
        thread.start();
    }

    private void burn(long nanos) {
        try {
            TimeUnit.NANOSECONDS.sleep(nanos);
        } catch (InterruptedException putOut) {
            return;
        }
        synchronized (this) {
            if (isOut) {
                return;
            }
            hasBurnt = true;
        }
        try {
            guarded.close();
        } catch (IOException alreadyBroken) {
            // Whoever uses it hears of that as well.
        }
    }

    /** Whether the time was over before this was put out. */
    synchronized boolean hasBurnt() {
        return hasBurnt;
    }

    /** Puts it out. */
    @Override
    public void close() {
        synchronized (this) {
            isOut = true;
        }
        thread.interrupt();
    }
}
