package dev.quoin.server.auth;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Map;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

import dev.quoin.server.config.Refused;
import dev.quoin.store.AuthView;

/** A token: as it stands, or, as the first byte says, its claims or its head signed with the right key. */
public final class JwtFuzz {
    private static final byte[] SECRET = "as good as any other".getBytes(StandardCharsets.UTF_8);
    private static final AuthView AUTH = Views.after();
    private static final JwtTokens TOKENS = tokens();
    private static final String HEAD = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    private static final String CLAIMS = "{\"username\":\"root\",\"revision\":1,\"exp\":9e9}";
    private static final int KINDS = 3;

    private JwtFuzz() {}

    private static JwtTokens tokens() {
        try {
            Path secret = Files.createTempFile("quoin-", ".secret");
            try {
                Files.write(secret, SECRET);
                return new JwtTokens(JwtConfig.of(Map.of("sign-method", "HS256", "priv-key", secret.toString())),
                        new ManualClock());
            } finally {
                Files.delete(secret);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (Refused refused) {
            throw new AssertionError(refused);
        }
    }

    public static void fuzzerTestOneInput(byte[] input) throws GeneralSecurityException {
        if (input.length == 0) {
            return;
        }
        String text = new String(input, 1, input.length - 1, StandardCharsets.UTF_8);
        TOKENS.find(switch ((input[0] & 0xff) % KINDS) {
            case 0 -> text;
            case 1 -> signed(HEAD, text);
            default -> signed(text, CLAIMS);
        }, AUTH);
    }

    private static String signed(String head, String claims) throws GeneralSecurityException {
        Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
        String text = base64.encodeToString(head.getBytes(StandardCharsets.UTF_8)) + "."
                + base64.encodeToString(claims.getBytes(StandardCharsets.UTF_8));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET, "HmacSHA256"));
        return text + "." + base64.encodeToString(mac.doFinal(text.getBytes(StandardCharsets.US_ASCII)));
    }
}
