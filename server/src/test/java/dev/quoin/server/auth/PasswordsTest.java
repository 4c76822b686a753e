package dev.quoin.server.auth;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.User;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Passwords as Go hashes and compares them; the hashes below are from its tests (x/crypto/bcrypt/bcrypt_test.go). */
class PasswordsTest {
    private static final String NAME = "alice";
    private final Passwords passwords = new Passwords(Passwords.COST_MIN);

    @AfterEach
    void close() {
        passwords.close();
    }

    private static User user(String hash) {
        String base64 = Base64.getEncoder().encodeToString(hash.getBytes(StandardCharsets.UTF_8));
        User user = Views.after(new AuthCommand.UserAdd(Bytes.utf8(NAME), Bytes.utf8(base64), false))
                .user(Bytes.utf8(NAME));
        assertThat(user).isNotNull();
        return user;
    }

    private static String decoded(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    @Test
    void whatGoHashedIsRead() throws Exception {
        User user = user("$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga");
        assertThat(passwords.matches(user, "allmine")).isTrue();
        assertThat(passwords.matches(user, "allmine")).isTrue();
        assertThat(passwords.matches(user, "allmines")).isFalse();
        assertThat(passwords.matches(user, "")).isFalse();
    }

    @Test
    void whatIsHashedHereIsMadeAsGoMakesIt() throws Exception {
        String hash = decoded(passwords.hash("päss"));
        assertThat(hash).matches("\\$2a\\$04\\$[./A-Za-z0-9]{53}");
        assertThat(decoded(passwords.hash("päss"))).isNotEqualTo(hash);
        assertThat(passwords.matches(user(hash), "päss")).isTrue();
        assertThat(passwords.matches(user(hash), "pass")).isFalse();
        assertThat(passwords.matches(user(decoded(passwords.hash(""))), "")).isTrue();
    }

    /** As in etcd no length is asked for; so a short one, and the one of no letters, must be no way around. */
    @Test
    void cve202015115AShortPasswordIsComparedAsAnyOther() throws Exception {
        User user = user(decoded(passwords.hash("x")));
        assertThat(passwords.matches(user, "x")).isTrue();
        for (String other : new String[]{"", "X", "xx", "x\0"}) {
            assertThat(passwords.matches(user, other)).as(other).isFalse();
        }
        assertThat(passwords.matches(user(decoded(passwords.hash(""))), "x")).isFalse();
    }

    @Test
    void seventyTwoBytesCount() throws Exception {
        String most = "x".repeat(72);
        User user = user(decoded(passwords.hash(most)));
        assertThat(passwords.matches(user, most)).isTrue();
        assertThat(passwords.matches(user, "x".repeat(71))).isFalse();
        assertThat(passwords.matches(user, most + "y")).as("as Go: bytes beyond are not looked at").isTrue();
        assertThatThrownBy(() -> passwords.hash(most + "x")).isInstanceOf(Passwords.TooLong.class)
                .hasMessage("bcrypt: password length exceeds 72 bytes");
        assertThatThrownBy(() -> passwords.hash("ä".repeat(37))).isInstanceOf(Passwords.TooLong.class);
    }

    @Test
    void whatIsNoHashMatchesNothing() throws Exception {
        for (String none : new String[]{"", "secret", "$2a$10$fooo", "$2a$32$" + "s".repeat(53),
            "%2a$10$" + "s".repeat(53)}) {
            assertThat(passwords.matches(user(none), "")).as(none).isFalse();
            assertThat(passwords.matches(user(none), none)).as(none).isFalse();
        }
    }

    @Test
    void whatWasRightIsRememberedForThatHashAlone() throws Exception {
        User dear = user(decoded(new Passwords(12).hash("first")));
        assertThat(passwords.matches(dear, "first")).isTrue();
        long begin = System.nanoTime();
        for (int i = 0; i < 1_000; i++) {
            assertThat(passwords.matches(dear, "first")).isTrue();
        }
        // A thousand comparisons would take minutes.
        assertThat(System.nanoTime() - begin).isLessThan(10_000_000_000L);
        User changed = user(decoded(passwords.hash("second")));
        assertThat(passwords.matches(changed, "first")).isFalse();
        assertThat(passwords.matches(changed, "second")).isTrue();
        assertThat(passwords.matches(dear, "second")).isFalse();
    }

    /** The answer does not wait for it, but who comes next does. */
    @Test
    void afterAWrongOneTheThreadRestsForAsLongAsItTook() throws Exception {
        User dear = user(decoded(new Passwords(12).hash("first")));
        int guesses = 6;
        Passwords one = new Passwords(Passwords.COST_MIN, 1);
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        assertThat(one.matches(dear, "guess")).isFalse(); // a thread is there now
        long begin = System.nanoTime();
        long worked = processorNanos(threads);
        for (int i = 0; i < guesses; i++) {
            assertThat(one.matches(dear, "guess")).isFalse();
        }
        long took = System.nanoTime() - begin;
        assertThat(processorNanos(threads) - worked).as("of %d ns", took).isLessThan(took * 3 / 4);
        one.close();
    }

    private static long processorNanos(ThreadMXBean threads) {
        return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().startsWith("passwords-"))
                .mapToLong(thread -> threads.getThreadCpuTime(thread.getThreadId())).sum();
    }
}
