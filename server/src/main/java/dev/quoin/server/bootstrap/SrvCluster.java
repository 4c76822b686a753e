package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.GoQuote;
import dev.quoin.member.founding.InitialCluster;
import dev.quoin.member.founding.PeerUrls;
import dev.quoin.member.founding.Resolver;

/**
 * The members that a domain's SRV records name (embed/config.go GetDNSClusterNames, client/pkg/srv): those under
 * {@code _etcd-server-ssl._tcp} with https, those under {@code _etcd-server._tcp} with http, both together. Names of
 * members are not in DNS: a record that leads to this member's own address gets its name, the others get numbers.
 */
final class SrvCluster {
    private static final Logger LOG = LoggerFactory.getLogger(SrvCluster.class);

    private final String name;
    private final List<String> peerUrls;
    private final SrvRecords records;
    private final Resolver resolver;

    /**
     * Where the members of a domain are looked for.
     *
     * @param name of this member
     * @param peerUrls of this member, by which it is recognized
     */
    SrvCluster(String name, List<String> peerUrls, SrvRecords records, Resolver resolver) {
        this.name = name;
        this.peerUrls = peerUrls;
        this.records = records;
        this.resolver = resolver;
    }

    /** In the form of {@code --initial-cluster}. */
    InitialCluster find(ClusterFlags.Source.Srv source) throws BootstrapRefused, PeerUrls.Bad {
        String suffix = source.serviceName().isEmpty() ? "" : "-" + source.serviceName();
        List<String> pairs = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        find("https", "etcd-server-ssl" + suffix, source.domain(), pairs, failures);
        find("http", "etcd-server" + suffix, source.domain(), pairs, failures);
        if (pairs.isEmpty() && !failures.isEmpty()) {
            throw new BootstrapRefused("error setting up initial cluster: " + String.join("\n", failures));
        }
        InitialCluster cluster = InitialCluster.parse(String.join(",", pairs));
        if (!pairs.isEmpty() && cluster.urlsOf(name).isEmpty()) {
            throw new BootstrapRefused("error setting up initial cluster: cannot find local etcd member "
                    + GoQuote.of(name) + " in SRV records");
        }
        return cluster;
    }

    private void find(String scheme, String service, String domain, List<String> pairs, List<String> failures) {
        List<String> found = List.of();
        String failure = "";
        try {
            found = find(scheme, service, domain);
        } catch (IOException failed) {
            failure = "error querying DNS SRV records for _" + service + " " + failed.getMessage();
            failures.add(failure);
        }
        pairs.addAll(found);
        LOG.atInfo().addKeyValue("service-scheme", scheme).addKeyValue("service-name", service)
                .addKeyValue("server-name", name).addKeyValue("discovery-srv", domain)
                .addKeyValue("advertise-peer-urls", peerUrls).addKeyValue("found-cluster", found)
                .addKeyValue("error", failure).log("get cluster for " + service + " SRV");
    }

    /** What cannot be reached is left out, unless nothing is left. */
    private List<String> find(String scheme, String service, String domain) throws IOException {
        Map<String, String> own = ownAddresses();
        List<String> pairs = new ArrayList<>();
        IOException failure = null;
        int numbered = 0;
        for (SrvRecords.Srv srv : records.lookup("_" + service + "._tcp." + domain)) {
            String url;
            try {
                url = own.get(address(srv.target(), Integer.toString(srv.port())));
            } catch (UnknownHostException unknown) {
                failure = new IOException("lookup " + srv.target() + ": no such host", unknown);
                continue;
            }
            String member = url == null ? Integer.toString(numbered++) : name;
            String found = scheme + "://" + srv.target() + ":" + srv.port();
            if (url != null && !PeerUrls.scheme(url).equals(scheme)) {
                failure = new IOException("bootstrap at " + found + " from DNS for " + service
                        + " has scheme mismatch with expected peer " + url);
            } else {
                pairs.add(member + "=" + found);
            }
        }
        if (pairs.isEmpty() && failure != null) {
            throw failure;
        }
        return pairs;
    }

    private Map<String, String> ownAddresses() throws IOException {
        Map<String, String> own = new HashMap<>();
        for (String url : peerUrls) {
            try {
                own.put(address(PeerUrls.host(url), PeerUrls.port(url)), url);
            } catch (UnknownHostException unknown) {
                throw new IOException("lookup " + PeerUrls.host(url) + ": no such host", unknown);
            }
        }
        return own;
    }

    private String address(String host, String port) throws UnknownHostException {
        return resolver.address(host).getHostAddress() + " " + port;
    }
}
