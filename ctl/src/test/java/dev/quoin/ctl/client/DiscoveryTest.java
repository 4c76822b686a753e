package dev.quoin.ctl.client;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Endpoints out of SRV records, of a name server that knows those it is given here. */
class DiscoveryTest {
    private static List<String> ask(Map<String, List<String>> records, String service) throws IOException {
        try (NameServer server = new NameServer(records)) {
            return Discovery.at("127.0.0.1", server.port()).endpoints("example.test", service);
        }
    }

    @Test
    void secureOnesComeFirstEachByPriorityAndWeight() throws IOException {
        assertThat(ask(Map.of("_etcd-client-ssl._tcp.example.test",
                List.of("2 0 2379 c.example.test", "1 5 2379 a.example.test", "1 9 2379 b.example.test"),
                "_etcd-client._tcp.example.test", List.of("0 0 12379 d.example.test")), "")).containsExactly(
                        "https://b.example.test.:2379", "https://a.example.test.:2379", "https://c.example.test.:2379",
                        "http://d.example.test.:12379");
    }

    @Test
    void aServiceHasNamesOfItsOwn() throws IOException {
        assertThat(ask(Map.of("_etcd-client-blue._tcp.example.test", List.of("0 0 1 a.example.test")), "blue"))
                .containsExactly("http://a.example.test.:1");
    }

    @Test
    void whoHasNoRecordAtAllIsTold() {
        assertThatThrownBy(() -> ask(Map.of(), "")).isInstanceOf(IOException.class)
                .hasMessage("dns lookup errors: lookup _etcd-client-ssl._tcp.example.test: no such host and "
                        + "lookup _etcd-client._tcp.example.test: no such host");
    }
}
