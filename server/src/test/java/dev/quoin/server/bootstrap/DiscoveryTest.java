package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.quoin.net.Dialler;
import dev.quoin.net.NetLimits;
import dev.quoin.server.dial.PeerHttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What is made of the answers of a discovery service; a real etcd is asked in {@code trial}. */
class DiscoveryTest {
    private static final String OWN = "/_etcd/registry/t/members/f00d";

    private Dialler dialler;
    private FakePeer service;

    @BeforeEach
    void open() throws IOException {
        dialler = new Dialler(NetLimits.defaults(), null);
        service = new FakePeer();
        service.answers("/v3/kv/put", "{}");
    }

    @AfterEach
    void close() {
        service.close();
        dialler.close();
    }

    private String join() throws Exception {
        return new Discovery(new PeerHttp(dialler),
                new ClusterFlags.Source.Discovery(List.of("http://127.0.0.1:1", service.url()), "t",
                        Duration.ofSeconds(5)),
                new Discovery.Pace(Duration.ofMillis(5), Duration.ofMillis(1))).join(0xf00d, "me=http://m:1");
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String pair(String key, String value, int createRevision) {
        return "{\"key\":\"" + base64(key) + "\",\"create_revision\":\"" + createRevision + "\",\"mod_revision\":\"1\","
                + "\"version\":\"1\",\"value\":\"" + base64(value) + "\"}";
    }

    /** One answer serves both questions: what is there under the size's key comes first. */
    private void has(String size, String... members) {
        String pairs = pair("/_etcd/registry/t/_config/size", size, 1)
                + (members.length == 0 ? "" : "," + String.join(",", members));
        service.answers("/v3/kv/range",
                "{\"header\":{\"revision\":\"7\"},\"kvs\":[" + pairs + "],\"count\":\"3\"}");
    }

    private void refuses(String why) {
        assertThatThrownBy(this::join).isInstanceOf(BootstrapRefused.class)
                .hasMessage("failed to join discovery cluster (discovery: " + why + ")");
    }

    @Test
    void theFirstToComeAreTheMembers() throws Exception {
        has("2", pair("/_etcd/registry/t/members/3", "c=http://c:1", 9), pair(OWN, "me=http://m:1", 5),
                pair("/_etcd/registry/t/members/1", "a=http://a:1", 4));
        assertThat(join()).isEqualTo("a=http://a:1,me=http://m:1");
        assertThat(service.asked).contains("/v3/kv/put");
    }

    @Test
    void aMemberThatIsTooLateIsRefused() {
        has("2", pair("/_etcd/registry/t/members/3", "c=http://c:1", 9), pair(OWN, "me=http://m:1", 15),
                pair("/_etcd/registry/t/members/1", "a=http://a:1", 4));
        refuses("cluster is full");
        assertThat(service.asked).as("it is not written down").doesNotContain("/v3/kv/put");
    }

    @Test
    void aTokenThatNobodyHasMadeIsRefused() {
        service.answers("/v3/kv/range", "{\"header\":{\"revision\":\"7\"}}");
        refuses("size key not found");
        for (String bad : List.of("x", "0", "-1", "")) {
            has(bad);
            refuses("size key is bad");
        }
        has("1", pair(OWN, "me=ftp://m:1", 5));
        refuses("invalid peer URL");
    }
}
