package dev.quoin.server;

import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.quoin.member.MemberConfig;
import dev.quoin.member.MemberLimits;
import dev.quoin.net.NetConfig;
import dev.quoin.net.NetLimits;
import dev.quoin.server.auth.AuthConfig;
import dev.quoin.server.bootstrap.ClusterFlags;
import dev.quoin.server.compaction.Retention;
import dev.quoin.server.config.Durations;
import dev.quoin.server.config.Effects;
import dev.quoin.server.config.Flags;
import dev.quoin.server.config.Gate;
import dev.quoin.server.config.Gates;
import dev.quoin.server.config.Note;
import dev.quoin.server.config.Refused;
import dev.quoin.server.config.TlsSettings;
import dev.quoin.server.metrics.ServerMetrics;
import dev.quoin.server.peer.CorruptionSettings;

/**
 * What the flags ask for, checked.
 *
 * @param member its origin is still to be found out, if its directory is empty
 * @param cluster from which it is found out
 * @param clientListeners where clients are heard: gRPC, and HTTP unless that has listeners of its own
 * @param httpListeners where HTTP is heard without gRPC
 * @param metricsListeners where only the paths for machines that watch this one are heard
 * @param peerListeners where other members are heard
 * @param tls with which certificates, where it is spoken
 * @param limits bounds of requests
 * @param netLimits bounds of the client port
 * @param gateway whether the RPCs are served as JSON over HTTP, too
 * @param hosts names under which HTTP without TLS is served; {@code *} is all
 * @param origins of pages that may read what HTTP answers; {@code *} is all
 * @param auth how users prove who they are
 * @param advanceElection whether the wait before the first election is shortened
 * @param watchProgress between two notes to a watcher to whom nothing happens
 * @param retention which history is kept when nobody compacts
 * @param downgradeCheck between two looks whether a downgrade is done; not positive: nobody looks
 * @param gates what is new and is switched on or off
 * @param corruption when what members hold is compared
 * @param metrics what is counted, and from when on something is slow
 * @param arguments what was given, for whoever looks at the process
 * @param notes what there is to say about the flags
 */
record ServerConfig(MemberConfig member, ClusterFlags cluster, List<NetConfig.Listen> clientListeners,
        List<NetConfig.Listen> httpListeners, List<NetConfig.Listen> metricsListeners,
        List<NetConfig.Listen> peerListeners, ServerTls tls, ServerLimits limits, NetLimits netLimits,
        boolean gateway, Set<String> hosts, Set<String> origins, AuthConfig auth, boolean advanceElection,
        Duration watchProgress, Retention retention, Duration downgradeCheck, Gates gates,
        CorruptionSettings corruption, ServerMetrics.Settings metrics, List<String> arguments, List<Note> notes) {
    private static final long ELECTION_MILLIS_MAX = 50_000;
    private static final long PING_MIN_MILLIS_OF_GRPC = 300_000;
    private static final long PING_INTERVAL_MILLIS_MIN = 1_000;
    private static final long MILLIS_MAX = Duration.ofDays(36_500).toMillis();
    private static final int REQUEST_BYTES_RECOMMENDED_MAX = 10 << 20;
    /** What gRPC needs beside it still fits into an int. */
    private static final int REQUEST_BYTES_MAX = Integer.MAX_VALUE - (1 << 20);
    private static final String INITIAL_CLUSTER_DEFAULT = "default=http://localhost:2380";

    /** The checks, in the order in which etcd makes them (embed/config.go Validate), and then our own. */
    static ServerConfig of(Flags flags) throws Refused {
        if (flags.text("discovery-fallback").equals("proxy")) {
            throw Refused
                    .check("v2 proxy is deprecated, and --discovery-fallback can't be configured as \"proxy\"");
        }
        checkUrls(flags);
        List<Note> notes = new ArrayList<>(flags.notes());
        ClusterFlags cluster = clusterFlags(flags);
        checkTimes(flags);
        if (!flags.areFromFile() && flags.isGiven("listen-client-urls") && !flags.isGiven("advertise-client-urls")) {
            throw Refused.check("--advertise-client-urls is required when --listen-client-urls is set explicitly");
        }
        checkModes(flags);
        TlsSettings.check(flags);
        Effects.refuseUnserved(flags);
        notes.addAll(Effects.notes(flags));
        String name = flags.text("name");
        Path dataDirectory = Path.of(flags.text("data-dir").isEmpty() ? name + ".etcd" : flags.text("data-dir"));
        ServerTls tls = ServerTls.of(flags, dataDirectory);
        notes.addAll(ServerTls.notes(flags, dataDirectory));
        notes.addAll(adviceOn(flags, dataDirectory));
        AuthConfig auth = AuthConfig.of(flags);
        notes.addAll(AuthConfig.notes(flags));
        ServerLimits limits = new ServerLimits(Math.clamp(flags.count("max-request-bytes"), 1, REQUEST_BYTES_MAX),
                flags.count("max-txn-ops"), ServerLimits.LISTS_MAX,
                ServerLimits.listKeysMax(Runtime.getRuntime().maxMemory()));
        Path logDirectory = flags.text("wal-dir").isEmpty() ? null : Path.of(flags.text("wal-dir"));
        MemberConfig member = new MemberConfig(name, dataDirectory, logDirectory, flags.urls("advertise-client-urls"),
                Version.ETCD, null, flags.isTrue("strict-reconfig-check"), flags.isTrue("pre-vote"),
                flags.isTrue("force-new-cluster"), memberLimits(flags));
        return new ServerConfig(member, cluster, listens(flags, "listen-client-urls", tls.clients() != null),
                listens(flags, "listen-client-http-urls", tls.clients() != null),
                listens(flags, "listen-metrics-urls", tls.monitoring() != null),
                listens(flags, "listen-peer-urls", tls.peers() != null), tls, limits, netLimits(flags, limits),
                flags.isTrue("enable-grpc-gateway"),
                Set.copyOf(flags.list("host-whitelist")),
                Set.copyOf(flags.list("cors")), auth, flags.isTrue("initial-election-tick-advance"),
                WatchProgress.interval(flags.duration("watch-progress-notify-interval")), retention(flags),
                flags.duration("downgrade-check-time"), flags.gates(), corruption(flags),
                new ServerMetrics.Settings(Version.ETCD, Version.QUOIN, flags.text("metrics").equals("extensive"),
                        flags.duration("warning-apply-duration"), flags.duration("warning-unary-request-duration"),
                        flags.gates()),
                flags.shown(), notes);
    }

    private static CorruptionSettings corruption(Flags flags) {
        Gates gates = flags.gates();
        CorruptionSettings.Mode asked = gates.isOpen(Gate.COMPACT_HASH_CHECK)
                ? CorruptionSettings.Mode.ON
                : CorruptionSettings.Mode.OFF;
        return new CorruptionSettings(gates.isOpen(Gate.INITIAL_CORRUPT_CHECK), flags.duration("corrupt-check-time"),
                gates.isGiven(Gate.COMPACT_HASH_CHECK) ? asked : CorruptionSettings.Mode.IF_ALL_ARE_QUOIN,
                flags.duration("compact-hash-check-time"));
    }

    private static void checkUrls(Flags flags) throws Refused {
        for (String flag : List.of("listen-peer-urls", "listen-client-urls", "listen-client-http-urls",
                "listen-metrics-urls")) {
            Urls.checkBind(flags.urls(flag));
        }
        Urls.checkHost(flags.urls("initial-advertise-peer-urls"), "initial-advertise-peer-urls", "\"host:port\"");
        Urls.checkHost(flags.urls("advertise-client-urls"), "advertise-client-urls", "in the format \"host:port\","
                + " \"unix:/path/to/socket\" or \"unixs:/path/to/socket\"");
    }

    private static void checkModes(Flags flags) throws Refused {
        String mode = flags.text("auto-compaction-mode");
        if (mode.isEmpty()) {
            throw Refused.check("undefined auto-compaction-mode");
        }
        if (!mode.equals("periodic") && !mode.equals("revision")) {
            throw Refused.check("unknown auto-compaction-mode \"" + mode + "\"");
        }
        retention(flags);
        long samples = flags.number("distributed-tracing-sampling-rate");
        if (flags.isTrue("enable-distributed-tracing") && (samples < 0 || samples > 1_000_000)) {
            throw Refused.check("distributed tracing configurition is not valid: (tracing sampling rate must be "
                    + (samples < 0 ? "positive)" : "less than 1000000)"));
        }
        Gates gates = flags.gates();
        if (gates.isOpen(Gate.LEASE_CHECKPOINT_PERSIST) && !gates.isOpen(Gate.LEASE_CHECKPOINT)) {
            throw Refused.check(
                    "enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint");
        }
        Duration hashCheck = flags.duration("compact-hash-check-time");
        if (!hashCheck.isPositive()) {
            throw Refused.check("--compact-hash-check-time must be >0 (set to " + Durations.text(hashCheck) + ")");
        }
    }

    private static Retention retention(Flags flags) throws Refused {
        String text = flags.text("auto-compaction-retention");
        return Retention.parse(flags.text("auto-compaction-mode"), text).orElseThrow(() -> Refused
                .check("error parsing CompactionRetention: time: invalid duration \"" + text + "\""));
    }

    /** What etcd's log has to say about values that it takes all the same. */
    private static List<Note> adviceOn(Flags flags, Path dataDirectory) {
        List<Note> notes = new ArrayList<>();
        if (flags.text("name").equals("default")) {
            notes.add(Note.warning("it isn't recommended to use default name, please set a value for --name. Note that"
                    + " etcd might run into issue when multiple members have the same default name",
                    Map.of("name", "default")));
        }
        if (flags.text("data-dir").isEmpty()) {
            notes.add(Note.warning("'data-dir' was empty; using default",
                    Map.of("data-dir", dataDirectory.toString())));
        }
        for (String timeout : List.of("raft-read-timeout", "raft-write-timeout")) {
            if (flags.duration(timeout).compareTo(Duration.ofSeconds(5)) < 0) {
                notes.add(Note.info(timeout + " increased to minimum value: 5s", Map.of()));
            }
        }
        if (flags.number("max-request-bytes") > REQUEST_BYTES_RECOMMENDED_MAX) {
            notes.add(Note.warning("exceeded recommended request limit",
                    Map.of("max-request-bytes", flags.number("max-request-bytes"), "recommended-request-bytes",
                            REQUEST_BYTES_RECOMMENDED_MAX)));
        }
        if (flags.number("snapshot-count") == 0) {
            notes.add(Note.info("updating snapshot-count to default",
                    Map.of("given-snapshot-count", 0, "updated-snapshot-count",
                            MemberLimits.DEFAULT.snapshotEntries())));
        }
        if (flags.gates().isOpen(Gate.LEASE_CHECKPOINT) && !flags.gates().isOpen(Gate.LEASE_CHECKPOINT_PERSIST)) {
            notes.add(Note.warning("Detected that checkpointing is enabled without persistence. Consider enabling"
                    + " feature gate LeaseCheckpointPersist", Map.of()));
        }
        return notes;
    }

    /** Where to listen; what two URLs ask of one address, it serves both. */
    private static List<NetConfig.Listen> listens(Flags flags, String flag, boolean hasCertificate) throws Refused {
        Map<SocketAddress, NetConfig.Listen> listens = new LinkedHashMap<>();
        for (String url : flags.urls(flag)) {
            boolean secure = Urls.isSecure(url);
            if (secure && !hasCertificate) {
                throw Refused.check(switch (flag) {
                    case "listen-peer-urls" -> "cannot listen on TLS for " + url.replaceFirst("^[a-z]+://", "")
                            + ": KeyFile and CertFile are not presented";
                    case "listen-metrics-urls" ->
                        "client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url";
                    default -> "TLS key/cert (--cert-file, --key-file) must be provided for client url " + url
                            + " with HTTPS scheme";
                });
            }
            SocketAddress address = Urls.listenAddress(flag, url);
            NetConfig.Listen listen = new NetConfig.Listen(address, !secure, secure,
                    flags.isTrue("socket-reuse-port"));
            listens.merge(address, listen, (one, other) -> new NetConfig.Listen(address, one.plain() || other.plain(),
                    one.tls() || other.tls(), one.reusesPort()));
        }
        if (flag.equals("listen-client-http-urls")) {
            for (String url : flags.urls(flag)) {
                if (flags.urls("listen-client-urls").contains(url)) {
                    throw Refused
                            .check("cannot bind both --listen-client-urls and --listen-client-http-urls on the same"
                                    + " url " + url);
                }
            }
        }
        return List.copyOf(listens.values());
    }

    /** The bounds that flags set; what grpc-go does with a time of 0 is its default. */
    private static NetLimits netLimits(Flags flags, ServerLimits limits) {
        NetLimits initial = NetLimits.defaults();
        long streams = flags.number("max-concurrent-streams");
        Duration interval = flags.duration("grpc-keepalive-interval");
        Duration timeout = flags.duration("grpc-keepalive-timeout");
        boolean isPinged = interval.isPositive() && timeout.isPositive();
        Duration minTime = flags.duration("grpc-keepalive-min-time");
        return initial.change().requestBytesMax(limits.messageBytesMax())
                .httpRequestsMax(ServerLimits.HTTP_REQUESTS_MAX)
                .unadmittedMax(ServerLimits.unadmittedMax(Runtime.getRuntime().maxMemory()))
                .streamsPerConnectionMax(streams == 0
                        ? initial.streamsPerConnectionMax()
                        : Math.min(streams, initial.streamsPerConnectionMax()))
                .pingMinMillis(minTime.isPositive() ? millis(minTime) : PING_MIN_MILLIS_OF_GRPC)
                .keepaliveIntervalMillis(isPinged
                        ? Math.max(PING_INTERVAL_MILLIS_MIN, millis(interval))
                        : initial.keepaliveIntervalMillis())
                .keepaliveTimeoutMillis(isPinged ? millis(timeout) : initial.keepaliveTimeoutMillis()).build();
    }

    /** Within what a count of nanoseconds has room for. */
    private static long millis(Duration duration) {
        return Math.clamp(duration.toMillis(), 1, MILLIS_MAX);
    }

    private static ClusterFlags clusterFlags(Flags flags) throws Refused {
        String state = flags.text("initial-cluster-state");
        if (!state.equals("new") && !state.equals("existing")) {
            throw Refused.check("unexpected clusterState \"" + state + "\"");
        }
        ClusterFlags.Source source = source(flags);
        String token = source instanceof ClusterFlags.Source.Discovery discovery
                ? discovery.token()
                : flags.text("initial-cluster-token");
        return new ClusterFlags(flags.text("name"), flags.urls("initial-advertise-peer-urls"), state.equals("new"),
                token, source, learnersMax(flags));
    }

    private static int learnersMax(Flags flags) {
        return Math.max(0, flags.count("max-learners"));
    }

    private static ClusterFlags.Source source(Flags flags) throws Refused {
        String initialCluster = initialCluster(flags);
        String domain = flags.text("discovery-srv");
        List<String> endpoints = flags.list("discovery-endpoints");
        long sources = Stream.of(!initialCluster.isEmpty(), !domain.isEmpty(), !endpoints.isEmpty())
                .filter(isSet -> isSet).count();
        if (sources > 1) {
            throw Refused.check("multiple discovery or bootstrap flags are set. Choose one of"
                    + " \"initial-cluster\", \"discovery-endpoints\" or \"discovery-srv\"");
        }
        String token = flags.text("discovery-token");
        if (token.isEmpty() != endpoints.isEmpty()) {
            throw Refused.check("both --discovery-token and --discovery-endpoints must be set");
        }
        if (!endpoints.isEmpty()) {
            return discovery(flags, endpoints, token);
        }
        return domain.isEmpty()
                ? new ClusterFlags.Source.Static(named(flags, initialCluster))
                : new ClusterFlags.Source.Srv(domain, flags.text("discovery-srv-name"));
    }

    private static ClusterFlags.Source discovery(Flags flags, List<String> endpoints, String token)
            throws Refused {
        if (endpoints.stream().anyMatch(String::isBlank)) {
            throw Refused.check("--discovery-endpoints must not contain empty endpoints");
        }
        if (endpoints.stream().anyMatch(endpoint -> endpoint.startsWith("https://"))) {
            throw Refused.check("a discovery service with TLS is not served yet");
        }
        List<String> urls = endpoints.stream()
                .map(endpoint -> endpoint.startsWith("http://") ? endpoint : "http://" + endpoint).toList();
        return new ClusterFlags.Source.Discovery(urls, token, flags.duration("discovery-request-timeout"));
    }

    /** Nothing if another setting says where to look; which counts is not quite the same for flags and for a file. */
    private static String initialCluster(Flags flags) {
        boolean isElsewhere = !flags.text("discovery-srv").isEmpty() || !flags.list("discovery-endpoints").isEmpty();
        if (flags.areFromFile()) {
            return isElsewhere && flags.text("initial-cluster").equals(INITIAL_CLUSTER_DEFAULT)
                    ? ""
                    : flags.text("initial-cluster");
        }
        return (isElsewhere || !flags.text("discovery-srv-name").isEmpty()) && !flags.isGiven("initial-cluster")
                ? ""
                : flags.text("initial-cluster");
    }

    /** A cluster that is as it is by itself is this member; under the default name etcd expects the default URL. */
    private static String named(Flags flags, String initialCluster) {
        String name = flags.text("name");
        return !name.equals("default") && initialCluster.equals(INITIAL_CLUSTER_DEFAULT)
                ? flags.urls("initial-advertise-peer-urls").stream().map(url -> name + "=" + url)
                        .collect(Collectors.joining(","))
                : initialCluster;
    }

    private static void checkTimes(Flags flags) throws Refused {
        for (String time : List.of("heartbeat-interval", "election-timeout")) {
            if (flags.number(time) == 0) {
                throw Refused.check("--" + time + " must be >0 (set to 0ms)");
            }
        }
        long heartbeatMillis = flags.number("heartbeat-interval");
        long electionMillis = flags.number("election-timeout");
        if (heartbeatMillis > electionMillis / 5) {
            throw Refused.check("--election-timeout[" + electionMillis
                    + "ms] should be at least as 5 times as --heartbeat-interval[" + heartbeatMillis + "ms]");
        }
        if (electionMillis > ELECTION_MILLIS_MAX) {
            throw Refused.check("--election-timeout[" + electionMillis
                    + "ms] is too long, and should be set less than " + ELECTION_MILLIS_MAX + "ms");
        }
    }

    private static MemberLimits memberLimits(Flags flags) {
        long heartbeatMillis = flags.number("heartbeat-interval");
        long electionMillis = flags.number("election-timeout");
        int snapshotEntries = flags.count("snapshot-count");
        long quota = flags.number("quota-backend-bytes");
        MemberLimits limits = MemberLimits.DEFAULT;
        return new MemberLimits(Duration.ofMillis(heartbeatMillis).toNanos(),
                (int) (electionMillis / heartbeatMillis), Duration.ofMillis(5_000 + 2 * electionMillis).toNanos(),
                limits.unappliedEntriesMax(), limits.inFlightBytesMax(), limits.ledgerFlushNanos(),
                snapshotEntries == 0 ? limits.snapshotEntries() : snapshotEntries, flags.count("max-wals"),
                learnersMax(flags), quota == 0 ? limits.quotaBytes() : quota, limits.wal(), limits.ledger(),
                limits.housekeeping(), limits.raft());
    }
}
