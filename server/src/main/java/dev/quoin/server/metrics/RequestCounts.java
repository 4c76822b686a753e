package dev.quoin.server.metrics;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import dev.quoin.member.Phases;
import dev.quoin.member.Phases.Phase;

/** How long requests took, and what those waited for that took too long. Any thread. */
public final class RequestCounts {
    private static final long NANOS_PER_MICRO = 1_000;

    private final MemberCounts member;
    private final Labelled<Histogram> durations;
    private final Histogram ranges;
    private final Histogram failedRanges;
    private final Histogram snapshots;
    private final Map<Phase, Counter> guilty = new EnumMap<>(Phase.class);
    private final Map<Phase, Counter> micros = new EnumMap<>(Phase.class);

    RequestCounts(Registry registry, MemberCounts member) {
        this.member = member;
        durations = registry.histograms("etcd_server_request_duration_seconds",
                "Response latency distribution in seconds for each type.", Buckets.exponential(0.001, 2, 14), "type",
                "success");
        Labelled<Histogram> rangeDurations = registry.histograms("etcd_server_range_duration_seconds",
                "The latency distributions of txn.Range", Buckets.exponential(0.0001, 2, 20), "success");
        ranges = rangeDurations.of("true");
        failedRanges = rangeDurations.of("false");
        snapshots = registry.histogram("etcd_disk_backend_snapshot_duration_seconds",
                "The latency distribution of backend snapshots.", Histogram.Unit.NANOS_AS_SECONDS,
                Buckets.exponential(.01, 2, 17));
        Labelled<Counter> slow = registry.counters("quoin_slow_requests_total",
                "Requests that took longer than --warning-unary-request-duration, by what most of their time went to.",
                "phase");
        for (Phase phase : Phase.values()) {
            guilty.put(phase, slow.of(name(phase)));
            micros.put(phase, new Counter());
        }
        registry.add(new Family("quoin_slow_request_phase_seconds_total",
                "The time of requests that took longer than --warning-unary-request-duration, by what it went to.",
                Family.Type.COUNTER, List.of("phase"),
                series -> micros.forEach((phase, sum) -> series.add(sum.value() / 1e6, name(phase)))));
    }

    /** As logs and labels have it. */
    public static String name(Phase phase) {
        return phase.name().toLowerCase(Locale.ROOT);
    }

    /** Of requests of a type, that were answered or were not; asked for once. */
    public Histogram duration(String type, boolean isAnswered) {
        return durations.of(type, isAnswered ? "true" : "false");
    }

    /** A request that was not just a read took too long. */
    public void slow(Phases phases) {
        add(guilty, phases.longest(), 1);
        for (Phase phase : Phase.values()) {
            add(micros, phase, phases.nanos(phase) / NANOS_PER_MICRO);
        }
    }

    private static void add(Map<Phase, Counter> counters, Phase phase, long more) {
        Counter counter = counters.get(phase);
        if (counter != null) {
            counter.add(more);
        }
    }

    /** A read took longer than applying may. */
    public void readSlowly() {
        member.readSlowly();
    }

    /** A read was asked for that is no command. */
    public void ranged() {
        member.ranged();
    }

    /** A transaction was asked for that only reads. */
    public void readTransaction(int reads) {
        member.readTransaction(reads);
    }

    /** So many reads were answered from a view, in so much time together. */
    public void read(int reads, long nanos) {
        ranges.observe(nanos / Math.max(1, reads), reads);
    }

    /** A client was sent the whole store. */
    public void snapshot(long nanos) {
        snapshots.observe(nanos);
    }

    /** A read was not answered. */
    public void readFailed(long nanos) {
        failedRanges.observe(nanos);
    }
}
