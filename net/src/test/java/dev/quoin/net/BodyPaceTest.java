package dev.quoin.net;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class BodyPaceTest {
    private static final int PIECE = 65_536;
    private static final long SECOND = 1_000_000_000;

    private final BodyPace pace = new BodyPace();

    @Test
    void whatComesNowAndThenIsNotHeldUp() {
        for (long second = -5; second < 5; second++) {
            assertThat(pace.took(1_500_000, second * SECOND)).isZero();
        }
    }

    @Test
    void whatComesWithoutEndIsTakenAtThePace() {
        long now = Long.MAX_VALUE - SECOND; // the clock of nanoseconds may turn over
        long begin = now;
        long taken = 0;
        while (now - begin < 10 * SECOND) {
            now += pace.took(PIECE, now);
            taken += PIECE;
        }
        assertThat(taken).isBetween(10 * BodyPace.BYTES_PER_SECOND, 11 * BodyPace.BYTES_PER_SECOND);
    }
}
