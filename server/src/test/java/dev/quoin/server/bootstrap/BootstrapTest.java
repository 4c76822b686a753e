package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.member.Ids;
import dev.quoin.member.MemberInfo;
import dev.quoin.member.Origin;
import dev.quoin.net.Dialler;
import dev.quoin.net.NetLimits;
import dev.quoin.server.dial.PeerHttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** How a member comes to be, and etcd's words where it does not. The texts were taken from a real one. */
class BootstrapTest {
    private static final String TOKEN = "etcd-cluster";
    private static final BootstrapLimits QUICK = new BootstrapLimits(Duration.ofSeconds(10), Duration.ofSeconds(5),
            Duration.ofSeconds(5), Duration.ofMillis(50), Duration.ofMillis(10));
    private static final String NOBODY = "http://127.0.0.1:1";

    private Dialler dialler;
    private FakePeer peer;

    @BeforeEach
    void open() throws IOException {
        dialler = new Dialler(NetLimits.defaults(), null);
        peer = new FakePeer();
    }

    @AfterEach
    void close() {
        peer.close();
        dialler.close();
    }

    private static InetAddress resolve(String host) throws UnknownHostException {
        return switch (host) {
            case "one.example", "uno.example" -> InetAddress.getByName("10.0.0.1");
            case "two.example" -> InetAddress.getByName("10.0.0.2");
            default -> {
                try {
                    yield InetAddress.ofLiteral(host);
                } catch (IllegalArgumentException name) {
                    throw new UnknownHostException(host);
                }
            }
        };
    }

    private Origin origin(String name, boolean isNew, String cluster, String... peerUrls)
            throws BootstrapRefused, InterruptedException {
        ClusterFlags flags = new ClusterFlags(name, List.of(peerUrls), isNew, TOKEN,
                new ClusterFlags.Source.Static(cluster), 1);
        return new Bootstrap(flags, new PeerHttp(dialler), BootstrapTest::resolve, SrvRecords.ofSystem(), QUICK,
                "3.7.1").origin();
    }

    private void refuses(String why, String name, boolean isNew, String cluster, String... peerUrls) {
        assertThatThrownBy(() -> origin(name, isNew, cluster, peerUrls)).isInstanceOf(BootstrapRefused.class)
                .hasMessage(why);
    }

    // ---- a cluster that begins

    @Test
    void aFounderHasTheIdsThatEtcdDerives() throws Exception {
        Origin origin = origin("b", true, "b=http://127.0.0.1:2,a=" + NOBODY + ",b=http://127.0.0.1:3",
                "http://127.0.0.1:3", "http://127.0.0.1:2");
        long a = Ids.member(List.of(NOBODY), TOKEN);
        long b = Ids.member(List.of("http://127.0.0.1:2", "http://127.0.0.1:3"), TOKEN);
        assertThat(origin).isEqualTo(new Origin.Founder(b, Ids.cluster(List.of(a, b)),
                List.of(new MemberInfo(a, "a", List.of(NOBODY), List.of(), false), new MemberInfo(b, "b",
                        List.of("http://127.0.0.1:2", "http://127.0.0.1:3"), List.of(), false))));
    }

    @Test
    void namesOfHostsAreEqualIfTheirAddressesAre() throws Exception {
        assertThat(origin("a", true, "a=http://one.example:1", "http://uno.example:1").memberId())
                .as("the id is that of the cluster's URL")
                .isEqualTo(Ids.member(List.of("http://one.example:1"), TOKEN));
        refuses("--initial-cluster has a=http://one.example:1 but missing from --initial-advertise-peer-urls="
                + "http://two.example:1 (resolved urls: \"http://10.0.0.2:1\" != \"http://10.0.0.1:1\")", "a", true,
                "a=http://one.example:1", "http://two.example:1");
        refuses("--initial-cluster has a=http://nowhere.example:1 but missing from --initial-advertise-peer-urls="
                + "http://10.0.0.1:1 (failed to resolve \"http://nowhere.example:1\""
                + " (lookup nowhere.example: no such host))", "a", true, "a=http://nowhere.example:1",
                "http://10.0.0.1:1");
        assertThat(origin("a", true, "a=http://[::1]:1", "http://[0:0:0:0:0:0:0:1]:1").memberId()).isNotZero();
    }

    @Test
    void flagsThatContradictEachOtherAreRefused() {
        refuses("couldn't find local name \"default\" in the initial cluster configuration", "default", true,
                "a=http://127.0.0.1:1", "http://127.0.0.1:1");
        refuses("couldn't find local name \"a\" in the initial cluster configuration", "a", true, "",
                "http://127.0.0.1:1");
        refuses("--initial-cluster has default=http://localhost:2380 but missing from --initial-advertise-peer-urls="
                + "http://127.0.0.1:1 (resolved urls: \"http://127.0.0.1:1\" != \"http://localhost:2380\")", "default",
                true, "default=http://localhost:2380", "http://127.0.0.1:1");
        refuses("--initial-cluster has a=http://127.0.0.1:2 but missing from --initial-advertise-peer-urls="
                + "http://127.0.0.1:1 (len([\"http://127.0.0.1:1\"]) != len([\"http://127.0.0.1:1\""
                + " \"http://127.0.0.1:2\"]))", "a", true, "a=http://127.0.0.1:1,a=http://127.0.0.1:2",
                "http://127.0.0.1:1");
        refuses("--initial-advertise-peer-urls has http://127.0.0.1:3 but missing from --initial-cluster="
                + "a=http://127.0.0.1:1,a=http://127.0.0.1:3", "a", true, "a=http://127.0.0.1:1",
                "http://127.0.0.1:1", "http://127.0.0.1:3");
        refuses("initial cluster a=http://127.0.0.1:1,b=http://127.0.0.1:1 has duplicate url", "a", true,
                "a=http://127.0.0.1:1,b=http://127.0.0.1:1", "http://127.0.0.1:1");
        refuses("error setting up initial cluster: URL scheme must be http, https, unix, or unixs: ftp://127.0.0.1:1",
                "a", true, "a=ftp://127.0.0.1:1", "http://127.0.0.1:1");
    }

    @Test
    void aMemberThatHasRunBeforeDoesNotBeginAgain() throws Exception {
        String cluster = "a=" + NOBODY + ",b=" + peer.url();
        long self = Ids.member(List.of(NOBODY), TOKEN);
        peer.isOf("f00d").answers("/members", json(self, NOBODY, "\"name\":\"a\""));
        assertThat(origin("a", true, cluster, NOBODY)).as("it was expected, and has not come").isInstanceOf(
                Origin.Founder.class);
        peer.answers("/members", json(self, NOBODY, "\"name\":\"a\",\"clientURLs\":[\"http://c:1\"]"));
        refuses("member " + Long.toHexString(self) + " has already been bootstrapped", "a", true, cluster, NOBODY);
    }

    private static String json(long id, String url, String more) {
        return "[" + element(id, url, more) + "]";
    }

    private static String element(long id, String url, String more) {
        return "{\"id\":" + Long.toUnsignedString(id) + ",\"peerURLs\":[\"" + url + "\"]"
                + (more.isEmpty() ? "" : ",") + more + "}";
    }

    // ---- a cluster that runs

    private void peerIsIn(String others) {
        peer.isOf("f00d").answers("/members", "[" + element(0x8000_0000_0000_0001L, peer.url(),
                "\"name\":\"p\",\"clientURLs\":[\"http://c:1\"]") + others + "]\n")
                .answers("/version", "{\"etcdserver\":\"3.7.1\",\"etcdcluster\":\"3.7.0\",\"storage\":\"3.7.0\"}")
                .answers("/downgrade/enabled", "false");
    }

    private String running() {
        return "me=http://127.0.0.1:9,other=" + peer.url();
    }

    @Test
    void aJoinerIsWhomTheClusterExpects() throws Exception {
        peerIsIn("," + element(7, "http://127.0.0.1:9", "\"isLearner\":true"));
        assertThat(origin("me", false, running(), "http://ignored:1")).isEqualTo(new Origin.Joiner(7, 0xf00d,
                List.of(new MemberInfo(7, "", List.of("http://127.0.0.1:9"), List.of(), true),
                        new MemberInfo(0x8000_0000_0000_0001L, "p", List.of(peer.url()), List.of("http://c:1"),
                                false))));
        assertThat(peer.asked).containsExactly("/members", "/version", "/downgrade/enabled");
    }

    @Test
    void aClusterThatDoesNotExpectTheMemberIsNotJoined() {
        peerIsIn("");
        String whole = "{ClusterID:f00d Members:[&{ID:8000000000000001 RaftAttributes:{PeerURLs:[" + peer.url()
                + "] IsLearner:false} Attributes:{Name:p ClientURLs:[http://c:1]}}] RemovedMemberIDs:[]}";
        refuses("error validating peerURLs " + whole + ": member count is unequal", "me", false, running());
        peerIsIn("," + element(7, "http://127.0.0.1:8", ""));
        assertThatThrownBy(() -> origin("me", false, running())).isInstanceOf(BootstrapRefused.class)
                .hasMessageContaining("PeerURLs: no match found for existing member (7, [http://127.0.0.1:8]),"
                        + " last resolver error (resolved urls: \"http://127.0.0.1:8\" != ");
        peerIsIn("," + element(7, "not an URL", ""));
        assertThatThrownBy(() -> origin("me", false, running())).isInstanceOf(BootstrapRefused.class)
                .hasMessageContaining("no match found for existing member (7, [not an URL])");
    }

    @Test
    void nobodyWhoAnswersIsNoCluster() {
        String fetching = "cannot fetch cluster info from peer urls: ";
        refuses(fetching + "could not retrieve cluster information from the given URLs", "me", false,
                "me=http://127.0.0.1:9,other=" + NOBODY);
        refuses(fetching + "could not retrieve cluster information from the given URLs", "me", false, running());
        for (String nonsense : List.of("{}", "[{\"id\":\"x\"}]", "[", "[{}]x", "<html>")) {
            peer.isOf("f00d").answers("/members", nonsense);
            refuses(fetching + "could not retrieve cluster information from the given URLs", "me", false, running());
        }
        peerIsIn("");
        peer.isOf("");
        refuses(fetching + "could not retrieve cluster information from the given URLs", "me", false, running());
        peer.isOf("f00d").answers("/members", "[]");
        refuses(fetching + "failed to get raft cluster member(s) from the given URLs", "me", false, running());
    }

    @Test
    void aClusterOfAnotherVersionIsNotJoined() throws Exception {
        peerIsIn("," + element(7, "http://127.0.0.1:9", ""));
        for (String version : List.of("2.3.0", "3.8.0", "4.0.0", "not_decided")) {
            peer.answers("/version", "{\"etcdcluster\":\"" + version + "\"}");
            refuses("incompatible with current running cluster", "me", false, running());
        }
        peer.answers("/version", "{\"etcdcluster\":\"3.0.0\"}");
        assertThat(origin("me", false, running()).memberId()).isEqualTo(7);
        peer.answers("/downgrade/enabled", "true");
        refuses("incompatible with current running cluster", "me", false, running());
        peer.answers("/version", "{\"etcdcluster\":\"3.8.0\"}");
        assertThat(origin("me", false, running()).memberId()).isEqualTo(7);
    }

    @Test
    void aClusterWithMoreLearnersThanAllowedIsNotJoined() {
        peerIsIn("," + element(7, "http://127.0.0.1:9", "\"isLearner\":true") + ","
                + element(8, "http://127.0.0.1:10", "\"isLearner\":true"));
        refuses("membership: too many learner members in cluster", "me", false,
                running() + ",third=http://127.0.0.1:10");
        refuses("initial cluster me=http://127.0.0.1:9,x=http://127.0.0.1:9 has duplicate url", "me", false,
                "me=http://127.0.0.1:9,x=http://127.0.0.1:9");
    }
}
