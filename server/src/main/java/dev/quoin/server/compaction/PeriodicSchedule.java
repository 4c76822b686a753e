package dev.quoin.server.compaction;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;

import dev.quoin.server.config.Durations;

/**
 * Keeps the history of a time (v3compactor/periodic.go). The newest revision is noted ten times in that time, or ten times
 * an hour if it is longer; once the notes reach back far enough, the oldest is what is compacted to: first after the whole
 * time, then every hour, or as often as the time is long if it is shorter.
 */
final class PeriodicSchedule implements Schedule {
    private static final Duration INTERVAL_MAX = Duration.ofHours(1);
    private static final int NOTES_PER_INTERVAL = 10;
    /** Go's runtime would not look more often, either. */
    private static final Duration PAUSE_MIN = Duration.ofMillis(1);

    private final Duration period;
    private final Duration interval;
    private final Duration pause;
    private final int notesMax;
    /** Newest revisions as they were at the beginnings of pauses; the oldest first, a period ago. */
    private final Deque<Long> notes = new ArrayDeque<>();
    private Duration wait;
    private long lastSuccessNanos;
    private long lastRevision;

    PeriodicSchedule(Duration period, long nowNanos) {
        this.period = period;
        interval = period.compareTo(INTERVAL_MAX) > 0 ? INTERVAL_MAX : period;
        Duration tenth = interval.dividedBy(NOTES_PER_INTERVAL);
        pause = tenth.compareTo(PAUSE_MIN) < 0 ? PAUSE_MIN : tenth;
        notesMax = Math.toIntExact(Math.min(period.dividedBy(pause), Integer.MAX_VALUE - 1) + 1);
        wait = period;
        lastSuccessNanos = nowNanos;
    }

    @Override
    public String name() {
        return "periodic";
    }

    @Override
    public Kept kept() {
        return new Kept("compact-period", Durations.text(period));
    }

    @Override
    public Duration pause() {
        return pause;
    }

    @Override
    public void begin(long revision) {
        notes.addLast(revision);
        if (notes.size() > notesMax) {
            notes.removeFirst();
        }
    }

    @Override
    public OptionalLong due(long revision, long nowNanos) {
        long oldest = notes.getFirst();
        if (nowNanos - lastSuccessNanos < wait.toNanos() || oldest == lastRevision) {
            return OptionalLong.empty();
        }
        wait = interval;
        return OptionalLong.of(oldest);
    }

    @Override
    public void done(long revision, long nowNanos) {
        lastRevision = revision;
        lastSuccessNanos = nowNanos;
    }
}
