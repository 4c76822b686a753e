package dev.quoin.base;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.HexFormat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Keys that belong together, and keys that do not. */
class KeyPairsTest {
    private static KeyPair made(String algorithm) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        if (algorithm.equals("EC")) {
            generator.initialize(256);
        }
        return generator.generateKeyPair();
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA", "Ed25519", "Ed448"})
    void thoseThatWereMadeTogetherAndNoOthers(String algorithm) throws Exception {
        KeyPair one = made(algorithm);
        KeyPair other = made(algorithm);
        assertThat(KeyPairs.isPair(one.getPrivate(), one.getPublic())).isTrue();
        assertThat(KeyPairs.isPair(one.getPrivate(), other.getPublic())).isFalse();
    }

    /** As openssl writes them: {@code [1] BIT STRING} behind the secret (RFC 5915 §3). */
    private static PrivateKey withPoint(KeyPair pair) throws Exception {
        byte[] known = pair.getPublic().getEncoded();
        byte[] bare = pair.getPrivate().getEncoded(); // the JDK leaves the point away
        HexFormat hex = HexFormat.of();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        // SEQUENCE { 0, SEQUENCE { ecPublicKey, prime256v1 }, OCTET STRING { SEQUENCE { 1, OCTET STRING of 32, [1] BIT STRING of 66 } } }
        whole.write(hex.parseHex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"));
        whole.write(bare, bare.length - 32, 32);
        whole.write(hex.parseHex("a144034200"));
        whole.write(known, known.length - 65, 65);
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(whole.toByteArray()));
    }

    @Test
    void thePointThatComesWithAKeyIsLookedAt() throws Exception {
        KeyPair one = made("EC");
        PrivateKey key = withPoint(one);
        assertThat(key.getEncoded()).endsWith(one.getPublic().getEncoded()[90]);
        assertThat(KeyPairs.isPair(key, one.getPublic())).isTrue();
        assertThat(KeyPairs.isPair(key, made("EC").getPublic())).isFalse();
    }

    @Test
    void keysOfDifferentKindsAreNone() throws Exception {
        PrivateKey rsa = made("RSA").getPrivate();
        assertThatThrownBy(() -> KeyPairs.isPair(rsa, made("EC").getPublic()))
                .isInstanceOf(GeneralSecurityException.class);
    }
}
