package dev.quoin.member.founding;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What etcd 3.7.1 makes of the same texts. */
class PeerUrlsTest {
    @Test
    void urlsAreSortedAndTrimmed() throws PeerUrls.Bad {
        assertThat(PeerUrls.parse(List.of("http://etcd_1:2379", " HTTPS://b:1 ", "http://a:1", "http://a:1")))
                .containsExactly("http://a:1", "http://a:1", "http://etcd_1:2379", "https://b:1");
        assertThat(PeerUrls.parse(List.of("http://[::1]:2"))).containsExactly("http://[::1]:2");
        assertThat(PeerUrls.host("http://[::1]:2")).isEqualTo("::1");
        assertThat(PeerUrls.host("http://a:2")).isEqualTo("a");
        assertThat(PeerUrls.port("http://[::1]:2")).isEqualTo("2");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "null", textBlock = """
            ''                  | URL scheme must be http, https, unix, or unixs:
            localhost:1         | URL scheme must be http, https, unix, or unixs: localhost:1
            ftp://a:1           | URL scheme must be http, https, unix, or unixs: ftp://a:1
            127.0.0.1:1         | parse "127.0.0.1:1": first path segment in URL cannot contain colon
            http://a            | URL address does not have the form "host:port": http://a
            http://[::1]        | URL address does not have the form "host:port": http://[::1]
            http://a:b          | parse "http://a:b": invalid port ":b" after host
            http://a b:1        | parse "http://a b:1": invalid character " " in host name
            http://a:1/         | URL must not contain a path: http://a:1/
            http://a:1?x        | URL address does not have the form "host:port": http://a:1?x
            http://u@a:1        | URL address does not have the form "host:port": http://u@a:1
            unix://a:1          | URL scheme must be http, https, unix, or unixs: unix://a:1
            """)
    void whatIsNoUrlOfAMemberIsRefused(String url, String why) {
        assertThatThrownBy(() -> PeerUrls.parse(List.of(url))).isInstanceOf(PeerUrls.Bad.class)
                .satisfies(bad -> assertThat(bad.getMessage()).isEqualToIgnoringWhitespace(why));
        assertThat(PeerUrls.isGood(url)).isFalse();
    }

    @Test
    void anInitialClusterHasNamesThatMayComeSeveralTimes() throws PeerUrls.Bad {
        InitialCluster cluster = InitialCluster.parse("b=http://b:2,,a=http://a:1,b=http://b:1");
        assertThat(cluster.urls())
                .isEqualTo(Map.of("a", List.of("http://a:1"), "b", List.of("http://b:1", "http://b:2")));
        assertThat(cluster).hasToString("a=http://a:1,b=http://b:1,b=http://b:2");
        assertThat(cluster.urlsOfOthers("a")).containsExactly("http://b:1", "http://b:2");
        assertThat(cluster.hasDuplicateUrl()).isFalse();
        assertThat(InitialCluster.parse("a=http://a:1,b=http://a:1").hasDuplicateUrl()).isTrue();
        assertThat(InitialCluster.parse("").urls()).isEmpty();
        assertThatThrownBy(() -> InitialCluster.parse("a")).isInstanceOf(PeerUrls.Bad.class);
    }
}
