package dev.quoin.cert;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

import dev.quoin.base.Invariant;

/** Which keys can be made: those that Go's TLS and the JDK's both know. */
enum KeyKind {
    /** ECDSA over NIST's P-256: small, quick, known everywhere. */
    P256,
    /** The same over P-384. */
    P384,
    /** The same over P-521, which etcd takes for certificates that it makes for itself. */
    P521,
    /** RSA of 3072 bits, for clients that know nothing else. */
    RSA3072;

    /** The one that a command line calls so. */
    static Optional<KeyKind> of(String name) {
        return Stream.of(values()).filter(kind -> kind.title().equals(name)).findFirst();
    }

    String title() {
        return name().toLowerCase(Locale.ROOT);
    }

    KeyPair generate() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(this == RSA3072 ? "RSA" : "EC");
            generator.initialize(switch (this) {
                case P256 -> new ECGenParameterSpec("secp256r1");
                case P384 -> new ECGenParameterSpec("secp384r1");
                case P521 -> new ECGenParameterSpec("secp521r1");
                case RSA3072 -> new RSAKeyGenParameterSpec(3072, RSAKeyGenParameterSpec.F4);
            });
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw Invariant.violation("this JDK makes no keys of kind %s: %s", title(), e.getMessage());
        }
    }
}
