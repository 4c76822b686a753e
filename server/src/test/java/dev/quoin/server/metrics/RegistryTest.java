package dev.quoin.server.metrics;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.base.Invariant;
import dev.quoin.server.metrics.Histogram.Unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The page is what Go's client for Prometheus would write, byte for byte. */
class RegistryTest {
    private final Registry registry = new Registry();

    @Test
    void namesAreSortedAndASetWithoutSeriesHasNoLine() {
        registry.gauge("b_total", "A gauge by this name.", () -> 2_147_483_648.0);
        registry.counter("a_success", "A counter\nby that \\ name.").add(3);
        registry.counters("c_total", "Nobody was counted.", "who");
        assertThat(registry.page()).isEqualTo("""
                # HELP a_success A counter\\nby that \\\\ name.
                # TYPE a_success counter
                a_success 3
                # HELP b_total A gauge by this name.
                # TYPE b_total gauge
                b_total 2.147483648e+09
                """);
    }

    @Test
    void labelsAndSeriesAreSortedAndValuesEscaped() {
        Labelled<Counter> counters = registry.counters("calls_total", "Calls.", "type", "code");
        counters.of("unary", "OK").add(2);
        counters.of("stream", "OK").increment();
        counters.of("a\"b\\c\nd", "Canceled");
        assertThat(registry.page()).isEqualTo("""
                # HELP calls_total Calls.
                # TYPE calls_total counter
                calls_total{code="Canceled",type="a\\"b\\\\c\\nd"} 0
                calls_total{code="OK",type="stream"} 1
                calls_total{code="OK",type="unary"} 2
                """);
    }

    @Test
    void aHistogramCountsUpToItsBoundsInclusive() {
        Histogram histogram = registry.histogram("wait_seconds", "Waits.", Unit.NANOS_AS_SECONDS,
                Buckets.exponential(0.001, 2, 3));
        histogram.observe(1_000_000);
        histogram.observe(1_000_001, 2);
        histogram.observe(60_000_000_000L);
        assertThat(registry.page()).isEqualTo("""
                # HELP wait_seconds Waits.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.001"} 1
                wait_seconds_bucket{le="0.002"} 3
                wait_seconds_bucket{le="0.004"} 3
                wait_seconds_bucket{le="+Inf"} 4
                wait_seconds_sum 60.003000002
                wait_seconds_count 4
                """);
    }

    @Test
    void whatIsReadIsReadWhenSomebodyAsks() {
        registry.gauges("space_bytes", "Space.", List.of("state"), series -> {
            series.add(1, "used");
            series.add(0.5, "dead");
        });
        registry.add(new Family("pauses", "Pauses.", Family.Type.SUMMARY, List.of(), series -> series.add(4, 0.25)));
        assertThat(registry.page()).contains("space_bytes{state=\"dead\"} 0.5\nspace_bytes{state=\"used\"} 1\n",
                "pauses_sum 0.25\npauses_count 4\n");
    }

    @Test
    void clientsCannotMakeSeriesWithoutEnd() {
        Labelled<Counter> counters = registry.counters("versions_total", "Versions.", "version");
        for (int i = 0; i < 10_000; i++) {
            counters.of("v" + i).increment();
        }
        assertThat(registry.page().lines().filter(line -> line.startsWith("versions_total{"))).hasSize(2_001)
                .contains("versions_total{version=\"other\"} 8000");
    }

    @Test
    void twoMetricsOfOneNameAreAMistake() {
        registry.counter("one", "One.");
        assertThatThrownBy(() -> registry.counter("one", "Two.")).isInstanceOf(Invariant.Violation.class);
    }

    /** From Go's strconv.FormatFloat(x, 'g', -1, 64). */
    @ParameterizedTest
    @CsvSource({"0,0", "1,1", "-1,-1", "0.0001,0.0001", "0.00001,1e-05", "999999,999999", "1000000,1e+06",
        "8388608,8.388608e+06", "1732950000.25,1.73295000025e+09", "0.1,0.1", "52.4288,52.4288",
        "18446744073709551616,1.8446744073709552e+19", "1e100,1e+100", "123456.789,123456.789"})
    void numbersAreAsGoWritesThem(double number, String text) {
        assertThat(GoNumber.text(number)).isEqualTo(text);
    }

    @Test
    void whatIsNoNumberHasAName() {
        assertThat(GoNumber.text(Double.POSITIVE_INFINITY)).isEqualTo("+Inf");
        assertThat(GoNumber.text(Double.NEGATIVE_INFINITY)).isEqualTo("-Inf");
        assertThat(GoNumber.text(Double.NaN)).isEqualTo("NaN");
    }
}
