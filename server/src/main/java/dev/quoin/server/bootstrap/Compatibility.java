package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.io.StringReader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

import com.google.gson.stream.JsonReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.member.MemberInfo;
import dev.quoin.member.SemVersion;
import dev.quoin.server.dial.PeerHttp;

/**
 * Whether a member of this version may join a cluster (etcdserver/cluster_util.go isCompatibleWithCluster): nobody says a
 * cluster version out of the range, and somebody says one. Members that do not answer may be down.
 */
final class Compatibility {
    private static final Logger LOG = LoggerFactory.getLogger(Compatibility.class);
    private static final SemVersion OLDEST = new SemVersion(3, 0, 0);

    private final PeerHttp http;
    private final Duration within;
    private final SemVersion own;

    /** What the cluster's version must lie in, both included. */
    private record Range(SemVersion min, SemVersion max) {}

    /**
     * @param own this server's version
     */
    Compatibility(PeerHttp http, Duration within, String own) {
        this.http = http;
        this.within = within;
        this.own = SemVersion.of(own);
    }

    boolean with(List<MemberInfo> others) throws InterruptedException {
        boolean known = false;
        Range range = null;
        for (MemberInfo other : others) {
            Optional<SemVersion> version = clusterVersion(other);
            if (version.isEmpty()) {
                continue;
            }
            if (range == null) {
                range = range(others);
            }
            if (!isWithin(version.get(), range, other)) {
                return false;
            }
            known = true;
        }
        return known;
    }

    private Range range(List<MemberInfo> others) throws InterruptedException {
        if (!isDowngrading(others)) {
            return new Range(OLDEST, new SemVersion(own.major(), own.minor(), 0));
        }
        SemVersion next = new SemVersion(own.major(), own.minor() + 1, 0);
        return new Range(next, next);
    }

    private static boolean isWithin(SemVersion version, Range range, MemberInfo other) {
        if (version.compareTo(range.min()) < 0) {
            LOG.atWarn().addKeyValue("remote-member-id", Long.toHexString(other.id()))
                    .addKeyValue("remote-member-cluster-version", version)
                    .addKeyValue("minimum-cluster-version-supported", range.min())
                    .log("cluster version of remote member is not compatible; too low");
            return false;
        }
        if (version.compareTo(range.max()) > 0) {
            LOG.atWarn().addKeyValue("remote-member-id", Long.toHexString(other.id()))
                    .addKeyValue("remote-member-cluster-version", version)
                    .addKeyValue("maximum-cluster-version-supported", range.max())
                    .log("cluster version of remote member is not compatible; too high");
            return false;
        }
        return true;
    }

    /** The cluster's version as this member says it, if it answers and knows one. */
    private Optional<SemVersion> clusterVersion(MemberInfo other) throws InterruptedException {
        for (String url : other.peerUrls()) {
            String address = url + "/version";
            try {
                String said = parseClusterVersion(http.get(address, within).text());
                Optional<SemVersion> version = Optional.ofNullable(SemVersion.parse(said));
                if (version.isEmpty()) {
                    LOG.atWarn().addKeyValue("remote-member-id", Long.toHexString(other.id()))
                            .addKeyValue("remote-member-cluster-version", said)
                            .log("failed to parse cluster version of remote member");
                }
                return version;
            } catch (IOException | IllegalStateException e) {
                unreachable(address, other, e);
            }
        }
        return Optional.empty();
    }

    private static String parseClusterVersion(String text) throws IOException {
        String version = "";
        try (JsonReader json = new JsonReader(new StringReader(text))) {
            json.beginObject();
            while (json.hasNext()) {
                if (json.nextName().equals("etcdcluster")) {
                    version = json.nextString();
                } else {
                    json.skipValue();
                }
            }
            json.endObject();
        }
        return version;
    }

    /** The first that answers decides: the answer is linearizable. */
    private boolean isDowngrading(List<MemberInfo> others) throws InterruptedException {
        for (MemberInfo other : others) {
            for (String url : other.peerUrls()) {
                String address = url + "/downgrade/enabled";
                try {
                    return truth(http.get(address, within).text());
                } catch (IOException e) {
                    unreachable(address, other, e);
                }
            }
        }
        return false;
    }

    private static boolean truth(String text) throws IOException {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IOException("neither true nor false");
        };
    }

    private static void unreachable(String address, MemberInfo other, Exception why) {
        LOG.atWarn().addKeyValue("address", address).addKeyValue("remote-member-id", Long.toHexString(other.id()))
                .addKeyValue("error", why.getMessage()).log("failed to reach the peer URL");
    }
}
