package dev.quoin.server.peer;

import java.net.InetSocketAddress;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.Peer;

import static org.assertj.core.api.Assertions.assertThat;

/** In whose name a promotion is made that a member passes on to the leader, while access is controlled. */
class ClusterFrontTest {
    private final TestPeer.TestHost host = new TestPeer.TestHost(1, 2);

    private int promoted(@Nullable String commonName, HttpFields headers) throws InterruptedException {
        host.rootsToken = "roots.7";
        host.changeRefused = null;
        Peer peer = new Peer(new InetSocketAddress(0), commonName != null, commonName);
        return new ClusterFront().promote(host,
                new HttpRequest("POST", "/members/promote/13", null, headers, Bytes.EMPTY, peer)).status();
    }

    @Test
    void ofRootsOrNotAtAll() throws Exception {
        assertThat(promoted(null, HttpFields.EMPTY)).isEqualTo(500);
        assertThat(promoted(null, HttpFields.of("authorization", "alices.8"))).isEqualTo(500);
        assertThat(host.changes).isEmpty();
        assertThat(promoted(null, HttpFields.of("authorization", "roots.7"))).isEqualTo(200);
    }

    /** It has asked already; and who is root by a certificate has no token that it could pass on. */
    @Test
    void aMemberThatShowsItsCertificateIsBelieved() throws Exception {
        assertThat(promoted("m2", HttpFields.EMPTY)).isEqualTo(200);
    }
}
