package dev.quoin.server.bootstrap;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.GoQuote;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Origin;
import dev.quoin.member.founding.InitialCluster;
import dev.quoin.member.founding.PeerUrls;
import dev.quoin.member.founding.Resolver;
import dev.quoin.member.founding.UrlComparison;
import dev.quoin.server.dial.PeerHttp;

/**
 * Finds out how a member comes to be whose directory is empty, as etcd does (etcdserver/bootstrap.go, config/config.go):
 * checks what the flags say, and asks the others. Waits, for up to a minute or so if they do not answer.
 */
public final class Bootstrap {
    private static final Logger LOG = LoggerFactory.getLogger(Bootstrap.class);

    private final ClusterFlags flags;
    private final PeerHttp http;
    private final Resolver resolver;
    private final SrvRecords srvRecords;
    private final BootstrapLimits limits;
    private final String version;

    /**
     * For one start of a member.
     *
     * @param version of this server, {@code 3.7.1}
     */
    public Bootstrap(ClusterFlags flags, PeerHttp http, BootstrapLimits limits, String version) {
        this(flags, http, Resolver.SYSTEM, SrvRecords.ofSystem(), limits, version);
    }

    Bootstrap(ClusterFlags flags, PeerHttp http, Resolver resolver, SrvRecords srvRecords, BootstrapLimits limits,
            String version) {
        this.flags = flags;
        this.http = http;
        this.resolver = resolver;
        this.srvRecords = srvRecords;
        this.limits = limits;
        this.version = version;
    }

    /** Waits for whoever has to be asked. */
    public Origin origin() throws BootstrapRefused, InterruptedException {
        InitialCluster cluster = initialCluster();
        if (cluster.urlsOf(flags.name()).isEmpty()) {
            throw new BootstrapRefused("couldn't find local name " + GoQuote.of(flags.name())
                    + " in the initial cluster configuration");
        }
        return flags.isNew() ? founder(cluster) : joiner(cluster);
    }

    private InitialCluster initialCluster() throws BootstrapRefused {
        try {
            return switch (flags.source()) {
                case ClusterFlags.Source.Static(String text) -> InitialCluster.parse(text);
                case ClusterFlags.Source.Srv srv ->
                    new SrvCluster(flags.name(), flags.peerUrls(), srvRecords, resolver).find(srv);
                // What is known before anybody is asked.
                case ClusterFlags.Source.Discovery any -> InitialCluster.of(flags.name(), flags.peerUrls());
            };
        } catch (PeerUrls.Bad bad) {
            throw new BootstrapRefused("error setting up initial cluster: " + bad.getMessage());
        }
    }

    private static void refuseDuplicateUrl(InitialCluster cluster) throws BootstrapRefused {
        if (cluster.hasDuplicateUrl()) {
            throw new BootstrapRefused("initial cluster " + cluster + " has duplicate url");
        }
    }

    // ---- a cluster that begins

    private Origin founder(InitialCluster cluster) throws BootstrapRefused, InterruptedException {
        refuseOtherUrls(cluster);
        refuseDuplicateUrl(cluster);
        Origin.Founder founder = Origin.Founder.of(flags.name(), cluster.members(flags.token()));
        refuseSecondLife(founder, cluster);
        return flags.source() instanceof ClusterFlags.Source.Discovery source ? discovered(founder, source) : founder;
    }

    /** The member is known, the others are not. */
    private Origin discovered(Origin.Founder alone, ClusterFlags.Source.Discovery source)
            throws BootstrapRefused, InterruptedException {
        String text = new Discovery(http, source, Discovery.Pace.ETCD).join(alone.memberId(),
                InitialCluster.of(flags.name(), flags.peerUrls()).toString());
        InitialCluster cluster;
        try {
            cluster = InitialCluster.parse(text);
        } catch (PeerUrls.Bad bad) {
            throw new BootstrapRefused(String.valueOf(bad.getMessage()));
        }
        if (cluster.hasDuplicateUrl()) {
            throw new BootstrapRefused("discovery cluster " + cluster + " has duplicate url");
        }
        return Origin.Founder.of(flags.name(), cluster.members(flags.token()));
    }

    /** What the others are told must be what they were told to expect. */
    private void refuseOtherUrls(InitialCluster cluster) throws BootstrapRefused, InterruptedException {
        String mismatch = cluster.mismatch(flags.name(), flags.peerUrls(), comparison());
        if (mismatch != null) {
            throw new BootstrapRefused(mismatch);
        }
    }

    private UrlComparison comparison() {
        return new UrlComparison(resolver, limits.resolving(), limits.retrying(),
                (url, host, pause, why) -> LOG.atWarn().addKeyValue("url", url).addKeyValue("host", host)
                        .addKeyValue("retry-interval", pause.toMillis() + "ms").addKeyValue("error", why)
                        .log("failed to resolve URL Host"));
    }

    /**
     * A member that lost its directory must not vote a second time. If the others know it and it has run, it says so; if
     * nobody answers, the cluster begins.
     */
    private void refuseSecondLife(Origin.Founder founder, InitialCluster cluster)
            throws BootstrapRefused, InterruptedException {
        Optional<MemberInfo> known;
        try {
            known = RemoteCluster.ask(http, cluster.urlsOfOthers(flags.name()), limits.founding())
                    .member(founder.memberId());
        } catch (BootstrapRefused nobody) {
            return;
        }
        if (known.isPresent() && !known.get().clientUrls().isEmpty()) {
            throw new BootstrapRefused(
                    "member " + Long.toHexString(founder.memberId()) + " has already been bootstrapped");
        }
    }

    // ---- a cluster that runs

    private Origin joiner(InitialCluster cluster) throws BootstrapRefused, InterruptedException {
        refuseDuplicateUrl(cluster);
        if (flags.source() instanceof ClusterFlags.Source.Discovery) {
            throw new BootstrapRefused("discovery URL should not be set when joining existing initial cluster");
        }
        RemoteCluster remote = remote(cluster);
        List<MemberInfo> assigned;
        try {
            assigned = assigned(cluster, remote);
        } catch (BootstrapRefused mismatch) {
            throw new BootstrapRefused("error validating peerURLs " + remote + ": " + mismatch.getMessage());
        }
        MemberInfo self = assigned.stream().filter(this::isSelf).findFirst()
                .orElseThrow(() -> new BootstrapRefused(
                        "no member of the cluster has the PeerURLs of " + GoQuote.of(flags.name())));
        List<MemberInfo> others = assigned.stream().filter(member -> !isSelf(member)).toList();
        if (!new Compatibility(http, limits.request(), version).with(others)) {
            throw new BootstrapRefused("incompatible with current running cluster");
        }
        if (remote.members().stream().filter(MemberInfo::isLearner).count() > flags.learnersMax()) {
            throw new BootstrapRefused("membership: too many learner members in cluster");
        }
        return new Origin.Joiner(self.id(), remote.clusterId(), remote.members());
    }

    private RemoteCluster remote(InitialCluster cluster) throws BootstrapRefused, InterruptedException {
        try {
            return RemoteCluster.ask(http, cluster.urlsOfOthers(flags.name()), limits.joining());
        } catch (BootstrapRefused nobody) {
            throw new BootstrapRefused("cannot fetch cluster info from peer urls: " + nobody.getMessage());
        }
    }

    private boolean isSelf(MemberInfo member) {
        return member.name().equals(flags.name());
    }

    /** The members that the flags name, with the ids that the cluster gave them: told from each other by their URLs. */
    private List<MemberInfo> assigned(InitialCluster cluster, RemoteCluster remote)
            throws BootstrapRefused, InterruptedException {
        if (cluster.urls().size() != remote.members().size()) {
            throw new BootstrapRefused("member count is unequal");
        }
        UrlComparison comparison = comparison();
        List<MemberInfo> assigned = new ArrayList<>();
        for (MemberInfo member : remote.members()) {
            String name = matching(member, cluster, comparison);
            assigned.add(new MemberInfo(member.id(), name, cluster.urlsOf(name), List.of(), member.isLearner()));
        }
        return assigned;
    }

    /** The name that the flags have for a member of the cluster. */
    private static String matching(MemberInfo member, InitialCluster cluster, UrlComparison comparison)
            throws BootstrapRefused, InterruptedException {
        String difference = null;
        for (String name : cluster.urls().keySet()) {
            difference = comparison.difference(member.peerUrls(), cluster.urlsOf(name));
            if (difference == null) {
                return name;
            }
        }
        throw new BootstrapRefused("PeerURLs: no match found for existing member ("
                + Long.toHexString(member.id()) + ", " + RemoteCluster.print(member.peerUrls())
                + "), last resolver error (" + difference + ")");
    }
}
