package dev.quoin.server.compaction;

import java.time.Duration;
import java.util.OptionalLong;

/** Decides when to compact, and up to which revision. Pure: time and revisions come in. For one thread. */
interface Schedule {
    /** Its word in the lines of the log. */
    String name();

    /** What it keeps, as those lines have it. */
    Kept kept();

    /** A field of the log. */
    record Kept(String field, Object value) {}

    /** Between {@link #begin} and {@link #due}. */
    Duration pause();

    /** A pause begins, and this is the newest revision. */
    void begin(long revision);

    /**
     * The pause is over. Not asked on a member that does not lead.
     *
     * @param revision the newest one
     * @return up to which one is to be compacted now, if any
     */
    OptionalLong due(long revision, long nowNanos);

    /** It was compacted up to there, by us or somebody else. */
    void done(long revision, long nowNanos);
}
