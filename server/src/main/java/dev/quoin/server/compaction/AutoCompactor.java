package dev.quoin.server.compaction;

import java.time.Duration;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

import dev.quoin.base.Clock;
import dev.quoin.server.config.Durations;

/**
 * Compacts by a {@link Schedule} while its member leads; what failed is tried again after the next pause. Whoever drives it
 * waits between {@link #begin} and {@link #look}, and between two looks. For one thread.
 */
public final class AutoCompactor {
    /** The member whose history it is. */
    public interface Host {
        /** The newest one. */
        long revision();

        boolean leads();

        /**
         * Proposes a compaction and waits for what became of it.
         *
         * @return why it failed; null if everything up to there is compacted, also if it was before
         */
        @Nullable
        String compact(long revision) throws InterruptedException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(AutoCompactor.class);

    private final Schedule schedule;
    private final Host host;
    private final Clock clock;

    private AutoCompactor(Schedule schedule, Host host, Clock clock) {
        this.schedule = schedule;
        this.host = host;
        this.clock = clock;
    }

    /** Null if all history is kept. */
    public static @Nullable AutoCompactor of(Retention retention, Host host, Clock clock) {
        Schedule schedule = retention.schedule(clock.nanos());
        return schedule == null ? null : new AutoCompactor(schedule, host, clock);
    }

    /** Once, at first; returns after how long to {@link #look}. */
    public Duration begin() {
        schedule.begin(host.revision());
        return schedule.pause();
    }

    /** Compacts if it is time; returns after how long to look again. */
    public Duration look() throws InterruptedException {
        if (host.leads()) {
            OptionalLong due = schedule.due(host.revision(), clock.nanos());
            if (due.isPresent()) {
                compact(due.getAsLong());
            }
        }
        return begin();
    }

    private void compact(long revision) throws InterruptedException {
        about(LOG.atInfo(), revision).log("starting auto " + schedule.name() + " compaction");
        long start = clock.nanos();
        String failure = host.compact(revision);
        if (failure == null) {
            schedule.done(revision, clock.nanos());
            about(LOG.atInfo(), revision)
                    .addKeyValue("took", Durations.text(Duration.ofNanos(clock.nanos() - start)))
                    .log("completed auto " + schedule.name() + " compaction");
        } else {
            about(LOG.atWarn(), revision).addKeyValue("retry-interval", Durations.text(schedule.pause()))
                    .addKeyValue("error", failure).log("failed auto " + schedule.name() + " compaction");
        }
    }

    private LoggingEventBuilder about(LoggingEventBuilder line, long revision) {
        Schedule.Kept kept = schedule.kept();
        return line.addKeyValue("revision", revision).addKeyValue(kept.field(), kept.value());
    }
}
