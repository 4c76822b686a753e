package dev.quoin.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.quoin.server.config.Refused;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What etcd 3.7.1 makes of the same flags. */
class UrlsTest {
    @Test
    void aNameIsNotListenedOn() throws Refused {
        Urls.checkBind(List.of("http://localhost:1", "http://0.0.0.0:1", "https://[::1]:1"));
        assertThatThrownBy(() -> Urls.checkBind(List.of("http://etcd_1:2379"))).isInstanceOf(Refused.class)
                .hasMessage("expected IP in URL for binding (http://etcd_1:2379)");
        assertThatThrownBy(() -> Urls.checkBind(List.of("http://:2379")))
                .hasMessage("expected IP in URL for binding (http://:2379)");
    }

    @Test
    void whatOthersAreToldHasAHost() throws Refused {
        Urls.checkHost(List.of("http://etcd_1:1"), "f", "x");
        assertThatThrownBy(() -> Urls.checkHost(List.of("http://:1"), "initial-advertise-peer-urls", "\"host:port\""))
                .hasMessage("--initial-advertise-peer-urls \"http://:1\" must be \"host:port\""
                        + " (unexpected empty host (http://:1))");
    }

    @Test
    void aPortThatDoesNotExistIsRefusedInWords() throws Refused {
        assertThat(Urls.listenAddress("f", "http://localhost:80"))
                .isEqualTo(new InetSocketAddress(InetAddress.getLoopbackAddress(), 80));
        for (String url : List.of("http://127.0.0.1:99999", "http://127.0.0.1:")) {
            assertThatThrownBy(() -> Urls.listenAddress("f", url)).as(url).isInstanceOf(Refused.class);
        }
    }

    /** A file in the working directory, or where the path says. */
    @Test
    void aSocketOfUnixIsAFile() throws Refused {
        Urls.checkBind(List.of("unix://m:1"));
        Urls.checkHost(List.of("unix:///run/m"), "f", "x");
        assertThat(Urls.listenAddress("f", "unix://m:1")).isEqualTo(UnixDomainSocketAddress.of("m:1"));
        assertThat(Urls.listenAddress("f", "unix:///run/m")).isEqualTo(UnixDomainSocketAddress.of("/run/m"));
    }
}
