package dev.quoin.server.gateway;

import java.net.InetSocketAddress;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.quoin.base.Bytes;
import dev.quoin.net.Call;
import dev.quoin.net.HttpFields;
import dev.quoin.net.HttpRequest;
import dev.quoin.net.Metadata;
import dev.quoin.net.Peer;
import dev.quoin.net.StatusException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What of a request's head reaches the call. */
class HeadsTest {
    private static HttpRequest head(String... namesAndValues) {
        return new HttpRequest("POST", "/v3/kv/range", null, HttpFields.of(namesAndValues), Bytes.EMPTY,
                new Peer(new InetSocketAddress(0), false, null));
    }

    @Test
    void theTokenAndWhatIsCalledMetadataAndNothingElse() throws Exception {
        Metadata metadata = Heads.metadata(head("Authorization", "Bearer abc", "Grpc-Metadata-hasleader", "true",
                "Grpc-Metadata-X-Bin", "AQI=", "Cookie", "a=b", "Grpc-Metadata-", "nameless", "Grpc-Metadata-a!", "odd",
                "Grpc-Metadata-latin", "é"));
        assertThat(metadata.size()).isEqualTo(3);
        assertThat(metadata.text("authorization")).isEqualTo("Bearer abc");
        assertThat(metadata.text("hasleader")).isEqualTo("true");
        assertThat(metadata.bytes("x-bin")).isEqualTo(Bytes.of(new byte[]{1, 2}));
        assertThatThrownBy(() -> Heads.metadata(head("Grpc-Metadata-X-Bin", "?"))).isInstanceOf(StatusException.class)
                .hasMessage("INVALID_ARGUMENT: invalid binary header grpc-metadata-x-bin: illegal base64 data");
    }

    @Test
    void aTimeoutIsADeadline() throws Exception {
        assertThat(Heads.deadlineNanos(head())).isEqualTo(Call.NO_DEADLINE);
        assertThat(Heads.deadlineNanos(head("grpc-timeout", "0S"))).isEqualTo(Call.NO_DEADLINE);
        assertThat(left("100m")).isBetween(90_000_000L, 100_000_000L);
        assertThat(left("2S")).isBetween(1_900_000_000L, 2_000_000_000L);
        assertThat(left("-1S")).isLessThanOrEqualTo(0);
        assertThat(left("999999999999999999H")).isGreaterThan(3_000_000_000_000_000_000L);
    }

    private static long left(String timeout) throws StatusException {
        long before = System.nanoTime();
        return Heads.deadlineNanos(head("grpc-timeout", timeout)) - before - (System.nanoTime() - before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "S", "1s", "1.5S", "aS", " 1S"})
    void oneOfItsOwnKindIsRefused(String timeout) {
        assertThatThrownBy(() -> Heads.deadlineNanos(head("grpc-timeout", timeout)))
                .hasMessage("INVALID_ARGUMENT: invalid grpc-timeout: " + timeout);
    }
}
