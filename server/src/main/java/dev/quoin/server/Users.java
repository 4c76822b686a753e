package dev.quoin.server;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Clock;
import dev.quoin.member.Member;
import dev.quoin.net.LoopTurn;
import dev.quoin.net.Method;
import dev.quoin.server.auth.AuthConfig;
import dev.quoin.server.auth.Passwords;
import dev.quoin.server.auth.Tokens;
import dev.quoin.server.metrics.LimitMet;

/**
 * How a server knows its users, put together: tokens, which hear of the log before anybody is served, then the decision about
 * calls and the service by which users are managed.
 */
final class Users implements AutoCloseable {
    private final AuthConfig config;
    private final Tokens tokens;
    private final Passwords passwords;
    private volatile @Nullable Member member;

    Users(AuthConfig config, Clock clock) {
        this.config = config;
        tokens = config.tokens(clock, this::appliedIndex);
        passwords = new Passwords(config.bcryptCost());
    }

    private long appliedIndex() {
        Member running = member;
        return running == null ? 0 : running.appliedIndex();
    }

    /** For whoever hears what the member says. */
    Tokens tokens() {
        return tokens;
    }

    /**
     * The member has started.
     *
     * @param turn the end of a turn of the loops on which calls are decided
     */
    Access of(Member running, LoopTurn turn) {
        member = running;
        return new Access(running::view, running::read, tokens, config.byCertificate(), turn);
    }

    /** Whether who shows this token may change who belongs to the cluster, as far as is known here. */
    boolean mayChangeMembers(@Nullable String token) {
        Member running = member;
        return running != null && Access.isRoots(token, running.view(), tokens);
    }

    /** @param tooManyPasswords told whose password is not looked at */
    List<Method> methods(Member running, Access access, MemberCalls calls, LimitMet tooManyPasswords) {
        return new AuthService(running, access, calls, tokens, passwords, tooManyPasswords).methods();
    }

    /** About once a second: forgets tokens that are over, and looks after keys that have changed. */
    void tick() {
        tokens.sweep();
    }

    @Override
    public void close() {
        passwords.close();
    }
}
