package dev.quoin.member;

import java.nio.file.Path;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What a member is told at start.
 *
 * @param name for people, unique in the cluster; {@code --name}
 * @param dataDirectory created if it is not there
 * @param logDirectory of the write-ahead log, {@code --wal-dir}; null for its place in the data directory
 * @param clientUrls as given by {@code --advertise-client-urls}; they and the name are said anew to the cluster
 * @param version of the server, {@code 3.7.1}: what the leader goes by that decides on the cluster's version
 * @param origin how it comes to be if the directory is empty; null if the directory is known to be in use
 * @param strictReconfig whether changes of members are refused that endanger the quorum
 * @param preVote whether it asks before it stands for election; all members of a cluster should do the same
 * @param forceNewCluster whether the directory's member goes on as the only one of its cluster
 * @param limits bounds and periods
 */
public record MemberConfig(String name, Path dataDirectory, @Nullable Path logDirectory, List<String> clientUrls,
        String version, @Nullable Origin origin, boolean strictReconfig, boolean preVote, boolean forceNewCluster,
        MemberLimits limits) {
    public MemberConfig {
        clientUrls = List.copyOf(clientUrls);
    }

    /** A cluster of this one member. */
    public static MemberConfig alone(String name, Path dataDirectory, List<String> peerUrls, List<String> clientUrls,
            String clusterToken, String version, MemberLimits limits) {
        MemberInfo self = new MemberInfo(Ids.member(peerUrls, clusterToken), name, peerUrls, List.of(), false);
        return new MemberConfig(name, dataDirectory, null, clientUrls, version,
                Origin.Founder.of(name, List.of(self)), true, true, false, limits);
    }

    public MemberConfig withOrigin(@Nullable Origin known) {
        return new MemberConfig(name, dataDirectory, logDirectory, clientUrls, version, known, strictReconfig, preVote,
                forceNewCluster, limits);
    }

    /** The cluster's version as such a server wants it, {@code 3.7.0}. */
    String minorVersion() {
        return version.substring(0, version.lastIndexOf('.')) + ".0";
    }
}
