package dev.quoin.server.auth;

import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;

import javax.crypto.Mac;

import org.jspecify.annotations.Nullable;

/** The ways to sign a token (RFC 7518 §3, RFC 8037), with what the JDK calls them. */
enum JwtMethod {
    RS256("RS256", Family.RSA, "SHA256withRSA", 256), RS384("RS384", Family.RSA, "SHA384withRSA", 384),
    RS512("RS512", Family.RSA, "SHA512withRSA", 512), PS256("PS256", Family.RSA, "RSASSA-PSS", 256),
    PS384("PS384", Family.RSA, "RSASSA-PSS", 384), PS512("PS512", Family.RSA, "RSASSA-PSS", 512),
    ES256("ES256", Family.EC, "SHA256withECDSAinP1363Format", 256),
    ES384("ES384", Family.EC, "SHA384withECDSAinP1363Format", 384),
    ES512("ES512", Family.EC, "SHA512withECDSAinP1363Format", 521), EDDSA("EdDSA", Family.ED, "Ed25519", 0),
    HS256("HS256", Family.HMAC, "HmacSHA256", 256), HS384("HS384", Family.HMAC, "HmacSHA384", 384),
    HS512("HS512", Family.HMAC, "HmacSHA512", 512);

    /** What a key is for. */
    enum Family {
        RSA, EC, ED, HMAC
    }

    private final String title;
    private final Family family;
    private final String algorithm;
    private final int bits;

    /** @param bits of the hash; of the curve, where that decides */
    JwtMethod(String title, Family family, String algorithm, int bits) {
        this.title = title;
        this.family = family;
        this.algorithm = algorithm;
        this.bits = bits;
    }

    /** Null if there is none of that name; {@code none} is none. */
    static @Nullable JwtMethod named(String title) {
        for (JwtMethod method : values()) {
            if (method.title.equals(title)) {
                return method;
            }
        }
        return null;
    }

    /** As {@code alg} says it. */
    String title() {
        return title;
    }

    Family family() {
        return family;
    }

    /** The size of the curve, for those on one of NIST's. */
    int curveBits() {
        return bits;
    }

    byte[] sign(Key key, byte[] signed) throws GeneralSecurityException {
        if (family == Family.HMAC) {
            return mac(key, signed);
        }
        Signature signature = signature();
        signature.initSign((PrivateKey) key);
        signature.update(signed);
        return signature.sign();
    }

    /** False also for what is no signature at all. */
    boolean verifies(Key key, byte[] signed, byte[] claimed) {
        try {
            if (family == Family.HMAC) {
                return MessageDigest.isEqual(mac(key, signed), claimed);
            }
            Signature signature = signature();
            signature.initVerify((PublicKey) key);
            signature.update(signed);
            return signature.verify(claimed);
        } catch (GeneralSecurityException malformed) {
            return false;
        }
    }

    private byte[] mac(Key key, byte[] signed) throws GeneralSecurityException {
        Mac mac = Mac.getInstance(algorithm);
        mac.init(key);
        return mac.doFinal(signed);
    }

    private Signature signature() throws GeneralSecurityException {
        Signature signature = Signature.getInstance(algorithm);
        if (algorithm.equals("RSASSA-PSS")) {
            MGF1ParameterSpec mask = switch (bits) {
                case 256 -> MGF1ParameterSpec.SHA256;
                case 384 -> MGF1ParameterSpec.SHA384;
                default -> MGF1ParameterSpec.SHA512;
            };
            signature.setParameter(new PSSParameterSpec("SHA-" + bits, "MGF1", mask, bits / 8, 1));
        }
        return signature;
    }
}
