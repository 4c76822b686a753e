package dev.quoin.server.metrics;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import dev.quoin.base.Clock;
import dev.quoin.member.ChangeRefusal;
import dev.quoin.member.Member;
import dev.quoin.member.SlowApply;
import dev.quoin.net.NetMetrics;
import dev.quoin.server.config.Gate;
import dev.quoin.server.config.Gates;
import dev.quoin.server.metrics.Histogram.Unit;

/**
 * All that one server tells Prometheus. Made before its member, which counts from its first moment on; what is read off
 * the member is there once it {@linkplain #begin runs}.
 */
public final class ServerMetrics {
    private static final double SECONDS_OF_A_DAY = Duration.ofDays(1).toSeconds();
    private static final Buckets DISK = Buckets.exponential(0.001, 2, 14);

    /**
     * What of the settings matters here.
     *
     * @param etcdVersion the one that clients read
     * @param ownVersion of Quoin
     * @param isExtensive {@code --metrics extensive}
     */
    public record Settings(String etcdVersion, String ownVersion, boolean isExtensive, Duration slowApply,
            Duration slowRequest, Gates gates) {}

    private final Registry registry = new Registry();
    private final ProcessMetrics process = new ProcessMetrics(Path.of("/proc"));
    private final boolean isExtensive;
    private final MemberCounts member;
    private final PeerCounts peers;
    private final RequestCounts requests;
    private final HealthCounts health;
    private final WatchCounts watches;
    private volatile Supplier<Optional<Instant>> clientCertificate = Optional::empty;
    private volatile Supplier<Optional<Instant>> peerCertificate = Optional::empty;
    private final Labelled<Counter> limits;
    private final Labelled<Counter> scrapes;
    private final Counter scrapesUnderWay;

    /**
     * @param onSlowApply told on the apply loop: must not block
     * @param words in which clients are told why members are not changed
     */
    public ServerMetrics(Settings settings, Clock clock, Consumer<SlowApply> onSlowApply,
            Function<ChangeRefusal, String> words) {
        isExtensive = settings.isExtensive();
        member = new MemberCounts(registry, clock, settings.slowApply(), settings.slowRequest(), onSlowApply,
                words);
        peers = new PeerCounts(registry);
        requests = new RequestCounts(registry, member);
        health = new HealthCounts(registry);
        watches = new WatchCounts(registry);
        limits = registry.counters("quoin_limit_met_total",
                "How often a bound of the client port was met, or a rule of it broken.", "limit");
        scrapes = registry.counters("promhttp_metric_handler_requests_total",
                "Total number of scrapes by HTTP status code.", "code");
        List.of("200", "500", "503").forEach(scrapes::of);
        scrapesUnderWay = registry.countedGauge("promhttp_metric_handler_requests_in_flight",
                "Current number of scrapes being served.");
        facts(settings);
        standIns();
        certificates(clock);
        process.register(registry);
        JvmMetrics.register(registry);
    }

    private void facts(Settings settings) {
        registry.fact("etcd_server_version",
                "Which version is running. 1 for 'server_version' label with current version.", "server_version",
                settings.etcdVersion());
        registry.fact("etcd_server_go_version",
                "Which Go version server is running with. 1 for 'server_go_version' label with current version.",
                "server_go_version", "java" + System.getProperty("java.version", ""));
        registry.fact("quoin_version", "Which version of Quoin is running.", "version", settings.ownVersion());
        registry.gauges("etcd_server_feature_enabled",
                "Whether or not a feature is enabled. 1 is enabled, 0 is not.", List.of("name", "stage"), series -> {
                    for (Gate gate : Gate.values()) {
                        series.add(settings.gates().isOpen(gate) ? 1 : 0, gate.title(), gate.stage().name());
                    }
                });
    }

    /**
     * Names of things that Quoin does not have, and that graphs of etcd show: always at their beginning. There are no pages
     * to rebalance, no snapshot files beside the log, no store of etcd 2.
     */
    private void standIns() {
        registry.histogram("etcd_debugging_disk_backend_commit_rebalance_duration_seconds",
                "The latency distributions of commit.rebalance called by bboltdb backend.", Unit.NANOS_AS_SECONDS,
                DISK);
        registry.histogram("etcd_debugging_disk_backend_commit_spill_duration_seconds",
                "The latency distributions of commit.spill called by bboltdb backend.", Unit.NANOS_AS_SECONDS, DISK);
        registry.histogram("etcd_debugging_disk_backend_commit_write_duration_seconds",
                "The latency distributions of commit.write called by bboltdb backend.", Unit.NANOS_AS_SECONDS, DISK);
        registry.histogram("etcd_snap_fsync_duration_seconds",
                "The latency distributions of fsync called by snap.", Unit.NANOS_AS_SECONDS, DISK);
        registry.histogram("etcd_debugging_snap_save_marshalling_duration_seconds",
                "The marshalling cost distributions of save called by snapshot.", Unit.NANOS_AS_SECONDS, DISK);
        registry.histogram("etcd_debugging_snap_save_total_duration_seconds",
                "The total latency distributions of save called by snapshot.", Unit.NANOS_AS_SECONDS, DISK);
        registry.counter("etcd_debugging_store_expires_total", "Total number of expired keys.");
        registry.counter("etcd_debugging_store_watch_requests_total",
                "Total number of incoming watch requests (new or reestablished).");
        registry.gauge("etcd_debugging_store_watchers", "Count of currently active watchers.", () -> 0);
    }

    /** Whoever has no certificate has none that could run out: so an alert can be there before the first one is. */
    private void certificates(Clock clock) {
        registry.gauges("quoin_certificate_days_left",
                "Days until a certificate in use runs out, +Inf where none is in use.", List.of("use"), series -> {
                    series.add(daysLeft(clientCertificate.get(), clock), "client");
                    series.add(daysLeft(peerCertificate.get(), clock), "peer");
                });
    }

    private static double daysLeft(Optional<Instant> expiry, Clock clock) {
        return expiry.map(end -> Duration.between(clock.now(), end).toSeconds() / SECONDS_OF_A_DAY)
                .orElse(Double.POSITIVE_INFINITY);
    }

    /** Says where it is found out until when the certificates in use last; none are, until this is called. */
    public void certificates(Supplier<Optional<Instant>> ofClients, Supplier<Optional<Instant>> ofPeers) {
        clientCertificate = ofClients;
        peerCertificate = ofPeers;
    }

    // ---- for those who count

    public MemberCounts member() {
        return member;
    }

    public PeerCounts peers() {
        return peers;
    }

    public RequestCounts requests() {
        return requests;
    }

    public HealthCounts health() {
        return health;
    }

    public WatchCounts watches() {
        return watches;
    }

    /** Of the client port; once. */
    public NetMetrics rpc(RpcMetrics.Listeners listeners) {
        return new RpcMetrics(registry, limits, isExtensive, listeners);
    }

    /** A bound of the services, beside those of the port itself; once for each. */
    public LimitMet limit(String name) {
        return LimitMet.counted(name, limits.of(name));
    }

    // ---- once there is something to tell

    /** The member runs. */
    public void begin(Member started) {
        requests.begin(started);
        peers.begin(started.memberId(), requests::pausedNanos);
        new MemberGauges(started).register(registry);
    }

    /**
     * There are lists from now on.
     *
     * @param lists how many are read from a view at the moment
     */
    public void lists(IntSupplier lists) {
        registry.gauge("etcd_mvcc_db_open_read_transactions",
                "The number of currently open read transactions", lists::getAsInt);
    }

    /**
     * Watchers are told from now on.
     *
     * @param untold how many revisions they have not been told yet
     */
    public void pendingEvents(LongSupplier untold) {
        registry.gauge("etcd_debugging_mvcc_pending_events_total", "Total number of pending events to be sent.",
                () -> member.isWatched() ? untold.getAsLong() : 0);
    }

    // ---- for those who ask

    /** The page that Prometheus reads; it counts itself. */
    public String page() {
        scrapesUnderWay.increment();
        try {
            String page = registry.page();
            scrapes.of("200").increment();
            return page;
        } finally {
            scrapesUnderWay.add(-1);
        }
    }

    /** How many files this process may have open; 0 if nobody says. */
    public double fileLimit() {
        return process.fileLimit();
    }

    /** The heap, in the terms of a Go program's, for {@code /debug/vars}. */
    public Map<String, Long> memory() {
        Runtime runtime = Runtime.getRuntime();
        long used = runtime.totalMemory() - runtime.freeMemory();
        return Map.of("Alloc", used, "Sys", runtime.totalMemory(), "HeapAlloc", used, "HeapSys",
                runtime.totalMemory(), "HeapIdle", runtime.freeMemory());
    }
}
