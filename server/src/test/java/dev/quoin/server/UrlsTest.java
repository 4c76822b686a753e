package dev.quoin.server;

import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What etcd 3.7.1 makes of the same flags. */
class UrlsTest {
    @Test
    void eachUrlIsToldOnceAndInOrder() throws Flags.Refused {
        assertThat(Urls.parse("f", "http://etcd_1:2379, http://b:1,http://a:1,http://b:1"))
                .isEqualTo(List.of("http://a:1", "http://b:1", "http://etcd_1:2379"));
        assertThat(Urls.parse("f", "http://[::1]:2")).isEqualTo(List.of("http://[::1]:2"));
    }

    @Test
    void whatIsNoUrlOfAMemberIsRefused() {
        for (String url : List.of("", "localhost:1", "ftp://a:1", "http://a", "http://a:b", "http://a:1/",
                "http://a b:1", "http://:1", "http://[::1]")) {
            assertThatThrownBy(() -> Urls.parse("f", url)).as(url).isInstanceOf(Flags.Refused.class);
        }
    }

    @Test
    void aNameIsNotListenedOn() {
        assertThatThrownBy(() -> Urls.listenAddress("f", "http://etcd_1:2379")).isInstanceOf(Flags.Refused.class)
                .hasMessageContaining("expected IP in URL for binding");
    }

    @Test
    void aPortThatDoesNotExistIsRefusedInWords() {
        assertThatThrownBy(() -> Urls.listenAddress("f", "http://127.0.0.1:99999"))
                .isInstanceOf(Flags.Refused.class);
    }
}
