package dev.quoin.server.compaction;

import java.time.Duration;
import java.util.OptionalLong;

/** Keeps a number of revisions, and looks every five minutes (v3compactor/revision.go). */
final class RevisionSchedule implements Schedule {
    private static final Duration PAUSE = Duration.ofMinutes(5);

    private final long revisionsKept;
    private long lastRevision;

    RevisionSchedule(long revisionsKept) {
        this.revisionsKept = revisionsKept;
    }

    @Override
    public String name() {
        return "revision";
    }

    @Override
    public Kept kept() {
        return new Kept("revision-compaction-retention", revisionsKept);
    }

    @Override
    public Duration pause() {
        return PAUSE;
    }

    @Override
    public void begin(long revision) {}

    @Override
    public OptionalLong due(long revision, long nowNanos) {
        long last = revision - revisionsKept;
        return last <= 0 || last == lastRevision ? OptionalLong.empty() : OptionalLong.of(last);
    }

    @Override
    public void done(long revision, long nowNanos) {
        lastRevision = revision;
    }
}
