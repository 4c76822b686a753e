package dev.quoin.member;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Whoever asks is told how much of a time this process stood still, also before the thread that sees it has woken up. */
class PausesTest {
    private static final long MS = 1_000_000;

    private final HandClock clock = new HandClock();
    private final List<Long> told = new ArrayList<>();
    private final Pauses pauses = new Pauses(clock, new MemberMetrics() {
        @Override
        public void paused(long nanos) {
            told.add(nanos / MS);
        }
    });

    private void wakesAt(long ms) {
        clock.nanos = ms * MS;
        assertThat(pauses.turn()).isEqualTo(25 * MS);
    }

    private long within(long fromMs, long toMs) {
        return pauses.within(fromMs * MS, toMs * MS) / MS;
    }

    @Test
    void aThreadThatWakesInTimeHasSeenNothing() {
        wakesAt(0);
        wakesAt(25);
        wakesAt(59); // a little late, as happens
        assertThat(within(0, 60)).isZero();
        assertThat(told).isEmpty();
    }

    @Test
    void aPauseCountsFromWhenTheThreadShouldHaveWoken() {
        wakesAt(0);
        wakesAt(400);
        wakesAt(425);
        wakesAt(1_000);
        assertThat(told).containsExactly(375L, 550L);
        assertThat(within(0, 1_010)).isEqualTo(925);
        assertThat(within(300, 500)).isEqualTo(100 + 50);
        assertThat(within(400, 450)).isZero();
        assertThat(pauses.awake(300 * MS, 500 * MS)).isEqualTo(50 * MS);
    }

    @Test
    void whoComesFirstOutOfAPauseIsToldOfItToo() {
        wakesAt(0);
        assertThat(within(10, 500)).isEqualTo(475);
        assertThat(told).isEmpty();
    }

    @Test
    void withoutAThreadNothingEverStandsStill() {
        assertThat(within(0, 1_000_000)).isZero();
    }

    @Test
    void aClockMayBeginAnywhere() {
        long origin = Long.MAX_VALUE - 100 * MS;
        clock.nanos = origin;
        pauses.turn();
        clock.nanos = origin + 500 * MS; // beyond the largest number
        pauses.turn();
        assertThat(pauses.within(origin, origin + 510 * MS)).isEqualTo(475 * MS);
    }

    @Test
    void theOldestAreForgotten() {
        for (int n = 0; n <= 600; n++) {
            wakesAt(n * 100L);
        }
        assertThat(within(0, 60_000)).isEqualTo(512 * 75);
        assertThat(within(59_000, 60_000)).isEqualTo(750);
    }
}
