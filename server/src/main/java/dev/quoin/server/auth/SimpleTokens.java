package dev.quoin.server.auth;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

import dev.quoin.base.Bytes;
import dev.quoin.base.Clock;
import dev.quoin.base.Invariant;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;

/**
 * Tokens that mean nothing by themselves: {@code LETTERS.INDEX}, 16 letters of chance, and the place in the log before the
 * entry that says whose they are (server/auth/simple_token.go; etcdserver/apply gives it the index that is consistent by then,
 * which is the one of the entry before). Every member applies that entry, and so knows the token, whoever gave it; one that has
 * not done so yet can tell by the index.
 *
 * <p>Each member forgets a token for itself, when it has not been shown there for the time that tokens last; and all forget it
 * when access is no longer controlled, or its user is deleted or has another password. After a restart none is known.
 *
 * <p>Bounded: at most {@link #TOKENS_MAX}. Who logs in beyond that makes somebody log in again: of those who logged in first one
 * whose token was not shown since it was last passed over. So whoever logs in without end has his own tokens forgotten, not those
 * in use.
 */
public final class SimpleTokens implements Tokens {
    static final int TOKENS_MAX = 200_000;
    /** Tokens in use that are passed over, before one of them goes all the same: all may be in use. */
    private static final int PASSED_OVER_MAX = 64;
    private static final int LETTER_COUNT = 16;
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /** What is known of a token, by its letters. */
    private static final class Issued {
        private final String user;
        private final long index;
        private final AtomicLong until;
        /** What {@code until} was when it last stood at the end of the order; of the thread that keeps the order. */
        private long untilThen;

        Issued(String user, long index, long until) {
            this.user = user;
            this.index = index;
            this.until = new AtomicLong(until);
            untilThen = until;
        }

        /** Whether it was shown since this was asked last, or since it is known. */
        boolean wasShown() {
            long now = until.get();
            boolean was = now != untilThen;
            untilThen = now;
            return was;
        }
    }

    private final Clock clock;
    private final long ttlNanos;
    private final LongSupplier appliedIndex;
    private final SecureRandom chance = new SecureRandom();
    private final ConcurrentHashMap<String, Issued> tokens = new ConcurrentHashMap<>();
    /** Their letters in the order of the log, with some of those that are gone; of the thread that tells what the log says. */
    private final ArrayDeque<String> inOrder = new ArrayDeque<>();

    /**
     * Tokens that one member knows: none yet.
     *
     * @param ttl how long a token lasts that is not shown
     * @param appliedIndex the last entry that this member has applied
     */
    public SimpleTokens(Clock clock, Duration ttl, LongSupplier appliedIndex) {
        this.clock = clock;
        ttlNanos = ttl.toNanos();
        this.appliedIndex = appliedIndex;
    }

    @Override
    public String prefix() {
        StringBuilder letters = new StringBuilder(LETTER_COUNT);
        for (int i = 0; i < LETTER_COUNT; i++) {
            letters.append(LETTERS.charAt(chance.nextInt(LETTERS.length())));
        }
        return letters.toString();
    }

    @Override
    public Found find(String token, AuthView auth) {
        int dot = token.indexOf('.');
        long index = dot < 0 ? -1 : index(token, dot + 1);
        if (index < 0) {
            return new Found.Nobodys();
        }
        // First this, then the tokens: an entry is applied only when its token is known.
        boolean isApplied = index < appliedIndex.getAsLong();
        Issued issued = tokens.get(token.substring(0, dot));
        if (issued == null || issued.index != index) {
            return isApplied ? new Found.Nobodys() : new Found.NotYet();
        }
        return isStillGood(issued)
                ? new Found.Of(new Caller(issued.user, auth.revision()))
                : new Found.Nobodys();
    }

    /** Shown in time it lasts for all of its time again; once it is over, nothing brings it back. */
    private boolean isStillGood(Issued issued) {
        long now = clock.nanos();
        while (true) {
            long until = issued.until.get();
            if (now - until > 0) {
                return false;
            }
            if (issued.until.compareAndSet(until, now + ttlNanos)) {
                return true;
            }
        }
    }

    /** A number as Go's ParseUint reads it; -1 if it is none. No log is so long that it would need all 64 bits. */
    private static long index(String token, int from) {
        long index = 0;
        if (from == token.length() || token.length() - from > 18) {
            return -1;
        }
        for (int i = from; i < token.length(); i++) {
            int digit = token.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            index = 10 * index + digit;
        }
        return index;
    }

    @Override
    public String issue(AuthOutcome.Authenticated login) {
        Issued issued = tokens.get(login.simpleToken().toUtf8());
        // Gone already if the user was deleted in the same moment: the token is then as good as any that has ended.
        long index = issued == null ? 0 : issued.index;
        return login.simpleToken().toUtf8() + "." + index;
    }

    @Override
    public void noted(long index, AuthOutcome outcome) {
        switch (outcome) {
            case AuthOutcome.Authenticated(Bytes user, Bytes letters, long _) when !letters.isEmpty() ->
                add(letters.toUtf8(), new Issued(user.toUtf8(), index - 1, clock.nanos() + ttlNanos));
            case AuthOutcome.LoggedOut(Bytes user) -> {
                String name = user.toUtf8();
                tokens.values().removeIf(issued -> issued.user.equals(name));
            }
            case AuthOutcome.Disabled() -> {
                tokens.clear();
                inOrder.clear();
            }
            case AuthOutcome.Authenticated _,AuthOutcome.Enabled _,AuthOutcome.Done _,AuthOutcome.Status _ -> {}
            case AuthOutcome.UserRoles _,AuthOutcome.Users _,AuthOutcome.RolePermissions _,AuthOutcome.Roles _ -> {}
            case AuthOutcome.Refused refused -> throw Invariant.violation("a refusal is noted: %s", refused);
        }
    }

    private void add(String letters, Issued issued) {
        int passedOver = 0;
        while (tokens.size() >= TOKENS_MAX && !inOrder.isEmpty()) {
            String first = inOrder.remove();
            Issued known = tokens.get(first);
            if (known != null && known.wasShown() && passedOver < PASSED_OVER_MAX) {
                inOrder.add(first);
                passedOver++;
            } else {
                tokens.remove(first);
            }
        }
        if (inOrder.size() >= 2 * TOKENS_MAX) {
            inOrder.removeIf(old -> !tokens.containsKey(old));
        }
        inOrder.add(letters);
        tokens.put(letters, issued);
    }

    @Override
    public void sweep() {
        long now = clock.nanos();
        tokens.values().removeIf(issued -> now - issued.until.get() > 0);
    }

    /** How many are known. */
    int size() {
        return tokens.size();
    }
}
