package dev.quoin.server.auth;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.quoin.server.config.Durations;
import dev.quoin.server.config.Refused;

/**
 * How tokens are signed: {@code jwt,sign-method=…,pub-key=FILE,priv-key=FILE,ttl=…}. The files are read, and their keys found
 * fit, when the settings are (server/auth/options.go). Of other options nothing is said.
 *
 * @param publicKey the file with what verifies; null if that follows from the other
 * @param privateKey the file with what signs, or with the secret of an HMAC; null for a member that only verifies
 */
public record JwtConfig(JwtMethod method, @Nullable Path publicKey, @Nullable Path privateKey, Duration ttl) {
    private static final Duration TTL_DEFAULT = Duration.ofMinutes(5);
    private static final String INVALID = "auth: invalid auth options";

    static JwtConfig of(Map<String, String> options) throws Refused {
        String given = options.getOrDefault("ttl", "");
        Duration ttl = given.isEmpty()
                ? TTL_DEFAULT
                : Durations.parse(given).orElseThrow(() -> Refused.check(INVALID));
        JwtMethod method = JwtMethod.named(options.getOrDefault("sign-method", ""));
        if (method == null) {
            throw Refused.check(INVALID);
        }
        JwtConfig config = new JwtConfig(method, path(options.get("pub-key")), path(options.get("priv-key")), ttl);
        try {
            JwtKeys.read(config);
        } catch (IOException unreadable) {
            throw Refused.check(INVALID);
        } catch (JwtKeys.Unfit unfit) {
            throw Refused.check(String.valueOf(unfit.getMessage()));
        }
        return config;
    }

    private static @Nullable Path path(@Nullable String option) {
        return option == null || option.isEmpty() ? null : Path.of(option);
    }
}
