package dev.quoin.server.auth;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.base.Bytes;
import dev.quoin.server.config.Refused;
import dev.quoin.store.AuthOutcome;
import dev.quoin.store.AuthView;
import dev.quoin.store.Caller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Tokens with a signature: made, read, refused. The keys in the resources were written by openssl 3. */
class JwtTokensTest {
    private static final AuthView AUTH = Views.after();
    private static final Tokens.Found NOBODYS = new Tokens.Found.Nobodys();
    private static final AuthOutcome.Authenticated LOGIN = new AuthOutcome.Authenticated(Bytes.utf8("al\"ice"),
            Bytes.EMPTY, 7);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private final ManualClock clock = new ManualClock();

    private String file(String name) {
        Path file = home.resolve(name);
        if (name.equals("secret")) {
            return write(file, "sixteen bytes or so");
        }
        try (InputStream in = Objects.requireNonNull(JwtTokensTest.class.getResourceAsStream(name), name)) {
            Files.write(file, in.readAllBytes());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return file.toString();
    }

    private static String write(Path file, String text) {
        try {
            return Files.writeString(file, text).toString();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private JwtConfig config(String method, @Nullable String privateKey, @Nullable String publicKey) throws Refused {
        Map<String, String> options = new HashMap<>(Map.of("sign-method", method));
        if (privateKey != null) {
            options.put("priv-key", file(privateKey));
        }
        if (publicKey != null) {
            options.put("pub-key", file(publicKey));
        }
        return JwtConfig.of(options);
    }

    private JwtTokens tokens(String method, @Nullable String privateKey, @Nullable String publicKey) throws Refused {
        return new JwtTokens(config(method, privateKey, publicKey), clock);
    }

    private static Tokens.Found of(String user, long revision) {
        return new Tokens.Found.Of(new Caller(user, revision));
    }

    private static String encoded(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String decoded(String part) {
        return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({"RS256, rsa-pkcs1.key, rsa.pub", "RS384, rsa.key, rsa.crt", "RS512, rsa.key, rsa-pkcs1.pub",
        "PS256, rsa-pkcs1.key, rsa.pub", "PS384, rsa.key, rsa.pub", "PS512, rsa.key, rsa.pub",
        "ES256, ec-p256-sec1.key, ec-p256.pub", "ES256, ec-p256.key, ec-p256.pub",
        "ES384, ec-p384-sec1.key, ec-p384.pub", "ES512, ec-p521-sec1.key, ec-p521.pub", "EdDSA, ed.key, ed.pub"})
    void whatOneMakesTheOtherReads(String method, String privateKey, String publicKey) throws Exception {
        String token = tokens(method, privateKey, null).issue(LOGIN);
        assertThat(decoded(token.split("\\.", -1)[0])).isEqualTo("{\"alg\":\"" + method + "\",\"typ\":\"JWT\"}");
        assertThat(decoded(token.split("\\.", -1)[1]))
                .isEqualTo("{\"exp\":1800000300,\"revision\":7,\"username\":\"al\\\"ice\"}");
        for (JwtTokens reader : new JwtTokens[]{tokens(method, privateKey, null), tokens(method, null, publicKey),
            tokens(method, privateKey, publicKey)}) {
            assertThat(reader.find(token, AUTH)).isEqualTo(of("al\"ice", 7));
            assertThat(reader.find(token, AUTH)).as("remembered").isEqualTo(of("al\"ice", 7));
            assertThat(reader.find(token.substring(0, token.length() - 8) + "AAAAAAAA", AUTH)).isEqualTo(NOBODYS);
        }
        assertThatThrownBy(() -> tokens(method, null, publicKey).issue(LOGIN)).isInstanceOf(Tokens.Refused.class)
                .hasMessage("auth: token signing attempted with verify-only key");
    }

    @ParameterizedTest
    @CsvSource({"HS256", "HS384", "HS512"})
    void aSecretSignsAndVerifies(String method) throws Exception {
        String token = tokens(method, "secret", null).issue(LOGIN);
        assertThat(tokens(method, "secret", null).find(token, AUTH)).isEqualTo(of("al\"ice", 7));
        assertThat(tokens("HS256", "rsa.key", null).find(token, AUTH)).isEqualTo(NOBODYS);
    }

    @Test
    void theAlgorithmIsTheOneConfiguredAndNoOther() throws Exception {
        JwtTokens reader = tokens("RS256", null, "rsa.pub");
        String claims = encoded("{\"username\":\"root\",\"revision\":9}");
        assertThat(reader.find(encoded("{\"alg\":\"none\"}") + "." + claims + ".", AUTH)).isEqualTo(NOBODYS);
        assertThat(reader.find(encoded("{\"alg\":\"RS256\"}") + "." + claims + ".", AUTH)).isEqualTo(NOBODYS);
        assertThat(reader.find(encoded("{}") + "." + claims + ".", AUTH)).isEqualTo(NOBODYS);
        // The public key, taken for the secret of an HMAC.
        String forged = signed(config("HS256", "rsa.pub", null), "HS256", "{\"username\":\"root\",\"revision\":9}");
        assertThat(reader.find(forged, AUTH)).isEqualTo(NOBODYS);
        String other = tokens("RS384", "rsa.key", null).issue(LOGIN);
        assertThat(reader.find(other, AUTH)).isEqualTo(NOBODYS);
    }

    private static String signed(JwtConfig config, String algorithm, String claims) throws Exception {
        String signed = encoded("{\"alg\":\"" + algorithm + "\"}") + "." + encoded(claims);
        byte[] signature = config.method().sign(Objects.requireNonNull(JwtKeys.read(config).signs()),
                signed.getBytes(StandardCharsets.ISO_8859_1));
        return signed + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
    }

    @Test
    void aTokenMustSayWhoItIsForAndFromWhichRevision() throws Exception {
        JwtConfig config = config("HS256", "secret", null);
        JwtTokens reader = new JwtTokens(config, clock);
        assertThat(reader.find(signed(config, "HS256", "{\"username\":\"a\",\"revision\":9}"), AUTH))
                .isEqualTo(of("a", 9));
        assertThat(reader.find(signed(config, "HS256", "{\"username\":\"a\",\"revision\":9,\"x\":[{}]}"), AUTH))
                .isEqualTo(of("a", 9));
        for (String claims : new String[]{"{}", "{\"username\":\"a\"}", "{\"revision\":9}",
            "{\"username\":1,\"revision\":9}", "{\"username\":\"a\",\"revision\":\"9\"}",
            "{\"username\":\"a\",\"revision\":-1}", "{\"username\":\"a\",\"revision\":1e30}", "[]", "", "7",
            "{\"username\":\"a\",\"revision\":9", "{\"username\":\"a\",\"revision\":9}{}",
            "{username:\"a\",revision:9}",
            "{\"username\":\"a\",\"revision\":9,\"exp\":\"never\"}", "{\"username\":null,\"revision\":9}"}) {
            assertThat(reader.find(signed(config, "HS256", claims), AUTH)).as(claims).isEqualTo(NOBODYS);
        }
    }

    @Test
    void aTokenHasItsTime() throws Exception {
        JwtConfig config = config("HS256", "secret", null);
        JwtTokens reader = new JwtTokens(config, clock);
        String token = reader.issue(LOGIN);
        clock.pass(Duration.ofSeconds(299));
        assertThat(reader.find(token, AUTH)).isEqualTo(of("al\"ice", 7));
        clock.pass(Duration.ofSeconds(1));
        assertThat(reader.find(token, AUTH)).as("though it is remembered").isEqualTo(NOBODYS);
        String later = signed(config, "HS256", "{\"username\":\"a\",\"revision\":9,\"nbf\":1800000301}");
        assertThat(reader.find(later, AUTH)).isEqualTo(NOBODYS);
        clock.pass(Duration.ofSeconds(1));
        assertThat(reader.find(later, AUTH)).isEqualTo(of("a", 9));
        assertThat(reader.find(signed(config, "HS256", "{\"username\":\"a\",\"revision\":9,\"exp\":0}"), AUTH))
                .isEqualTo(NOBODYS);
    }

    @Test
    void whatIsNoTokenIsNobodys() throws Exception {
        JwtTokens reader = tokens("RS256", null, "rsa.pub");
        for (String none : new String[]{"", ".", "..", "a.b.c", "a.b", "a.b.c.d", "%.%.%", "x".repeat(100_000)}) {
            assertThat(reader.find(none, AUTH)).isEqualTo(NOBODYS);
        }
    }

    @Test
    void keysAreReadAgainWhenTheirFilesHaveChanged() throws Exception {
        JwtConfig config = config("HS256", "secret", null);
        JwtTokens tokens = new JwtTokens(config, clock);
        String before = tokens.issue(LOGIN);
        assertThat(tokens.find(before, AUTH)).isEqualTo(of("al\"ice", 7));
        Path secret = Objects.requireNonNull(config.privateKey());
        change(secret, "quite another secret");
        tokens.sweep();
        assertThat(tokens.find(before, AUTH)).isEqualTo(NOBODYS);
        String after = tokens.issue(LOGIN);
        assertThat(tokens.find(after, AUTH)).isEqualTo(of("al\"ice", 7));
        change(secret, "");
        tokens.sweep();
        assertThat(tokens.find(after, AUTH)).as("an empty file is no key").isEqualTo(of("al\"ice", 7));
        Files.delete(secret);
        tokens.sweep();
        assertThat(tokens.find(after, AUTH)).isEqualTo(of("al\"ice", 7));
    }

    private static void change(Path file, String text) throws IOException {
        write(file, text);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(text.length())));
    }

    @Test
    void whatCannotSignIsRefused() {
        refused("auth: invalid auth options", "", "rsa.key", "rsa.pub");
        refused("auth: invalid auth options", "none", "rsa.key", null);
        refused("auth: invalid auth options", "RS257", "rsa.key", null);
        refused("auth: missing key data", "RS256", null, null);
        refused("auth: missing key data", "HS256", null, "rsa.pub");
        refused("auth: public and private keys don't match", "ES256", "ec-p256.key", "ec-p384.pub");
        refused("invalid key: ES256 needs one on the curve P-256", "ES256", "ec-p384-sec1.key", null);
        refused("invalid key: ES512 needs one on the curve P-521", "ES512", null, "ec-p256.pub");
        refused("invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key", "RS256", "secret", null);
        refused("invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key", "RS256", "rsa.pub", null);
        assertThatThrownBy(() -> config("RS256", "ed.key", null)).isInstanceOf(Refused.class)
                .hasMessageStartingWith("invalid key: a key for RS256 cannot be read: ");
        assertThatThrownBy(() -> JwtConfig.of(Map.of("sign-method", "RS256", "priv-key", home + "/absent")))
                .hasMessage("auth: invalid auth options");
        assertThatThrownBy(() -> JwtConfig.of(Map.of("sign-method", "RS256", "ttl", "5")))
                .hasMessage("auth: invalid auth options");
    }

    private void refused(String why, String method, @Nullable String privateKey, @Nullable String publicKey) {
        assertThatThrownBy(() -> config(method, privateKey, publicKey)).isInstanceOf(Refused.class).hasMessage(why);
    }
}
