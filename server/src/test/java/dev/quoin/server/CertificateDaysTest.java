package dev.quoin.server;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Clock;
import dev.quoin.server.config.Flags;
import dev.quoin.server.metrics.ServerMetrics;

import static org.assertj.core.api.Assertions.assertThat;

/** The alert about certificates rests on these days: what is in use counts, and a new certificate at once. */
class CertificateDaysTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private Optional<Instant> expiry = Optional.empty();

    private static ServerMetrics metrics() throws Exception {
        Clock clock = new Clock() {
            @Override
            public long nanos() {
                return 0;
            }

            @Override
            public Instant now() {
                return NOW;
            }
        };
        Flags flags = ((Flags.Wish.Start) Flags.read(new String[0], Map.of())).flags();
        return new ServerMetrics(ServerConfig.of(flags).metrics(), clock, slow -> {}, Enum::name);
    }

    @Test
    void daysAreCountedFromNow() throws Exception {
        ServerMetrics metrics = metrics();
        assertThat(metrics.page()).contains("quoin_certificate_days_left{use=\"client\"} +Inf\n");
        metrics.certificates(() -> expiry, Optional::empty);
        expiry = Optional.of(NOW.plus(Duration.ofHours(36)));
        assertThat(metrics.page()).contains("quoin_certificate_days_left{use=\"client\"} 1.5\n",
                "quoin_certificate_days_left{use=\"peer\"} +Inf\n");
        expiry = Optional.of(NOW.minus(Duration.ofDays(2)));
        assertThat(metrics.page()).contains("quoin_certificate_days_left{use=\"client\"} -2\n");
    }
}
