package dev.quoin.ctl.command;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** What the checks compute and show. */
class CheckTest {
    @Test
    void aTallyKnowsTheSlowestAndHowFarTheyDiffer() {
        Tally tally = new Tally();
        tally.add(100_000_000L);
        tally.add(300_000_000L);
        tally.add("etcdserver: no leader");
        tally.add("etcdserver: no leader");
        tally.end();
        assertThat(tally.slowest()).isEqualTo(0.3);
        assertThat(tally.deviation()).isCloseTo(0.1, within(1e-9));
        assertThat(tally.perSecond()).isPositive();
        assertThat(tally.errors()).hasToString("{etcdserver: no leader=2}");
    }

    @Test
    void aTallyOfNothingIsCalm() {
        Tally tally = new Tally();
        tally.end();
        assertThat(tally.slowest()).isZero();
        assertThat(tally.deviation()).isZero();
        assertThat(tally.perSecond()).isZero();
    }

    @Test
    void memoryIsReadOffThePageOfMetrics() throws IOException {
        assertThat(ResidentMemory.bytes("""
                # HELP process_resident_memory_bytes x
                other 1
                process_resident_memory_bytes 2.8270592e+07
                """)).isEqualTo(28_270_592);
        assertThatThrownBy(() -> ResidentMemory.bytes("other 1\n"))
                .hasMessage("could not find: process_resident_memory_bytes");
    }

    @Test
    void aBarIsDrawnForThoseWhoWatchAlone() {
        assertThat(bar(true)).contains("\r1 / 4 [----------______________________________] 25%")
                .endsWith("\r2 / 4 [--------------------____________________] 50%\n");
        assertThat(bar(false)).isEmpty();
    }

    private static String bar(boolean isWatched) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        try (ProgressBar bar = new ProgressBar(new PrintStream(err, true, StandardCharsets.UTF_8), isWatched, 4)) {
            bar.advance();
            bar.advance();
        }
        return err.toString(StandardCharsets.UTF_8);
    }
}
