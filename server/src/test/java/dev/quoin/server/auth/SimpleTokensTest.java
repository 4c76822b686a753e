package dev.quoin.server.auth;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;

import static org.assertj.core.api.Assertions.assertThat;

/** What the log says about simple tokens, and what becomes of them with time. */
class SimpleTokensTest {
    private static final AuthView AUTH = Views.after();
    private static final Duration TTL = Duration.ofMinutes(5);

    private final ManualClock clock = new ManualClock();
    private long applied;
    private final SimpleTokens tokens = new SimpleTokens(clock, TTL, () -> applied);

    /** @param index of the entry that says so */
    private String login(String user, long index) {
        String prefix = tokens.prefix();
        AuthOutcome.Authenticated login = new AuthOutcome.Authenticated(Bytes.utf8(user), Bytes.utf8(prefix), 7);
        tokens.noted(index, login);
        applied = Math.max(applied, index);
        return tokens.issue(login);
    }

    private Tokens.Found find(String token) {
        return tokens.find(token, AUTH);
    }

    private static Tokens.Found of(String user) {
        return new Tokens.Found.Of(new Caller(user, AUTH.revision()));
    }

    private static final Tokens.Found NOBODYS = new Tokens.Found.Nobodys();

    @Test
    void aTokenIsSixteenLettersOfChanceAndAPlaceInTheLog() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 1_000; i++) {
            String prefix = tokens.prefix();
            assertThat(prefix).matches("[a-zA-Z]{16}");
            assertThat(seen.add(prefix)).isTrue();
        }
        assertThat(login("alice", 13)).as("as etcd's: of the entry before").matches("[a-zA-Z]{16}\\.12");
    }

    @Test
    void itsUserIsWhoTheLogSays() {
        String token = login("alice", 13);
        assertThat(find(token)).isEqualTo(of("alice"));
        assertThat(find(token.replace(".12", ".11"))).isEqualTo(NOBODYS);
    }

    @Test
    void whatIsNoTokenIsNobodys() {
        applied = 100;
        for (String none : new String[]{"", ".", "abc", "abc.", "abc.x", "abc.-1", "abc.12.13", ".12", "abc.99",
            "abc.9223372036854775808", "abc.18446744073709551616"}) {
            assertThat(find(none)).as(none).isEqualTo(NOBODYS);
        }
    }

    @Test
    void oneOfAnEntryThatIsNotAppliedHereMayBeKnownSoon() {
        applied = 12;
        assertThat(find("abcdefghijklmnop.12")).isEqualTo(new Tokens.Found.NotYet());
        applied = 13;
        assertThat(find("abcdefghijklmnop.12")).isEqualTo(NOBODYS);
    }

    @Test
    void itLastsAsLongAsItIsShown() {
        String token = login("alice", 1);
        for (int i = 0; i < 5; i++) {
            clock.pass(TTL.minusSeconds(1));
            assertThat(find(token)).isEqualTo(of("alice"));
        }
        clock.pass(TTL.plusSeconds(1));
        assertThat(find(token)).isEqualTo(NOBODYS);
        assertThat(find(token)).isEqualTo(NOBODYS);
        assertThat(tokens.size()).isEqualTo(1);
        tokens.sweep();
        assertThat(tokens.size()).isZero();
    }

    @Test
    void theLogTakesTokensBack() {
        String alice = login("alice", 1);
        String other = login("alice", 2);
        String bob = login("bob", 3);
        tokens.noted(4, new AuthOutcome.LoggedOut(Bytes.utf8("alice")));
        assertThat(find(alice)).isEqualTo(NOBODYS);
        assertThat(find(other)).isEqualTo(NOBODYS);
        assertThat(find(bob)).isEqualTo(of("bob"));
        tokens.noted(5, new AuthOutcome.Done());
        tokens.noted(6, new AuthOutcome.Enabled());
        assertThat(find(bob)).isEqualTo(of("bob"));
        tokens.noted(7, new AuthOutcome.Disabled());
        assertThat(find(bob)).isEqualTo(NOBODYS);
    }

    @Test
    void aLoginWithoutLettersGivesNoToken() {
        tokens.noted(3, new AuthOutcome.Authenticated(Bytes.utf8("alice"), Bytes.EMPTY, 7));
        applied = 3;
        assertThat(find(".2")).isEqualTo(NOBODYS);
        assertThat(tokens.size()).isZero();
    }

    @Test
    void thereIsABoundAndTheOldestTokenEnds() {
        for (int i = 1; i <= SimpleTokens.TOKENS_MAX + 10; i++) {
            tokens.noted(i, new AuthOutcome.Authenticated(Bytes.utf8("u"), Bytes.utf8("t" + i), 7));
        }
        applied = SimpleTokens.TOKENS_MAX + 10;
        assertThat(tokens.size()).isEqualTo(SimpleTokens.TOKENS_MAX);
        assertThat(find("t" + applied + "." + (applied - 1))).isEqualTo(of("u"));
        assertThat(find("t10.9")).isEqualTo(NOBODYS);
        assertThat(find("t11.10")).isEqualTo(of("u"));
    }

    /** Whoever logs in without end is not who makes others log in again. */
    @Test
    void aTokenInUseOutlastsAFloodOfOthers() {
        tokens.noted(1, new AuthOutcome.Authenticated(Bytes.utf8("alice"), Bytes.utf8("a"), 7));
        tokens.noted(2, new AuthOutcome.Authenticated(Bytes.utf8("bob"), Bytes.utf8("b"), 7));
        for (int i = 3; i <= 3 * SimpleTokens.TOKENS_MAX; i++) {
            tokens.noted(i, new AuthOutcome.Authenticated(Bytes.utf8("u"), Bytes.utf8("t" + i), 7));
            applied = i;
            if (i % 10_000 == 0) {
                clock.pass(Duration.ofNanos(1));
                assertThat(find("a.0")).isEqualTo(of("alice"));
            }
        }
        assertThat(find("b.1")).as("which nobody has shown").isEqualTo(NOBODYS);
        assertThat(tokens.size()).isEqualTo(SimpleTokens.TOKENS_MAX);
    }
}
