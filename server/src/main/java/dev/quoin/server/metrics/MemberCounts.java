package dev.quoin.server.metrics;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Clock;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.Failure;
import dev.quoin.member.MemberMetrics;
import dev.quoin.member.SlowApply;
import dev.quoin.server.config.Durations;
import dev.quoin.server.metrics.Histogram.Unit;
import dev.quoin.store.Tally;

/**
 * What a member counts and times, under etcd's names. Where Quoin has no such thing, what takes its place: the ledger's
 * flush for the commit of etcd's database; steps of a compaction between two batches for the time in which etcd's holds
 * its index.
 */
public final class MemberCounts implements MemberMetrics {
    private static final Logger LOG = LoggerFactory.getLogger(MemberCounts.class);
    private static final long NANOS_PER_MICRO = 1_000;
    private static final Buckets DISK = Buckets.exponential(0.001, 2, 14);

    private final Clock clock;
    private final long slowApplyNanos;
    private final long slowRequestNanos;
    private final Consumer<SlowApply> onSlowApply;

    private final Counter pausedMicros = new Counter();
    private final Histogram logWrite;
    private final Histogram logSync;
    private final Counter logBytes;
    private final Histogram ledgerFlush;
    private final Histogram stateSync;

    private final Counter leaderChanges;
    private final Counter heartbeatsLate;
    private final Counter proposalsFailed;
    private final Counter readIndexSlow;
    private final Counter readIndexFailed;
    private final Counter promotions;
    private final Labelled<Counter> promotionsRefused;
    private final Function<ChangeRefusal, String> words;

    private final Labelled<Histogram> applied;
    /** Of these, the ones that are looked for all the time: those of requests that were done. */
    private final Map<String, Histogram> done = new ConcurrentHashMap<>();
    private final Counter appliedSlowly;
    private final Counter ranges;
    private final Counter puts;
    private final Counter deletes;
    private final Counter txns;
    private final Counter putBytes;

    private final Counter leasesGranted;
    private final Counter leasesRevoked;
    private final Counter leasesRenewed;
    private final Counter leasesExpired;
    private final Histogram leaseTtls;

    private final Histogram compaction;
    private final Histogram compactionPause;
    private final Histogram indexPause;
    private final Counter compactedKeys;
    private volatile long lastCompaction;
    private final Histogram hash;
    private final Histogram stateHash;
    private final Histogram defragmentation;
    private volatile boolean isDefragmenting;

    private final Counter watchers;
    private final Counter inStep;

    /**
     * @param slowApply from how long on applying a request is slow
     * @param slowRequest from how long on a request is, from its arrival to its answer
     * @param onSlowApply told on the apply loop: must not block
     * @param words in which clients are told why members are not changed
     */
    MemberCounts(Registry registry, Clock clock, Duration slowApply, Duration slowRequest,
            Consumer<SlowApply> onSlowApply, Function<ChangeRefusal, String> words) {
        this.clock = clock;
        this.words = words;
        slowApplyNanos = slowApply.toNanos();
        slowRequestNanos = slowRequest.toNanos();
        this.onSlowApply = onSlowApply;

        registry.add(new Family("quoin_paused_seconds_total",
                "Time in which this process stood still: it got no processor, was stopped, or its JVM paused.",
                Family.Type.COUNTER, List.of(), series -> series.add(pausedMicros.value() / 1e6)));
        logWrite = registry.histogram("etcd_disk_wal_write_duration_seconds",
                "The latency distributions of write called by WAL.", Unit.NANOS_AS_SECONDS, DISK);
        logSync = registry.histogram("etcd_disk_wal_fsync_duration_seconds",
                "The latency distributions of fsync called by WAL.", Unit.NANOS_AS_SECONDS, DISK);
        logBytes = registry.countedGauge("etcd_disk_wal_write_bytes_total",
                "Total number of bytes written in WAL.");
        ledgerFlush = registry.histogram("etcd_disk_backend_commit_duration_seconds",
                "The latency distributions of commit called by backend.", Unit.NANOS_AS_SECONDS, DISK);
        stateSync = registry.histogram("etcd_snap_db_fsync_duration_seconds",
                "The latency distributions of fsyncing .snap.db file", Unit.NANOS_AS_SECONDS, DISK);

        leaderChanges = registry.counter("etcd_server_leader_changes_seen_total",
                "The number of leader changes seen.");
        heartbeatsLate = registry.counter("etcd_server_heartbeat_send_failures_total",
                "The total number of leader heartbeat send failures (likely overloaded from slow disk).");
        proposalsFailed = registry.counter("etcd_server_proposals_failed_total",
                "The total number of failed proposals seen.");
        readIndexSlow = registry.counter("etcd_server_slow_read_indexes_total",
                "The total number of pending read indexes not in sync with leader's or timed out read index requests.");
        readIndexFailed = registry.counter("etcd_server_read_indexes_failed_total",
                "The total number of failed read indexes seen.");

        promotions = registry.counter("etcd_server_learner_promote_successes",
                "The total number of successful learner promotions while this member is leader.");
        promotionsRefused = registry.counters("etcd_server_learner_promote_failures",
                "The total number of failed learner promotions (likely learner not ready) while this member is leader.",
                "Reason");

        applied = registry.histograms("etcd_server_apply_duration_seconds",
                "The latency distributions of v2 apply called by backend.", Buckets.exponential(0.0001, 2, 20),
                "version", "op", "success");
        appliedSlowly = registry.counter("etcd_server_slow_apply_total",
                "The total number of slow apply requests (likely overloaded from slow disk).");
        ranges = registry.counter("etcd_mvcc_range_total", "Total number of ranges seen by this member.");
        puts = registry.counter("etcd_mvcc_put_total", "Total number of puts seen by this member.");
        deletes = registry.counter("etcd_mvcc_delete_total", "Total number of deletes seen by this member.");
        txns = registry.counter("etcd_mvcc_txn_total", "Total number of txns seen by this member.");
        putBytes = registry.countedGauge("etcd_debugging_mvcc_total_put_size_in_bytes",
                "The total size of put kv pairs seen by this member.");

        leasesGranted = registry.counter("etcd_debugging_lease_granted_total",
                "The total number of granted leases.");
        leasesRevoked = registry.counter("etcd_debugging_lease_revoked_total",
                "The total number of revoked leases.");
        leasesRenewed = registry.counter("etcd_debugging_lease_renewed_total",
                "The number of renewed leases seen by the leader.");
        leasesExpired = registry.counter("etcd_debugging_server_lease_expired_total",
                "The total number of expired leases.");
        leaseTtls = registry.histogram("etcd_debugging_lease_ttl_total", "Bucketed histogram of lease TTLs.",
                Unit.PLAIN, Buckets.exponential(1, 2, 24));

        compaction = registry.histogram("etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
                "Bucketed histogram of db compaction total duration.", Unit.NANOS_AS_MILLIS,
                Buckets.exponential(100, 2, 14));
        compactionPause = registry.histogram("etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
                "Bucketed histogram of db compaction pause duration.", Unit.NANOS_AS_MILLIS,
                Buckets.exponential(1, 2, 13));
        indexPause = registry.histogram("etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
                "Bucketed histogram of index compaction pause duration.", Unit.NANOS_AS_MILLIS,
                Buckets.exponential(0.5, 2, 14));
        compactedKeys = registry.counter("etcd_debugging_mvcc_db_compaction_keys_total",
                "Total number of db keys compacted.");
        registry.gauge("etcd_debugging_mvcc_db_compaction_last",
                "The unix time of the last db compaction. Resets to 0 on start.", () -> lastCompaction);
        hash = registry.histogram("etcd_mvcc_hash_rev_duration_seconds",
                "The latency distribution of storage hash by revision operation.", Unit.NANOS_AS_SECONDS,
                Buckets.exponential(.01, 2, 15));
        stateHash = registry.histogram("etcd_mvcc_hash_duration_seconds",
                "The latency distribution of storage hash operation.", Unit.NANOS_AS_SECONDS,
                Buckets.exponential(.01, 2, 15));
        defragmentation = registry.histogram("etcd_disk_backend_defrag_duration_seconds",
                "The latency distribution of backend defragmentation.", Unit.NANOS_AS_SECONDS,
                Buckets.exponential(.1, 2, 13));
        registry.gauge("etcd_disk_defrag_inflight",
                "Whether or not defrag is active on the member. 1 means active, 0 means not.",
                () -> isDefragmenting ? 1 : 0);

        watchers = registry.countedGauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.");
        inStep = new Counter();
        registry.gauge("etcd_debugging_mvcc_slow_watcher_total", "Total number of unsynced slow watchers.",
                () -> Math.max(0, watchers.value() - inStep.value()));
    }

    /** A read that was answered from a view, and was no command. */
    void ranged() {
        ranges.increment();
    }

    /** A transaction that was answered from a view. */
    void readTransaction(int reads) {
        ranges.add(reads);
        if (reads > 1) {
            txns.increment();
        }
    }

    boolean isWatched() {
        return watchers.value() > 0;
    }

    /** A read that took longer than it should, in whatever phase: etcd counts it with those that were applied slowly. */
    void readSlowly() {
        appliedSlowly.increment();
    }

    @Override
    public void paused(long nanos) {
        pausedMicros.add(nanos / NANOS_PER_MICRO);
    }

    @Override
    public void logWritten(long bytes, long nanos) {
        logBytes.add(bytes);
        logWrite.observe(nanos);
    }

    @Override
    public void logSynced(long nanos) {
        logSync.observe(nanos);
    }

    @Override
    public void ledgerFlushed(long nanos) {
        ledgerFlush.observe(nanos);
    }

    @Override
    public void stateSynced(long nanos) {
        stateSync.observe(nanos);
    }

    @Override
    public void leaderChanged() {
        leaderChanges.increment();
    }

    /** Neither a disk nor the store holds up the loop that sends them: so this is the processor, or a pause of the JVM. */
    @Override
    public void heartbeatLate(long nanos) {
        heartbeatsLate.increment();
        LOG.atWarn().addKeyValue("took", Durations.text(Duration.ofNanos(nanos))).log(
                "leader failed to send out heartbeat on time; took too long, it had no processor or its JVM paused");
    }

    /** What is refused at once, since too much waits, is none of these in etcd; nor is what a stop ends. */
    @Override
    public void proposalFailed(Failure why) {
        switch (why) {
            case TIMEOUT, CONNECTION_LOST, LEADER_LOST -> proposalsFailed.increment();
            case TOO_MANY_REQUESTS, NOT_LEADER, NO_ROOM, DISK_FULL, STOPPED -> {}
        }
    }

    @Override
    public void readIndexSlow() {
        readIndexSlow.increment();
    }

    @Override
    public void readIndexFailed(int reads) {
        readIndexFailed.add(reads);
    }

    @Override
    public void promoted() {
        promotions.increment();
    }

    @Override
    public void notPromoted(ChangeRefusal why) {
        promotionsRefused.of(words.apply(why)).increment();
    }

    @Override
    public void applied(String name, boolean isDone, long nanos) {
        Histogram known = isDone ? done.get(name) : null;
        if (known == null) {
            known = applied.of("v3", name, Boolean.toString(isDone));
            if (isDone) {
                done.put(name, known);
            }
        }
        known.observe(nanos);
    }

    @Override
    public void changed(Tally tally) {
        addIfSome(ranges, tally.ranges());
        addIfSome(puts, tally.puts());
        addIfSome(deletes, tally.deletes());
        addIfSome(txns, tally.txns());
        addIfSome(putBytes, tally.putBytes());
    }

    private static void addIfSome(Counter counter, long more) {
        if (more > 0) {
            counter.add(more);
        }
    }

    @Override
    public long slowApplyNanos() {
        return slowApplyNanos;
    }

    @Override
    public void appliedSlowly(SlowApply slow) {
        appliedSlowly.increment();
        onSlowApply.accept(slow);
    }

    @Override
    public long slowRequestNanos() {
        return slowRequestNanos;
    }

    @Override
    public void leaseGranted(long ttlSeconds) {
        leasesGranted.increment();
        leaseTtls.observe(ttlSeconds);
    }

    @Override
    public void leaseRevoked() {
        leasesRevoked.increment();
    }

    @Override
    public void leaseRenewed() {
        leasesRenewed.increment();
    }

    @Override
    public void leaseExpired() {
        leasesExpired.increment();
    }

    @Override
    public void compactionStep(int records, long nanos) {
        compactedKeys.add(records);
        compactionPause.observe(nanos);
        indexPause.observe(nanos);
    }

    @Override
    public void compacted(long nanos) {
        compaction.observe(nanos);
        lastCompaction = clock.now().getEpochSecond();
    }

    @Override
    public void hashed(long nanos) {
        hash.observe(nanos);
    }

    /** The hash of the whole state was computed for a client. */
    public void stateHashed(long nanos) {
        stateHash.observe(nanos);
    }

    @Override
    public void defragmenting(boolean isUnderWay) {
        isDefragmenting = isUnderWay;
    }

    @Override
    public void defragmented(long nanos) {
        defragmentation.observe(nanos);
    }

    @Override
    public void watchers(int more) {
        watchers.add(more);
    }

    @Override
    public void inStep(int more) {
        inStep.add(more);
    }
}
