package dev.quoin.sim;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

import dev.quoin.disk.ledger.LedgerLimits;
import dev.quoin.disk.wal.WalLimits;
import dev.quoin.member.HousekeepingLimits;
import dev.quoin.member.LessorLimits;
import dev.quoin.member.MemberLimits;
import dev.quoin.member.watch.WatchLimits;
import dev.quoin.raft.RaftLimits;

/**
 * What kind of world a seed makes. Not every fault is in every world: some can only be seen while others keep away. All
 * bounds are small, so that what is rare in a server happens all the time.
 *
 * @param members how many the cluster starts with
 * @param faults what may go wrong
 * @param faultEveryNanos the mean time from one fault to the next
 * @param safetyNanos how long things go wrong
 * @param hopNanos the mean time of a message on its way
 * @param syncNanos the mean time of a sync
 * @param clients how many ask at once
 * @param watchers how many watch
 * @param thinkNanos the mean pause of a client
 * @param keys how many keys there are
 * @param changesMembers whether members come and go
 * @param checkpointsLeases whether leaders write down what leases have left
 */
record Dials(int members, Set<Fault> faults, long faultEveryNanos, long safetyNanos, long hopNanos, long syncNanos,
        int clients, int watchers, long thinkNanos, int keys, boolean changesMembers, boolean checkpointsLeases,
        MemberLimits limits) {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;
    private static final long MINUTE = 60 * SECOND;
    /** What the clocks of good machines differ by, and those of bad ones. */
    static final long SMALL_DRIFT_PPM = 200;
    static final long DRIFT_PPM = 100_000;

    static Dials of(Chance chance, int membersWanted) {
        int members = membersWanted > 0 ? membersWanted : chance.below(10) < 2 ? 1 : chance.below(10) < 7 ? 3 : 5;
        Set<Fault> faults = EnumSet.noneOf(Fault.class);
        for (Fault fault : Fault.values()) {
            // What a lone member does without a record it needs is no rule for a cluster: it leaves the entry out.
            boolean isAloneAndBlind = members == 1 && fault == Fault.FAILED_READ;
            if (chance.percent(60) && !isAloneAndBlind) {
                faults.add(fault);
            }
        }
        return new Dials(members, faults, chance.between(2, 25) * SECOND, chance.between(20, 60) * MINUTE,
                chance.oneIn(4) ? chance.between(2, 40) * MILLI : chance.between(200, 2_000) * 1_000,
                chance.oneIn(4) ? chance.between(2, 30) * MILLI : chance.between(200, 2_000) * 1_000,
                (int) chance.between(2, 6), (int) chance.between(1, 4), chance.between(20, 600) * MILLI,
                (int) chance.between(4, 40),
                members > 1 && chance.percent(60), chance.nextBoolean(), limits(chance));
    }

    private static MemberLimits limits(Chance chance) {
        long segment = chance.between(4, 32) << 10;
        return new MemberLimits(100 * MILLI, 10, Duration.ofSeconds(7).toNanos(), chance.oneIn(5) ? 20 : 5_000,
                chance.oneIn(5) ? 16 << 10 : 64 << 20, chance.between(50, 300) * MILLI,
                (int) chance.between(10, 300), (int) chance.between(1, 3), 2, 0, WalLimits.ofSegmentBytes(segment),
                new LedgerLimits(chance.between(4, 32) << 10, 2_048, 16 << 10),
                new HousekeepingLimits(MILLI, (int) chance.between(2, 20), (int) chance.between(1, 8) << 10,
                        chance.between(3, 30) << 10, chance.between(1, 5) * SECOND,
                        chance.between(1, 600) * SECOND),
                raftLimits(chance), watchLimits(chance), lessorLimits(chance));
    }

    private static WatchLimits watchLimits(Chance chance) {
        return new WatchLimits(chance.nextBoolean() ? chance.between(500, 20_000) : 1 << 20,
                (int) chance.between(200, 4_000), (int) chance.between(100, 2_000), (int) chance.between(2, 50),
                (int) chance.between(300, 10_000), (int) chance.between(3, 200), 2, (int) chance.between(1, 4),
                (int) chance.between(1, 20), (int) chance.between(1, 50), (int) chance.between(0, 20));
    }

    private static LessorLimits lessorLimits(Chance chance) {
        return new LessorLimits((int) chance.between(1, 5), 1_000, (int) chance.between(1, 10),
                chance.between(100, 1_000) * MILLI, SECOND, chance.between(2, 10) * SECOND, (int) chance.between(1, 4));
    }

    /** A log that is kept for long, or hardly: then whoever lags needs a snapshot. */
    private static RaftLimits raftLimits(Chance chance) {
        long retained = chance.nextBoolean() ? chance.between(500, 8_000) : 1 << 20;
        long message = chance.nextBoolean() ? chance.between(300, 4_000) : 1 << 20;
        int inflight = chance.nextBoolean() ? (int) chance.between(1, 8) : 512;
        return new RaftLimits(message, inflight, inflight * message, chance.oneIn(4) ? 2_000 : 64 << 20, Long.MAX_VALUE,
                1_000, 0, retained, 2 * retained);
    }

    /** By how many parts in a million a clock may run too fast. */
    long fastestPpm() {
        return faults.contains(Fault.CLOCK_DRIFT) ? DRIFT_PPM : SMALL_DRIFT_PPM;
    }

    /** An election timeout: ticks that a follower waits at least. */
    long electionNanos() {
        return limits.tickNanos() * limits.electionTicks();
    }
}
