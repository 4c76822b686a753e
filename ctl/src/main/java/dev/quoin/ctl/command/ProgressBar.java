package dev.quoin.ctl.command;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;

import dev.quoin.ctl.cli.Streams;
import dev.quoin.ctl.cli.Terminal;

/** How far long work has come, on standard error, if that is a terminal; to anyone else it says nothing. Any thread's. */
final class ProgressBar implements AutoCloseable {
    private static final int WIDTH = 40;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final PrintStream err;
    private final boolean isWatched;
    private final long total;
    private long done;
    private long drawnAtNanos;

    ProgressBar(PrintStream err, boolean isWatched, long total) {
        this.err = err;
        this.isWatched = isWatched;
        this.total = total;
        this.drawnAtNanos = System.nanoTime() - PAUSE_NANOS;
    }

    /** @param total how much there is to do */
    static ProgressBar of(Streams streams, long total) {
        return new ProgressBar(streams.err(), Terminal.isAt(Terminal.ERROR), total);
    }

    /** One more is done. */
    synchronized void advance() {
        reach(done + 1);
    }

    /** So many are done. */
    synchronized void reach(long count) {
        boolean hasChanged = count != done;
        done = count;
        if (isWatched && hasChanged && System.nanoTime() - drawnAtNanos >= PAUSE_NANOS) {
            draw();
        }
    }

    private void draw() {
        drawnAtNanos = System.nanoTime();
        int filled = (int) (WIDTH * Math.min(done, total) / Math.max(total, 1));
        err.print("\r" + done + " / " + total + " [" + "-".repeat(filled) + "_".repeat(WIDTH - filled) + "] "
                + 100 * Math.min(done, total) / Math.max(total, 1) + "%");
    }

    /** Leaves it as it is at the end. */
    @Override
    public synchronized void close() {
        if (isWatched) {
            draw();
            err.print("\n");
        }
    }
}
