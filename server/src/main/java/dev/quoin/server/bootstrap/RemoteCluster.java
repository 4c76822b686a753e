package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.member.MemberInfo;
import dev.quoin.net.HttpFields;
import dev.quoin.server.dial.Exchange;
import dev.quoin.server.dial.PeerHttp;

/** A cluster as one of its members describes it, at the path {@code /members} of its peer port. Sorted by id. */
record RemoteCluster(long clusterId, List<MemberInfo> members) {
    private static final Logger LOG = LoggerFactory.getLogger(RemoteCluster.class);
    private static final String CLUSTER_ID = "x-etcd-cluster-id";

    RemoteCluster {
        members = members.stream().sorted(Comparator.comparing(MemberInfo::id, Long::compareUnsigned)).toList();
    }

    /** What the first of these members says that says anything. */
    static RemoteCluster ask(PeerHttp http, List<String> urls, Duration within)
            throws BootstrapRefused, InterruptedException {
        for (String url : urls) {
            String address = url + "/members";
            try {
                Exchange.Reply answer = http.get(address, within);
                List<MemberInfo> members = MemberInfo.listOf(answer.text());
                long clusterId = clusterId(answer.headers());
                if (members.isEmpty()) {
                    throw new BootstrapRefused("failed to get raft cluster member(s) from the given URLs");
                }
                return new RemoteCluster(clusterId, members);
            } catch (IOException | NumberFormatException e) {
                LOG.atWarn().addKeyValue("address", address).addKeyValue("error", e.getMessage())
                        .log("failed to get cluster response");
            }
        }
        throw new BootstrapRefused("could not retrieve cluster information from the given URLs");
    }

    Optional<MemberInfo> member(long id) {
        return members.stream().filter(member -> member.id() == id).findFirst();
    }

    private static long clusterId(HttpFields headers) {
        String text = headers.first(CLUSTER_ID);
        return Long.parseUnsignedLong(text == null ? "" : text, 16);
    }

    /** As Go prints etcd's own structure, for an error that carries it. */
    @Override
    public String toString() {
        return "{ClusterID:" + Long.toHexString(clusterId) + " Members:["
                + String.join(" ", members.stream().map(RemoteCluster::print).toList()) + "] RemovedMemberIDs:[]}";
    }

    private static String print(MemberInfo member) {
        return "&{ID:" + Long.toHexString(member.id()) + " RaftAttributes:{PeerURLs:" + print(member.peerUrls())
                + " IsLearner:" + member.isLearner() + "} Attributes:{Name:" + member.name() + " ClientURLs:"
                + print(member.clientUrls()) + "}}";
    }

    static String print(List<String> urls) {
        return "[" + String.join(" ", urls) + "]";
    }
}
