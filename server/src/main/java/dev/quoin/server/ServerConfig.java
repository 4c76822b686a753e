package dev.quoin.server;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import dev.quoin.member.MemberConfig;
import dev.quoin.member.MemberLimits;
import dev.quoin.server.bootstrap.ClusterFlags;

/**
 * What the flags ask for, checked.
 *
 * @param member its origin is still to be found out, if its directory is empty
 * @param cluster from which it is found out
 * @param peerListeners where other members are heard
 * @param streamsMax streams that a client may open at a time on one connection
 * @param watchProgress how often watchers that asked for it are told how far they are
 * @param advanceElection whether the wait before the first election is shortened
 */
record ServerConfig(MemberConfig member, ClusterFlags cluster, List<InetSocketAddress> clientListeners,
        List<InetSocketAddress> peerListeners, ServerLimits limits, long streamsMax, Duration watchProgress,
        boolean advanceElection) {
    private static final long ELECTION_MILLIS_MAX = 50_000;

    /** The checks, in the order in which etcd makes them (embed/config.go Validate). */
    static ServerConfig of(Flags flags) throws Flags.Refused {
        List<String> listenPeerUrls = flags.urls("listen-peer-urls");
        Urls.checkBind(listenPeerUrls);
        List<String> listenUrls = flags.urls("listen-client-urls");
        Urls.checkBind(listenUrls);
        Urls.checkHost(flags.urls("initial-advertise-peer-urls"), "initial-advertise-peer-urls", "\"host:port\"");
        List<String> clientUrls = flags.urls("advertise-client-urls");
        Urls.checkHost(clientUrls, "advertise-client-urls", "in the format \"host:port\","
                + " \"unix:/path/to/socket\" or \"unixs:/path/to/socket\"");
        MemberLimits memberLimits = memberLimits(flags);
        ClusterFlags cluster = clusterFlags(flags, memberLimits);
        if (flags.isGiven("listen-client-urls") && !flags.isGiven("advertise-client-urls")) {
            throw new Flags.Refused(1,
                    "--advertise-client-urls is required when --listen-client-urls is set explicitly");
        }
        if (!flags.text("logger").equals("zap")) {
            throw new Flags.Refused(1, "unknown logger option \"" + flags.text("logger") + "\"");
        }
        String name = flags.text("name");
        Path dataDirectory = Path.of(flags.text("data-dir").isEmpty() ? name + ".etcd" : flags.text("data-dir"));
        ServerLimits limits = new ServerLimits((int) flags.number("max-request-bytes", 1, 1 << 30),
                (int) flags.number("max-txn-ops", 1, 1 << 20), ServerLimits.LISTS_MAX,
                ServerLimits.listKeysMax(Runtime.getRuntime().maxMemory()));
        MemberConfig member = new MemberConfig(name, dataDirectory, clientUrls, Version.ETCD, null,
                flags.isTrue("strict-reconfig-check"), flags.isTrue("force-new-cluster"), memberLimits);
        return new ServerConfig(member, cluster, addresses("listen-client-urls", listenUrls),
                addresses("listen-peer-urls", listenPeerUrls), limits,
                flags.number("max-concurrent-streams", 1, 0xffffffffL), watchProgress(flags),
                flags.isTrue("initial-election-tick-advance"));
    }

    private static Duration watchProgress(Flags flags) throws Flags.Refused {
        String name = flags.isGiven("watch-progress-notify-interval")
                ? "watch-progress-notify-interval"
                : "experimental-watch-progress-notify-interval";
        return WatchProgress.interval(flags.duration(name));
    }

    private static List<InetSocketAddress> addresses(String flag, List<String> urls) throws Flags.Refused {
        List<InetSocketAddress> addresses = new ArrayList<>();
        for (String url : urls) {
            addresses.add(Urls.listenAddress(flag, url));
        }
        return addresses;
    }

    private static ClusterFlags clusterFlags(Flags flags, MemberLimits limits) throws Flags.Refused {
        ClusterFlags.Source source = source(flags);
        String token = source instanceof ClusterFlags.Source.Discovery discovery
                ? discovery.token()
                : flags.text("initial-cluster-token");
        return new ClusterFlags(flags.text("name"), flags.urls("initial-advertise-peer-urls"),
                flags.text("initial-cluster-state").equals("new"), token, source, limits.learnersMax());
    }

    private static ClusterFlags.Source source(Flags flags) throws Flags.Refused {
        if (flags.text("discovery-fallback").equals("proxy")) {
            throw new Flags.Refused(1,
                    "v2 proxy is deprecated, and --discovery-fallback can't be configured as \"proxy\"");
        }
        String initialCluster = initialCluster(flags);
        String domain = flags.text("discovery-srv");
        List<String> endpoints = endpoints(flags);
        long sources = Stream.of(!initialCluster.isEmpty(), !domain.isEmpty(), !endpoints.isEmpty())
                .filter(isSet -> isSet).count();
        if (sources > 1) {
            throw new Flags.Refused(1, "multiple discovery or bootstrap flags are set. Choose one of"
                    + " \"initial-cluster\", \"discovery-endpoints\" or \"discovery-srv\"");
        }
        String token = flags.text("discovery-token");
        if (token.isEmpty() != endpoints.isEmpty()) {
            throw new Flags.Refused(1, "both --discovery-token and --discovery-endpoints must be set");
        }
        if (!endpoints.isEmpty()) {
            return discovery(flags, endpoints, token);
        }
        return domain.isEmpty()
                ? new ClusterFlags.Source.Static(initialCluster)
                : new ClusterFlags.Source.Srv(domain, flags.text("discovery-srv-name"));
    }

    /** Each once and in order; a flag with nothing in it has one endpoint, which is empty, as in etcd. */
    private static List<String> endpoints(Flags flags) {
        return flags.isGiven("discovery-endpoints")
                ? Stream.of(flags.text("discovery-endpoints").split(",", -1)).distinct().sorted().toList()
                : List.of();
    }

    private static ClusterFlags.Source discovery(Flags flags, List<String> endpoints, String token)
            throws Flags.Refused {
        if (endpoints.stream().anyMatch(String::isBlank)) {
            throw new Flags.Refused(1, "--discovery-endpoints must not contain empty endpoints");
        }
        for (String unserved : List.of("discovery-cert", "discovery-key", "discovery-cacert", "discovery-user",
                "discovery-password")) {
            if (!flags.text(unserved).isEmpty()) {
                throw new Flags.Refused(1, "--" + unserved + " is not served yet");
            }
        }
        if (!flags.isTrue("discovery-insecure-transport")
                || endpoints.stream().anyMatch(endpoint -> endpoint.startsWith("https://"))) {
            throw new Flags.Refused(1, "a discovery service with TLS is not served yet");
        }
        List<String> urls = endpoints.stream()
                .map(endpoint -> endpoint.startsWith("http://") ? endpoint : "http://" + endpoint).toList();
        return new ClusterFlags.Source.Discovery(urls, token, flags.duration("discovery-request-timeout"));
    }

    /** Without the flag the cluster is this member, unless another flag says where to look. */
    private static String initialCluster(Flags flags) {
        if (flags.isGiven("initial-cluster")) {
            return flags.text("initial-cluster");
        }
        if (!flags.text("discovery-srv").isEmpty() || !flags.text("discovery-srv-name").isEmpty()
                || flags.isGiven("discovery-endpoints")) {
            return "";
        }
        String name = flags.text("name");
        // Under the default name etcd expects the default URL, whatever is advertised.
        return flags.isGiven("name") && !name.equals("default")
                ? String.join(",", flags.urls("initial-advertise-peer-urls").stream().map(url -> name + "=" + url)
                        .toList())
                : flags.text("initial-cluster");
    }

    private static MemberLimits memberLimits(Flags flags) throws Flags.Refused {
        long heartbeatMillis = flags.number("heartbeat-interval", 1, Integer.MAX_VALUE);
        long electionMillis = flags.number("election-timeout", 1, Integer.MAX_VALUE);
        if (5 * heartbeatMillis > electionMillis) {
            throw new Flags.Refused(1, "--election-timeout[" + electionMillis
                    + "ms] should be at least as 5 times as --heartbeat-interval[" + heartbeatMillis + "ms]");
        }
        if (electionMillis > ELECTION_MILLIS_MAX) {
            throw new Flags.Refused(1, "--election-timeout[" + electionMillis
                    + "ms] is too long, and should be set less than " + ELECTION_MILLIS_MAX + "ms");
        }
        MemberLimits limits = MemberLimits.DEFAULT;
        return new MemberLimits(Duration.ofMillis(heartbeatMillis).toNanos(),
                (int) (electionMillis / heartbeatMillis), Duration.ofMillis(5_000 + 2 * electionMillis).toNanos(),
                limits.unappliedEntriesMax(), limits.inFlightBytesMax(), limits.ledgerFlushNanos(),
                (int) flags.number("snapshot-count", 1, Integer.MAX_VALUE),
                (int) flags.number("max-wals", 0, Integer.MAX_VALUE),
                (int) flags.number("max-learners", 0, Integer.MAX_VALUE), quotaBytes(flags),
                limits.wal(), limits.ledger(), limits.housekeeping(), limits.raft());
    }

    private static long quotaBytes(Flags flags) throws Flags.Refused {
        long quota = flags.number("quota-backend-bytes", Long.MIN_VALUE, Long.MAX_VALUE);
        return quota == 0 ? MemberLimits.DEFAULT.quotaBytes() : quota;
    }
}
