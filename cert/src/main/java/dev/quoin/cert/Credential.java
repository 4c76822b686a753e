package dev.quoin.cert;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;

import dev.quoin.base.KeyPairs;

/** A certificate with its key: what somebody shows to others, and can prove to be theirs. Immutable. */
public record Credential(X509Certificate certificate, PrivateKey key) {
    /** @throws IOException a file cannot be read, or they do not belong together; the text names it */
    static Credential read(Path certificateFile, Path keyFile) throws IOException {
        X509Certificate certificate = PemFiles.readCertificate(certificateFile);
        PrivateKey key = PemFiles.readKey(keyFile);
        PublicKey certified = certificate.getPublicKey();
        if (!(certified instanceof RSAPublicKey) && !(certified instanceof ECPublicKey)) {
            throw new IOException(certificateFile + " has a key for " + certified.getAlgorithm()
                    + ", and only RSA and EC are known here");
        }
        if (!isPair(key, certified)) {
            throw new IOException("the key in " + keyFile + " is not that of " + certificateFile);
        }
        return new Credential(certificate, key);
    }

    private static boolean isPair(PrivateKey key, PublicKey certified) {
        try {
            return KeyPairs.isPair(key, certified);
        } catch (GeneralSecurityException otherKindOfKey) {
            return false;
        }
    }

    /** How a key signs, by the JDK's name: with the hash that is as strong as the key (RFC 5480 §4). */
    static String signature(PublicKey key) {
        if (!(key instanceof ECPublicKey curve)) {
            return "SHA256withRSA";
        }
        int bits = curve.getParams().getOrder().bitLength();
        if (bits <= 256) {
            return "SHA256withECDSA";
        }
        return bits <= 384 ? "SHA384withECDSA" : "SHA512withECDSA";
    }

    /**
     * Writes both, in the place of what is there, each file in one step: the key first, so that who finds the certificate finds
     * its key. Whoever reads between the two steps has a pair that does not belong together.
     */
    public void write(Path certificateFile, Path keyFile) throws IOException {
        PemFiles.writeKey(keyFile, key);
        PemFiles.writeCertificate(certificateFile, certificate);
    }

    Lifetime lifetime() {
        return new Lifetime(certificate.getNotBefore().toInstant(), certificate.getNotAfter().toInstant());
    }
}
