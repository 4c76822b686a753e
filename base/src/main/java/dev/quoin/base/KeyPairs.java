package dev.quoin.base;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAKey;
import java.util.Arrays;

/** Which private key belongs to which public one. */
public final class KeyPairs {
    /** Signed to see whether a key belongs to another. */
    private static final byte[] PROBE = {1};

    private KeyPairs() {}

    /**
     * Whether the two are a pair; keys of RSA, on elliptic curves, and of Edwards curves.
     *
     * @throws GeneralSecurityException the keys are of different kinds, or of one that signs nothing
     */
    public static boolean isPair(PrivateKey key, PublicKey known) throws GeneralSecurityException {
        if (known instanceof RSAKey there && key instanceof RSAKey here) {
            return there.getModulus().equals(here.getModulus());
        }
        if (known instanceof ECPublicKey point && endsWith(key.getEncoded(), point)) {
            return true;
        }
        Signature signature = Signature.getInstance(known instanceof ECPublicKey ? "SHA256withECDSA" : "EdDSA");
        signature.initSign(key);
        signature.update(PROBE);
        byte[] signed = signature.sign();
        signature.initVerify(known);
        signature.update(PROBE);
        return signature.verify(signed);
    }

    /**
     * Whether a private key brings this public one with it, as what most programs write does: the point comes last (RFC 5915 §3). To sign
     * something and see whether that fits is slow in a JVM that has just started.
     */
    private static boolean endsWith(byte[] key, ECPublicKey known) {
        int length = 2 * ((known.getParams().getCurve().getField().getFieldSize() + Byte.SIZE - 1) / Byte.SIZE);
        byte[] encoded = known.getEncoded();
        return key.length > length && Arrays.equals(encoded, encoded.length - length, encoded.length, key,
                key.length - length, key.length);
    }
}
