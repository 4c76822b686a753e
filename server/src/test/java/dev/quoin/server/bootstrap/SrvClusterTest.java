package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.member.founding.InitialCluster;
import dev.quoin.member.founding.PeerUrls;
import dev.quoin.server.bootstrap.SrvRecords.Srv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The members that DNS names, asked of a name server over a socket. */
class SrvClusterTest {
    private TinyDns dns;

    @BeforeEach
    void open() throws IOException {
        dns = new TinyDns();
    }

    @AfterEach
    void close() {
        dns.close();
    }

    private static InetAddress resolve(String host) throws UnknownHostException {
        return switch (host) {
            case "one.example.com" -> InetAddress.getByName("10.0.0.1");
            case "two.example.com" -> InetAddress.getByName("10.0.0.2");
            case "three.example.com" -> InetAddress.getByName("10.0.0.3");
            case "10.0.0.1" -> InetAddress.getByName("10.0.0.1");
            default -> throw new UnknownHostException(host);
        };
    }

    private InitialCluster find(String serviceName, String... peerUrls) throws BootstrapRefused, PeerUrls.Bad {
        return new SrvCluster("me", List.of(peerUrls), SrvRecords.at("127.0.0.1", dns.port()), SrvClusterTest::resolve)
                .find(new ClusterFlags.Source.Srv("example.com", serviceName));
    }

    @Test
    void theRecordThatLeadsHereGetsTheNameAndTheOthersNumbers() throws Exception {
        dns.with("_etcd-server._tcp.example.com", new Srv(1, 0, 2380, "three.example.com"),
                new Srv(0, 0, 2380, "one.example.com"), new Srv(0, 9, 2380, "two.example.com"));
        assertThat(find("", "http://10.0.0.1:2380")).hasToString(
                "0=http://two.example.com:2380,1=http://three.example.com:2380,me=http://one.example.com:2380");
    }

    @Test
    void bothServicesCountWithTheirSuffix() throws Exception {
        dns.with("_etcd-server-ssl-blue._tcp.example.com", new Srv(0, 0, 2380, "one.example.com"))
                .with("_etcd-server-blue._tcp.example.com", new Srv(0, 0, 2390, "two.example.com"));
        assertThat(find("blue", "https://one.example.com:2380"))
                .hasToString("0=http://two.example.com:2390,me=https://one.example.com:2380");
    }

    @Test
    void withoutRecordsThereIsNoCluster() {
        assertThatThrownBy(() -> find("", "http://10.0.0.1:2380")).isInstanceOf(BootstrapRefused.class).hasMessage(
                "error setting up initial cluster: error querying DNS SRV records for _etcd-server-ssl"
                        + " lookup _etcd-server-ssl._tcp.example.com: no such host\n"
                        + "error querying DNS SRV records for _etcd-server"
                        + " lookup _etcd-server._tcp.example.com: no such host");
    }

    @Test
    void aMemberThatNoRecordLeadsToIsRefused() {
        dns.with("_etcd-server._tcp.example.com", new Srv(0, 0, 2380, "two.example.com"));
        assertThatThrownBy(() -> find("", "http://10.0.0.1:2380")).isInstanceOf(BootstrapRefused.class).hasMessage(
                "error setting up initial cluster: cannot find local etcd member \"me\" in SRV records");
    }

    @Test
    void aRecordOfTheOtherSchemeIsNotThisMember() {
        dns.with("_etcd-server._tcp.example.com", new Srv(0, 0, 2380, "one.example.com"));
        assertThatThrownBy(() -> find("", "https://10.0.0.1:2380")).isInstanceOf(BootstrapRefused.class)
                .hasMessageContaining("bootstrap at http://one.example.com:2380 from DNS for etcd-server has scheme"
                        + " mismatch with expected peer https://10.0.0.1:2380");
    }
}
