package dev.quoin.member;

import dev.quoin.member.watch.WatchMetrics;
import dev.quoin.store.Tally;

/**
 * What is counted and timed in a member. Called by its owners on their threads, often: implementations must be quick, and
 * must neither block nor throw. The defaults count nothing. Times are nanoseconds on the member's clock; what was slow for
 * an operator is for the implementation to say.
 */
public interface MemberMetrics extends WatchMetrics {
    MemberMetrics NONE = new MemberMetrics() {};

    // ---- disks

    /** Entries and states were handed to the write-ahead log's file. */
    default void logWritten(long bytes, long nanos) {}

    /** They are durable. */
    default void logSynced(long nanos) {}

    /** What the store's ledger had gathered is written and durable. */
    default void ledgerFlushed(long nanos) {}

    /** The file of a state that a leader has sent is durable. */
    default void stateSynced(long nanos) {}

    // ---- consensus

    /** There is a leader, and it is another than before. */
    default void leaderChanged() {}

    /** This leader's heartbeats leave so much later than they should, as nobody has run its loop. */
    default void heartbeatLate(long nanos) {}

    /** Somebody who proposed something will not hear what became of it. */
    default void proposalFailed(Failure why) {}

    /** Reads are asked for again, since nobody has answered. */
    default void readIndexSlow() {}

    /** So many reads have waited for too long. */
    default void readIndexFailed(int reads) {}

    /** A learner has become a voter, as it was asked of this leader. */
    default void promoted() {}

    default void notPromoted(ChangeRefusal why) {}

    // ---- the store

    /**
     * A request was applied.
     *
     * @param name as etcd names it, {@code Put}
     */
    default void applied(String name, boolean isDone, long nanos) {}

    /** What commands have done since this was called before. */
    default void changed(Tally tally) {}

    /** From how long on {@link #appliedSlowly} is called. */
    default long slowApplyNanos() {
        return Long.MAX_VALUE;
    }

    default void appliedSlowly(SlowApply slow) {}

    /** From how long on somebody who waits for a request is told where its time went ({@link Answer#slow}). */
    default long slowRequestNanos() {
        return Long.MAX_VALUE;
    }

    // ---- leases

    default void leaseGranted(long ttlSeconds) {}

    default void leaseRevoked() {}

    default void leaseRenewed() {}

    /** This leader has found that the time of one is over. */
    default void leaseExpired() {}

    // ---- keeping house

    /** Between two batches, keys were taken out whose history a compaction has given up. */
    default void compactionStep(int records, long nanos) {}

    /** A compaction is done. */
    default void compacted(long nanos) {}

    /** The hash of all that there is was computed. */
    default void hashed(long nanos) {}

    /** Somebody waits for space to be given back. */
    default void defragmenting(boolean isUnderWay) {}

    /** It is given back. */
    default void defragmented(long nanos) {}
}
