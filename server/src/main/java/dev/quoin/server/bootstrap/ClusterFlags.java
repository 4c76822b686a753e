package dev.quoin.server.bootstrap;

import java.time.Duration;
import java.util.List;

import dev.quoin.member.MemberInfo;
import dev.quoin.member.founding.InitialCluster;

/**
 * What the flags say about the cluster that a member with an empty directory is to belong to.
 *
 * @param name the member's own
 * @param peerUrls where the others reach it, {@code --initial-advertise-peer-urls}
 * @param isNew whether the cluster begins, or runs already, {@code --initial-cluster-state}
 * @param token {@code --initial-cluster-token}, part of all ids
 * @param source where it is written who belongs to the cluster
 * @param learnersMax how many learners it may have
 */
public record ClusterFlags(String name, List<String> peerUrls, boolean isNew, String token, Source source,
        int learnersMax) {
    /** Where it is written who belongs to the cluster. */
    public sealed interface Source {
        /** In the flag {@code --initial-cluster} itself, as it was given. */
        record Static(String initialCluster) implements Source {}

        /** In the SRV records of a domain, {@code --discovery-srv}; a service name makes the records' names longer. */
        record Srv(String domain, String serviceName) implements Source {}

        /**
         * At another etcd cluster, {@code --discovery-endpoints}; the token is that of the cluster to be, too.
         *
         * @param endpoints {@code http://HOST:PORT}
         */
        record Discovery(List<String> endpoints, String token, Duration requestTimeout) implements Source {
            public Discovery {
                endpoints = List.copyOf(endpoints);
            }
        }
    }

    public ClusterFlags {
        peerUrls = List.copyOf(peerUrls);
    }

    /** All that the flags of a lone member say: the cluster is this one. */
    public static ClusterFlags alone(MemberInfo self, String token) {
        return new ClusterFlags(self.name(), self.peerUrls(), true, token,
                new Source.Static(InitialCluster.of(self.name(), self.peerUrls()).toString()), 1);
    }
}
