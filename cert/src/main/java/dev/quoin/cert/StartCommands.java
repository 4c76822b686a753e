package dev.quoin.cert;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The commands that follow, for whoever has just had certificates made: they work as they are printed. Members of a new cluster
 * have etcd's ports; where several share a host each has its own, 12379 and 12380, 22379 and so on.
 */
final class StartCommands {
    private static final int CLIENT_PORT = 2379;
    private static final int PEER_PORT = 2380;
    private static final int PORTS_APART = 10_000;
    private static final int SHARING_MEMBERS_MAX = 5;

    private final CertDirectory directory;
    private final List<Order.Member> members;
    private final boolean areApart;

    /** @param members whose certificates were made */
    StartCommands(CertDirectory directory, List<Order.Member> members) {
        this.directory = directory;
        this.members = members;
        areApart = members.stream().map(member -> member.told().text()).distinct().count() < members.size()
                && members.size() <= SHARING_MEMBERS_MAX;
    }

    /** They found a cluster. */
    String founding() {
        return IntStream.range(0, members.size()).mapToObj(this::start).collect(Collectors.joining("\n"));
    }

    private String start(int i) {
        Order.Member member = members.get(i);
        String peer = url(i, member.told().inUrl(), PEER_PORT);
        return """
                quoin --name %s --data-dir %s.etcd \\
                  --listen-client-urls %s --advertise-client-urls %s \\
                  --listen-peer-urls %s --initial-advertise-peer-urls %s \\
                  --initial-cluster %s \\
                %s
                """.formatted(member.name(), member.name(), url(i, listens(member), CLIENT_PORT),
                url(i, member.told().inUrl(), CLIENT_PORT), url(i, listens(member), PEER_PORT), peer, cluster(),
                certificates(member));
    }

    /** A member that others know by a name listens at its address, if that is known here, or at all. */
    private static String listens(Order.Member member) {
        return member.hosts().stream().filter(Host::isAddress).findFirst().map(Host::inUrl).orElse("0.0.0.0");
    }

    private String cluster() {
        return IntStream.range(0, members.size()).mapToObj(
                i -> members.get(i).name() + "=" + url(i, members.get(i).told().inUrl(), PEER_PORT))
                .collect(Collectors.joining(","));
    }

    private String url(int i, String host, int port) {
        return "https://" + host + ":" + (areApart ? port + (i + 1) * PORTS_APART : port);
    }

    private String certificates(Order.Member member) {
        return """
                --cert-file %1$s/server.pem --key-file %1$s/server.key \\
                --trusted-ca-file %1$s/ca.pem --client-cert-auth \\
                --peer-cert-file %1$s/peer.pem --peer-key-file %1$s/peer.key \\
                --peer-trusted-ca-file %1$s/peer-ca.pem --peer-client-cert-auth""".formatted(
                directory.of(member.name())).indent(2).stripTrailing();
    }

    /** They join a cluster that is there: each is announced first, and told in its environment what that has printed. */
    String joining() {
        return IntStream.range(0, members.size()).mapToObj(i -> {
            Order.Member member = members.get(i);
            return """
                    etcdctl member add %1$s --peer-urls=%2$s
                    quoin --data-dir %1$s.etcd \\
                      --listen-client-urls %3$s --advertise-client-urls %4$s --listen-peer-urls %5$s \\
                    %6$s
                    """.formatted(member.name(), url(i, member.told().inUrl(), PEER_PORT),
                    url(i, listens(member), CLIENT_PORT), url(i, member.told().inUrl(), CLIENT_PORT),
                    url(i, listens(member), PEER_PORT), certificates(member));
        }).collect(Collectors.joining("\n"));
    }

    /** How a client asks them. */
    String asking(String client) {
        String endpoints = IntStream.range(0, members.size())
                .mapToObj(i -> url(i, members.get(i).told().inUrl(), CLIENT_PORT)).collect(Collectors.joining(","));
        return """
                etcdctl --endpoints %1$s \\
                  --cacert %2$s/ca.pem --cert %2$s/client.pem --key %2$s/client.key endpoint health
                """.formatted(endpoints.isEmpty() ? "https://HOST:" + CLIENT_PORT : endpoints, directory.of(client));
    }
}
