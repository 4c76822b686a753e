package dev.quoin.server.compaction;

import java.time.Duration;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.quoin.server.config.Durations;

/**
 * Which history is kept.
 *
 * @param amount nanoseconds of it, or a number of revisions; not positive: all
 */
public record Retention(Mode mode, long amount) {
    /** What the amount counts. */
    public enum Mode {
        PERIODIC,
        REVISION
    }

    private static final long HOUR_NANOS = Duration.ofHours(1).toNanos();
    private static final String NUMBER = "\\+?[0-9]{1,18}";

    /**
     * As etcd reads the two flags (embed/etcd.go parseCompactionRetention): a number is hours or revisions; a duration among
     * revisions is as many as it has nanoseconds; nothing at all is 0.
     *
     * @param mode {@code periodic} or {@code revision}
     * @return empty if it is neither a number nor a duration
     */
    public static Optional<Retention> parse(String mode, String text) {
        Mode known = mode.equals("revision") ? Mode.REVISION : Mode.PERIODIC;
        if (text.isEmpty()) {
            return Optional.of(new Retention(known, 0));
        }
        if (!text.matches(NUMBER)) {
            return Durations.parse(text).map(duration -> new Retention(known, duration.toNanos()));
        }
        long number = Long.parseLong(text);
        return Optional.of(new Retention(known,
                known == Mode.REVISION ? number : Math.min(number, Long.MAX_VALUE / HOUR_NANOS) * HOUR_NANOS));
    }

    /** Null if all is kept. */
    @Nullable
    Schedule schedule(long nowNanos) {
        if (amount <= 0) {
            return null;
        }
        return switch (mode) {
            case PERIODIC -> new PeriodicSchedule(Duration.ofNanos(amount), nowNanos);
            case REVISION -> new RevisionSchedule(amount);
        };
    }
}
