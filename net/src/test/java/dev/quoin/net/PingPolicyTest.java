package dev.quoin.net;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Pings that come too soon: the first never does, the third strike in a row is one too many. */
class PingPolicyTest {
    private static final long SECOND = 1_000_000_000L;

    @Test
    void fourQuickPingsAreOneTooMany() {
        PingPolicy policy = new PingPolicy(5_000, false);
        assertThat(policy.tooMany(0, true)).isFalse();
        assertThat(policy.tooMany(SECOND, true)).isFalse();
        assertThat(policy.tooMany(2 * SECOND, true)).isFalse();
        assertThat(policy.tooMany(3 * SECOND, true)).isTrue();
    }

    @Test
    void pingsAtTheMinimumNeverStrikeWhileCallsAreOpen() {
        PingPolicy policy = new PingPolicy(5_000, false);
        for (long i = 0; i < 100; i++) {
            assertThat(policy.tooMany(i * 5 * SECOND, true)).isFalse();
        }
    }

    @Test
    void withoutCallsTheMinimumIsTwoHoursUnlessAllowed() {
        PingPolicy strict = new PingPolicy(5_000, false);
        PingPolicy lenient = new PingPolicy(5_000, true);
        boolean strictBroke = false;
        for (long i = 0; i < 10; i++) {
            strictBroke |= strict.tooMany(i * 60 * SECOND, false);
            assertThat(lenient.tooMany(i * 60 * SECOND, false)).isFalse();
        }
        assertThat(strictBroke).isTrue();
    }

    @Test
    void whatWeSendClearsTheStrikes() {
        PingPolicy policy = new PingPolicy(5_000, false);
        for (long i = 0; i < 100; i++) {
            assertThat(policy.tooMany(i, true)).isFalse();
            policy.sent();
        }
    }
}
