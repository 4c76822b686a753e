package dev.quoin.utl;

import java.time.Duration;
import java.util.function.Supplier;

import dev.quoin.disk.DiskFailure;

/** Waits for what another process has locked, as long as {@code --timeout} says. */
record Patience(Duration timeout) {
    private static final Duration PAUSE = Duration.ofMillis(50);

    /**
     * Asks again and again until nobody has it.
     *
     * @throws DiskFailure if somebody still has it when the time is over; 0 waits for ever
     */
    <T> T take(Supplier<T> asked) throws InterruptedException {
        long begun = System.nanoTime();
        while (true) {
            try {
                return asked.get();
            } catch (DiskFailure failure) {
                boolean isOver = timeout.isPositive() && System.nanoTime() - begun >= timeout.toNanos();
                if (!failure.isInUse() || isOver) {
                    throw failure;
                }
            }
            Thread.sleep(PAUSE);
        }
    }
}
