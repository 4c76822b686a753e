package dev.quoin.member;

import java.time.Duration;

import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.member.watch.WatchLimits;
import dev.quoin.raft.RaftLimits;

/**
 * The bounds and periods of a member.
 *
 * @param tickNanos one tick of consensus, etcd's heartbeat interval
 * @param electionTicks silent ticks before an election
 * @param requestTimeoutNanos how long a request or a read waits for its outcome: 5 s and two election timeouts, as etcd
 * @param unappliedEntriesMax committed entries that may wait to be applied for longer than a second before proposals are refused; etcd's
 *        5,000
 * @param inFlightBytesMax bytes of requests that may be under way before more are refused; counted twice, as those that
 *        somebody waits for and as those that are not applied
 * @param ledgerFlushNanos how often the ledger is written and synced
 * @param snapshotEntries applied entries after which the log is marked as no longer needed, etcd's snapshot-count
 * @param wal sizes of the write-ahead log
 * @param ledger sizes of the ledger
 * @param walsMax how many segments of the log are kept although nobody needs them; 0 keeps all
 * @param learnersMax how many learners a cluster may have, etcd's max-learners
 * @param quotaBytes what the ledger may hold in use before writes are refused, etcd's quota-backend-bytes; not positive:
 *        no bound
 * @param housekeeping the pace of what can wait
 * @param raft the bounds of consensus
 * @param watch the bounds of watching
 * @param lessor the bounds of leases
 */
public record MemberLimits(long tickNanos, int electionTicks, long requestTimeoutNanos, int unappliedEntriesMax,
        long inFlightBytesMax, long ledgerFlushNanos, int snapshotEntries, int walsMax,
        int learnersMax, long quotaBytes, WalLimits wal, LedgerLimits ledger, HousekeepingLimits housekeeping,
        RaftLimits raft, WatchLimits watch, LessorLimits lessor) {

    public static final MemberLimits DEFAULT = new MemberLimits(Duration.ofMillis(100).toNanos(), 10,
            Duration.ofSeconds(7).toNanos(), 5_000, 256L << 20, Duration.ofMillis(100).toNanos(), 10_000, 5, 1,
            2L << 30, WalLimits.DEFAULT, LedgerLimits.DEFAULT, HousekeepingLimits.DEFAULT,
            RaftLimits.DEFAULT, WatchLimits.DEFAULT, LessorLimits.DEFAULT);

    /** With the usual bounds of watching and of leases. */
    public MemberLimits(long tickNanos, int electionTicks, long requestTimeoutNanos, int unappliedEntriesMax,
            long inFlightBytesMax, long ledgerFlushNanos, int snapshotEntries, int walsMax, int learnersMax,
            long quotaBytes, WalLimits wal, LedgerLimits ledger, HousekeepingLimits housekeeping, RaftLimits raft) {
        this(tickNanos, electionTicks, requestTimeoutNanos, unappliedEntriesMax, inFlightBytesMax, ledgerFlushNanos,
                snapshotEntries, walsMax, learnersMax, quotaBytes, wal, ledger, housekeeping, raft,
                WatchLimits.DEFAULT, LessorLimits.DEFAULT);
    }

    /** The same with other bounds of leases. */
    public MemberLimits with(LessorLimits others) {
        return new MemberLimits(tickNanos, electionTicks, requestTimeoutNanos, unappliedEntriesMax, inFlightBytesMax,
                ledgerFlushNanos, snapshotEntries, walsMax, learnersMax, quotaBytes, wal, ledger, housekeeping, raft,
                watch, others);
    }

    /** How long a follower waits for its leader at least; it may wait twice as long. */
    public Duration electionTimeout() {
        return Duration.ofNanos(electionTicks * tickNanos);
    }

    /** No lease is shorter than one and a half election timeouts; etcd rounds half a tick down, and seconds up. */
    long minLeaseTtlSeconds() {
        return Math.ceilDiv(3L * electionTicks / 2 * tickNanos, Duration.ofSeconds(1).toNanos());
    }
}
