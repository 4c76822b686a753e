package dev.quoin.server.auth;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.LongPasswordStrategies;

import dev.quoin.store.User;

/**
 * Passwords, hashed by bcrypt as Go writes and reads it ({@code $2a$}), on threads of their own: a hash takes tens of
 * milliseconds of a processor, so no more than half of the processors are at it at once, and no more than {@link #WAITING_MAX}
 * wait. Any thread that may wait.
 *
 * <p>A password that was right is remembered, so that who logs in often does not pay for it: as an HMAC over the user's hash
 * and the password, under a key that only this process has. When the user has another password its hash is another, and
 * what is remembered matches no more. A password that is wrong costs its full price each time; and after it the thread rests for
 * as long as it took, so that who guesses without end gets half of what these threads could do. They have no lower priority: one
 * that the system lets wait is waited for by every collection (docs/evidence/0009).
 */
public final class Passwords implements AutoCloseable {
    static final int COST_MIN = 4;
    static final int COST_MAX = 31;
    static final int COST_DEFAULT = 10;
    static final int WAITING_MAX = 64;
    private static final int REMEMBERED_MAX = 10_000;
    /** All that bcrypt looks at (golang.org/x/crypto/bcrypt). */
    private static final int PASSWORD_BYTES_MAX = 72;
    private static final String MAC = "HmacSHA256";
    private static final int KEY_BYTES = 32;

    /** The password is longer than what bcrypt looks at; the text is Go's. */
    public static final class TooLong extends Exception {
        private static final long serialVersionUID = 1L;

        TooLong() {
            super("bcrypt: password length exceeds 72 bytes", null, false, false);
        }
    }

    /** So many others wait that it would take too long. */
    public static final class Busy extends Exception {
        private static final long serialVersionUID = 1L;

        Busy() {
            super("too many passwords wait to be looked at", null, false, false);
        }
    }

    private final int cost;
    private final SecretKeySpec key;
    private final ConcurrentHashMap<String, byte[]> remembered = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor threads;

    /**
     * Passwords of one process.
     *
     * @param cost of hashes that are made here; those that are there say their own
     */
    public Passwords(int cost) {
        this(cost, Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
    }

    Passwords(int cost, int count) {
        this.cost = cost;
        byte[] secret = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(secret);
        key = new SecretKeySpec(secret, MAC);
        threads = new ThreadPoolExecutor(count, count, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX),
                Thread.ofPlatform().daemon().name("passwords-", 0).factory());
        threads.allowCoreThreadTimeOut(true);
    }

    /** The hash of a password as the log has it: bcrypt's text, in base64. */
    public String hash(String password) throws TooLong, Busy, InterruptedException {
        byte[] bytes = password.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > PASSWORD_BYTES_MAX) {
            throw new TooLong();
        }
        byte[] hash = run(() -> BCrypt.with(LongPasswordStrategies.none()).hash(cost, bytes), made -> true);
        return Base64.getEncoder().encodeToString(hash);
    }

    /** Whether it is the user's password. */
    public boolean matches(User user, String password) throws Busy, InterruptedException {
        byte[] hash = user.password().toByteArray();
        byte[] bytes = password.getBytes(StandardCharsets.UTF_8);
        byte[] mac = mac(hash, bytes);
        String name = user.name().toUtf8();
        byte[] known = remembered.get(name);
        if (known != null && MessageDigest.isEqual(known, mac)) {
            return true;
        }
        if (!run(() -> verifies(bytes, hash), right -> right)) {
            return false;
        }
        if (remembered.size() >= REMEMBERED_MAX) {
            remembered.clear();
        }
        remembered.put(name, mac);
        return true;
    }

    /** False also where there is no hash. */
    private static boolean verifies(byte[] password, byte[] hash) {
        try {
            return BCrypt.verifyer(BCrypt.Version.VERSION_2A, LongPasswordStrategies.none())
                    .verify(password, hash).verified;
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    private byte[] mac(byte[] hash, byte[] password) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            // A hash that is one has no byte of zero, so where it ends is clear.
            mac.update(hash);
            mac.update((byte) 0);
            return mac.doFinal(password);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("a JDK without " + MAC, missing);
        }
    }

    private <T> T run(Supplier<T> work, Predicate<T> isGood) throws Busy, InterruptedException {
        CompletableFuture<T> done = new CompletableFuture<>();
        try {
            threads.execute(() -> {
                long begin = System.nanoTime();
                if (!isGood(work, isGood, done)) {
                    LockSupport.parkNanos(System.nanoTime() - begin);
                }
            });
            return done.get();
        } catch (RejectedExecutionException full) {
            throw new Busy();
        } catch (ExecutionException broken) {
            throw new IllegalStateException("a password could not be hashed", broken.getCause());
        }
    }

    /** Does it, tells who waits what came of it, and says whether that is good. */
    private static <T> boolean isGood(Supplier<T> work, Predicate<T> isGood, CompletableFuture<T> done) {
        try {
            T result = work.get();
            done.complete(result);
            return isGood.test(result);
        } catch (RuntimeException | Error broken) {
            done.completeExceptionally(broken);
            return false;
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
