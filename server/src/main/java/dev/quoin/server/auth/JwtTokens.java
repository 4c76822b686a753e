package dev.quoin.server.auth;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.Clock;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;

/**
 * Tokens that say themselves whose they are, with a signature (RFC 7519; server/auth/jwt.go): claims {@code username}, {@code
 * revision}, that of users and roles when it was made, and {@code exp}. Nothing is kept of them, so none can be taken back; but
 * any change of users or roles makes them too old for everything but what root may. Others may make them, who have the key.
 *
 * <p>The algorithm is the one that was configured: what a token says of itself must be the same, and chooses nothing.
 *
 * <p>The key files are looked at once a second ({@link #sweep}); if they have changed the new keys count, and tokens under the
 * old ones are none any more. Files that cannot be used are told in the log, and the keys stay as they are.
 *
 * <p>Verified tokens are remembered, up to {@link #REMEMBERED_MAX} that are not long: a signature costs more than a read.
 */
final class JwtTokens implements Tokens {
    private static final Logger LOG = LoggerFactory.getLogger(JwtTokens.class);
    static final int REMEMBERED_MAX = 10_000;
    private static final int REMEMBERED_CHARS_MAX = 2_048;
    private static final int TOKEN_CHARS_MAX = 16_384;
    private static final String VERIFY_ONLY = "auth: token signing attempted with verify-only key";
    private static final double REVISION_END = 0x1p63;

    /** What a verified token says. */
    private record Claims(String user, long revision, double notBefore, double expires) {
        boolean isGood(Instant now) {
            double seconds = now.toEpochMilli() / 1_000.0;
            return seconds >= notBefore && seconds < expires;
        }
    }

    /** How a file looks from outside. */
    private record Stamp(@Nullable FileTime modified, long length) {}

    /** The keys in use; the tokens that were verified with them; the files they are from. */
    private record Loaded(JwtKeys keys, ConcurrentHashMap<String, Claims> verified, List<Stamp> stamps) {}

    private final JwtConfig config;
    private final Clock clock;
    private volatile Loaded loaded;

    /** @throws IllegalStateException if the files have become unfit since they were checked */
    JwtTokens(JwtConfig config, Clock clock) {
        this.config = config;
        this.clock = clock;
        List<Stamp> stamps = stamps();
        try {
            loaded = new Loaded(JwtKeys.read(config), new ConcurrentHashMap<>(), stamps);
        } catch (IOException | JwtKeys.Unfit unfit) {
            throw new IllegalStateException("the keys for tokens cannot be read: " + unfit.getMessage(), unfit);
        }
    }

    @Override
    public Found find(String token, AuthView auth) {
        Loaded now = loaded;
        Claims claims = now.verified.get(token);
        if (claims == null) {
            claims = verified(token, now.keys);
            if (claims != null) {
                remember(now.verified, token, claims);
            }
        }
        return claims != null && claims.isGood(clock.now())
                ? new Found.Of(new Caller(claims.user, claims.revision))
                : new Found.Nobodys();
    }

    private static void remember(ConcurrentHashMap<String, Claims> verified, String token, Claims claims) {
        if (token.length() > REMEMBERED_CHARS_MAX) {
            return;
        }
        if (verified.size() >= REMEMBERED_MAX) {
            verified.clear();
        }
        verified.put(token, claims);
    }

    private @Nullable Claims verified(String token, JwtKeys keys) {
        int first = token.indexOf('.');
        int second = token.indexOf('.', first + 1);
        if (token.length() > TOKEN_CHARS_MAX || first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0) {
            return null;
        }
        try {
            Base64.Decoder base64 = Base64.getUrlDecoder();
            if (!isOurs(text(base64.decode(token.substring(0, first))))) {
                return null;
            }
            byte[] signed = token.substring(0, second).getBytes(StandardCharsets.ISO_8859_1);
            if (!config.method().verifies(keys.verifies(), signed, base64.decode(token.substring(second + 1)))) {
                return null;
            }
            return claims(text(base64.decode(token.substring(first + 1, second))));
        } catch (IOException | IllegalArgumentException | IllegalStateException malformed) {
            return null;
        }
    }

    private static String text(byte[] json) {
        return new String(json, StandardCharsets.UTF_8);
    }

    private boolean isOurs(String header) throws IOException {
        String algorithm = "";
        try (JsonReader json = reader(header)) {
            json.beginObject();
            while (json.hasNext()) {
                if (json.nextName().equals("alg")) {
                    algorithm = json.nextString();
                } else {
                    json.skipValue();
                }
            }
            json.endObject();
        }
        return algorithm.equals(config.method().title());
    }

    /** Null if it does not say who it is for; what is said of time must be a time. */
    private static @Nullable Claims claims(String payload) throws IOException {
        String user = null;
        double revision = -1;
        double notBefore = Double.NEGATIVE_INFINITY;
        double expires = Double.POSITIVE_INFINITY;
        try (JsonReader json = reader(payload)) {
            json.beginObject();
            while (json.hasNext()) {
                switch (json.nextName()) {
                    case "username" -> user = json.peek() == JsonToken.STRING ? json.nextString() : skip(json);
                    case "revision" -> revision = number(json);
                    case "nbf" -> notBefore = number(json);
                    case "exp" -> expires = number(json);
                    default -> json.skipValue();
                }
            }
            json.endObject();
            if (json.peek() != JsonToken.END_DOCUMENT) {
                return null;
            }
        }
        return user == null || revision < 0 || revision >= REVISION_END
                ? null
                : new Claims(user, (long) revision, notBefore, expires);
    }

    private static @Nullable String skip(JsonReader json) throws IOException {
        json.skipValue();
        return null;
    }

    private static double number(JsonReader json) throws IOException {
        if (json.peek() != JsonToken.NUMBER) {
            throw new IllegalStateException("a number is no number");
        }
        return json.nextDouble();
    }

    private static JsonReader reader(String json) {
        JsonReader reader = new JsonReader(new StringReader(json));
        reader.setStrictness(Strictness.STRICT);
        return reader;
    }

    @Override
    public String prefix() {
        return "";
    }

    @Override
    public String issue(AuthOutcome.Authenticated login) throws Refused {
        JwtKeys keys = loaded.keys;
        if (keys.signs() == null) {
            throw new Refused(VERIFY_ONLY);
        }
        String header = "{\"alg\":\"" + config.method().title() + "\",\"typ\":\"JWT\"}";
        String payload = "{\"exp\":" + expiry(config.ttl()) + ",\"revision\":"
                + Long.toUnsignedString(login.authRevision()) + ",\"username\":"
                + new JsonPrimitive(login.user().toUtf8()) + "}";
        String signed = encoded(header.getBytes(StandardCharsets.UTF_8)) + "."
                + encoded(payload.getBytes(StandardCharsets.UTF_8));
        try {
            return signed + "." + encoded(
                    config.method().sign(keys.signs(), signed.getBytes(StandardCharsets.ISO_8859_1)));
        } catch (GeneralSecurityException unfit) {
            throw new Refused(String.valueOf(unfit.getMessage()));
        }
    }

    private long expiry(Duration ttl) {
        return clock.now().plus(ttl).getEpochSecond();
    }

    private static String encoded(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Nothing is kept that the log could take back. */
    @Override
    public void noted(long index, AuthOutcome outcome) {}

    @Override
    public void sweep() {
        Loaded now = loaded;
        now.verified.values().removeIf(claims -> !claims.isGood(clock.now()));
        List<Stamp> stamps = stamps();
        if (stamps.equals(now.stamps)) {
            return;
        }
        try {
            loaded = new Loaded(JwtKeys.read(config), new ConcurrentHashMap<>(), stamps);
            LOG.atInfo().addKeyValue("sign-method", config.method().title()).log("loaded the keys for tokens again");
        } catch (IOException | JwtKeys.Unfit unfit) {
            loaded = new Loaded(now.keys, now.verified, stamps);
            LOG.atError().addKeyValue("error", unfit.getMessage())
                    .log("the files with the keys for tokens have changed and cannot be used; going on with the keys as"
                            + " they were");
        }
    }

    private List<Stamp> stamps() {
        List<Stamp> stamps = new ArrayList<>();
        for (Path file : new Path[]{config.publicKey(), config.privateKey()}) {
            if (file != null) {
                stamps.add(stamp(file));
            }
        }
        return stamps;
    }

    private static Stamp stamp(Path file) {
        try {
            return new Stamp(Files.getLastModifiedTime(file), Files.size(file));
        } catch (IOException absent) {
            return new Stamp(null, -1);
        }
    }
}
