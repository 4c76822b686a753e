package dev.quoin.member;

import java.nio.file.Path;
import java.util.List;

/**
 * What a member is told at start. Of a directory that has been used before, its own ids and peers count, not these; the
 * name and the client URLs are said anew to the cluster.
 *
 * @param name for people, unique in the cluster; {@code --name}
 * @param dataDirectory created if it is not there
 * @param peerUrls as given by {@code --initial-advertise-peer-urls}
 * @param clientUrls as given by {@code --advertise-client-urls}
 * @param clusterToken as given by {@code --initial-cluster-token}; part of the ids
 * @param clusterVersion the version this member's cluster agrees on when it starts, {@code 3.7.0}
 * @param limits bounds and periods
 */
public record MemberConfig(String name, Path dataDirectory, List<String> peerUrls, List<String> clientUrls,
        String clusterToken, String clusterVersion, MemberLimits limits) {
    public MemberConfig {
        peerUrls = List.copyOf(peerUrls);
        clientUrls = List.copyOf(clientUrls);
    }
}
