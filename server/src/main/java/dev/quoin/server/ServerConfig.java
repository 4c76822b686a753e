package dev.quoin.server;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import dev.quoin.member.MemberConfig;
import dev.quoin.member.MemberLimits;

/**
 * What the flags ask for, checked.
 *
 * @param streamsMax streams that a client may open at a time on one connection
 */
record ServerConfig(MemberConfig member, List<InetSocketAddress> clientListeners, ServerLimits limits,
        long streamsMax) {

    static ServerConfig of(Flags flags) throws Flags.Refused {
        String name = flags.text("name");
        List<String> peerUrls = Urls.parse("initial-advertise-peer-urls", flags.text("initial-advertise-peer-urls"));
        List<String> listenUrls = Urls.parse("listen-client-urls", flags.text("listen-client-urls"));
        if (flags.isGiven("listen-client-urls") && !flags.isGiven("advertise-client-urls")) {
            throw new Flags.Refused(1,
                    "--advertise-client-urls is required when --listen-client-urls is set explicitly");
        }
        List<String> clientUrls = Urls.parse("advertise-client-urls", flags.text("advertise-client-urls"));
        Urls.parse("listen-peer-urls", flags.text("listen-peer-urls"));
        checkCluster(flags, name, peerUrls);
        if (!flags.text("logger").equals("zap")) {
            throw new Flags.Refused(1, "unknown logger option \"" + flags.text("logger") + "\"");
        }
        String dataDirectory = flags.text("data-dir").isEmpty() ? name + ".etcd" : flags.text("data-dir");
        List<InetSocketAddress> listeners = new ArrayList<>();
        for (String url : listenUrls) {
            listeners.add(Urls.listenAddress("listen-client-urls", url));
        }
        ServerLimits limits = new ServerLimits((int) flags.number("max-request-bytes", 1, 1 << 30),
                (int) flags.number("max-txn-ops", 1, 1 << 20), ServerLimits.LISTS_MAX,
                ServerLimits.listKeysMax(Runtime.getRuntime().maxMemory()));
        MemberConfig member = MemberConfig.alone(name, Path.of(dataDirectory), peerUrls, clientUrls,
                flags.text("initial-cluster-token"), Version.ETCD, memberLimits(flags));
        return new ServerConfig(member, listeners, limits, flags.number("max-concurrent-streams", 1, 0xffffffffL));
    }

    private static void checkCluster(Flags flags, String name, List<String> peerUrls) throws Flags.Refused {
        String state = flags.text("initial-cluster-state");
        if (state.equals("existing")) {
            throw new Flags.Refused(1, "--initial-cluster-state=existing: joining a cluster is not served yet");
        }
        if (!state.equals("new")) {
            throw new Flags.Refused(1, "unexpected clusterState \"" + state + "\"");
        }
        if (!flags.isGiven("initial-cluster")) {
            return;
        }
        List<String> own = new ArrayList<>();
        for (String pair : flags.text("initial-cluster").split(",", -1)) {
            if (!pair.startsWith(name + "=")) {
                throw new Flags.Refused(1, pair.contains("=")
                        ? "--initial-cluster names " + pair + ": clusters of more than this member are not served yet"
                        : "--initial-cluster has \"" + pair + "\", expected NAME=URL");
            }
            own.add(pair.substring(name.length() + 1));
        }
        if (!own.stream().sorted().toList().equals(peerUrls)) {
            throw new Flags.Refused(1, "--initial-cluster has " + own
                    + " but missing from --initial-advertise-peer-urls=" + peerUrls);
        }
    }

    private static MemberLimits memberLimits(Flags flags) throws Flags.Refused {
        long heartbeatMillis = flags.number("heartbeat-interval", 1, 50_000);
        long electionMillis = flags.number("election-timeout", 1, 50_000);
        if (5 * heartbeatMillis > electionMillis) {
            throw new Flags.Refused(1, "--election-timeout[" + electionMillis
                    + "ms] should be at least as 5 times as --heartbeat-interval[" + heartbeatMillis + "ms]");
        }
        MemberLimits limits = MemberLimits.DEFAULT;
        return new MemberLimits(Duration.ofMillis(heartbeatMillis).toNanos(),
                (int) (electionMillis / heartbeatMillis), Duration.ofMillis(5_000 + 2 * electionMillis).toNanos(),
                limits.unappliedEntriesMax(), limits.inFlightBytesMax(), limits.ledgerFlushNanos(),
                (int) flags.number("snapshot-count", 1, Integer.MAX_VALUE),
                (int) flags.number("max-wals", 0, Integer.MAX_VALUE), limits.learnersMax(), quotaBytes(flags),
                limits.wal(), limits.ledger(), limits.housekeeping(), limits.raft());
    }

    private static long quotaBytes(Flags flags) throws Flags.Refused {
        long quota = flags.number("quota-backend-bytes", Long.MIN_VALUE, Long.MAX_VALUE);
        return quota == 0 ? MemberLimits.DEFAULT.quotaBytes() : quota;
    }
}
