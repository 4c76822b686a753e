package dev.quoin.server.auth;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Clock;
import dev.quoin.server.config.Flags;
import dev.quoin.server.config.Note;
import dev.quoin.server.config.Refused;

/**
 * How users prove who they are, as the flags say ({@code --auth-token}, {@code --auth-token-ttl}, {@code --bcrypt-cost},
 * {@code --client-cert-auth}). Refusals are etcd's (server/auth/store.go NewTokenProvider, options.go).
 *
 * @param kind of tokens
 * @param ttl how long a simple token lasts that is not shown
 * @param jwt how tokens are signed, if they are
 * @param bcryptCost the logarithm of what hashing a password costs
 * @param byCertificate whether the common name of a client's certificate says who it is, if no token does
 */
public record AuthConfig(Kind kind, Duration ttl, @Nullable JwtConfig jwt, int bcryptCost, boolean byCertificate) {
    /** What a token is. */
    public enum Kind {
        NONE, SIMPLE, JWT
    }

    /** As without flags. */
    public static final AuthConfig DEFAULT = new AuthConfig(Kind.SIMPLE, Duration.ofMinutes(5), null,
            Passwords.COST_DEFAULT, false);

    private static final String INVALID = "auth: invalid auth options";

    public static AuthConfig of(Flags flags) throws Refused {
        List<String> parts = Arrays.asList(flags.text("auth-token").split(",", -1));
        Map<String, String> options = options(parts.subList(1, parts.size()));
        Kind kind = switch (parts.getFirst()) {
            case "simple" -> Kind.SIMPLE;
            case "jwt" -> Kind.JWT;
            case "" -> Kind.NONE;
            default -> throw Refused.check(INVALID);
        };
        long seconds = flags.number("auth-token-ttl");
        return new AuthConfig(kind, seconds == 0 ? DEFAULT.ttl : Duration.ofSeconds(Math.min(seconds, 1L << 32)),
                kind == Kind.JWT ? JwtConfig.of(options) : null, cost(flags.number("bcrypt-cost")),
                flags.isTrue("client-cert-auth"));
    }

    private static Map<String, String> options(List<String> parts) throws Refused {
        Map<String, String> options = new HashMap<>();
        for (String part : parts) {
            List<String> pair = Arrays.asList(part.split("=", -1));
            if (pair.size() != 2 || options.put(pair.getFirst(), pair.getLast()) != null) {
                throw Refused.check(INVALID);
            }
        }
        return options;
    }

    private static int cost(long given) {
        return given < Passwords.COST_MIN || given > Passwords.COST_MAX ? Passwords.COST_DEFAULT : (int) given;
    }

    /** What etcd's log has to say about it. */
    public static List<Note> notes(Flags flags) {
        List<Note> notes = new ArrayList<>();
        if (flags.text("auth-token").startsWith("simple")) {
            notes.add(Note.warning("simple token is not cryptographically signed", Map.of()));
        }
        long cost = flags.number("bcrypt-cost");
        if (cost != cost(cost)) {
            notes.add(Note.warning("use default bcrypt cost instead of the invalid given cost",
                    Map.of("min-cost", Passwords.COST_MIN, "max-cost", Passwords.COST_MAX, "default-cost",
                            Passwords.COST_DEFAULT, "given-cost", cost)));
        }
        return notes;
    }

    /**
     * The tokens of a member.
     *
     * @param appliedIndex the last entry that it has applied
     */
    public Tokens tokens(Clock clock, LongSupplier appliedIndex) {
        if (jwt != null) {
            return new JwtTokens(jwt, clock);
        }
        return kind == Kind.SIMPLE ? new SimpleTokens(clock, ttl, appliedIndex) : new NoTokens();
    }
}
