package dev.quoin.server.auth;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.interfaces.ECKey;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.crypto.spec.SecretKeySpec;

import org.jspecify.annotations.Nullable;

/**
 * The keys of {@link JwtTokens}: PEM files in the forms that openssl writes (PKCS#1, SEC 1, PKCS#8, a public key, a
 * certificate), or the bytes of a file as the secret of an HMAC. A value; refusals are etcd's (server/auth/options.go) and, for
 * what is no key, those of the library that it uses.
 *
 * @param signs null for who only verifies
 */
record JwtKeys(@Nullable Key signs, Key verifies) {
    private static final int FILE_BYTES_MAX = 1 << 20;
    private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----",
            Pattern.DOTALL);
    private static final byte[] CHALLENGE = "do these keys belong together?".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};
    /** AlgorithmIdentifier of rsaEncryption, and the name of id-ecPublicKey (RFC 3279). */
    private static final byte[] RSA = {0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d,
        0x01, 0x01, 0x01, 0x05, 0x00};
    private static final byte[] EC = {0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01};

    /** Keys that cannot be used, and why. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String why) {
            super(why);
        }
    }

    private static final class Block {
        private final String label;
        private final byte[] content;

        Block(String label, byte[] content) {
            this.label = label;
            this.content = content;
        }
    }

    /**
     * Reads the files.
     *
     * @throws IOException if one cannot be read
     * @throws Unfit if what they hold cannot be used
     */
    static JwtKeys read(JwtConfig config) throws IOException, Unfit {
        byte[] secret = config.privateKey() == null ? new byte[0] : bytes(config.privateKey());
        byte[] open = config.publicKey() == null ? new byte[0] : bytes(config.publicKey());
        JwtMethod method = config.method();
        if (secret.length == 0 && (open.length == 0 || method.family() == JwtMethod.Family.HMAC)) {
            throw new Unfit("auth: missing key data");
        }
        if (method.family() == JwtMethod.Family.HMAC) {
            Key key = new SecretKeySpec(secret, method.title());
            return new JwtKeys(key, key);
        }
        try {
            PublicKey given = open.length == 0 ? null : publicKey(method, open);
            if (secret.length == 0 && given != null) {
                return new JwtKeys(null, onCurve(method, given));
            }
            return pair(method, privateKey(method, secret), given);
        } catch (GeneralSecurityException | IllegalArgumentException | IndexOutOfBoundsException
                | ArithmeticException malformed) {
            throw new Unfit("invalid key: a key for " + method.title() + " cannot be read: " + malformed.getMessage());
        }
    }

    private static JwtKeys pair(JwtMethod method, PrivateKey key, @Nullable PublicKey given)
            throws GeneralSecurityException, Unfit {
        PublicKey own = onCurve(method, publicOf(key));
        if (given != null && !given.equals(own)) {
            throw new Unfit("auth: public and private keys don't match");
        }
        if (!method.verifies(own, CHALLENGE, method.sign(key, CHALLENGE))) {
            throw new Unfit("auth: public and private keys don't match");
        }
        return new JwtKeys(key, own);
    }

    private static PublicKey onCurve(JwtMethod method, PublicKey key) throws Unfit {
        if (key instanceof ECKey ec && ec.getParams().getCurve().getField().getFieldSize() != method.curveBits()) {
            throw new Unfit("invalid key: " + method.title() + " needs one on the curve P-" + method.curveBits());
        }
        return key;
    }

    private static byte[] bytes(Path file) throws IOException {
        if (Files.size(file) > FILE_BYTES_MAX) {
            throw new IOException(file + " is larger than any key");
        }
        return Files.readAllBytes(file);
    }

    private static Block block(byte[] file, String endOfLabel, String orLabel) throws Unfit {
        Matcher blocks = BLOCK.matcher(new String(file, StandardCharsets.ISO_8859_1));
        while (blocks.find()) {
            if (blocks.group(1).endsWith(endOfLabel) || blocks.group(1).equals(orLabel)) {
                return new Block(blocks.group(1), Base64.getMimeDecoder().decode(blocks.group(2)));
            }
        }
        throw new Unfit("invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key");
    }

    private static KeyFactory factory(JwtMethod method) throws GeneralSecurityException {
        return KeyFactory.getInstance(switch (method.family()) {
            case RSA -> "RSA";
            case EC -> "EC";
            case ED -> "Ed25519";
            case HMAC -> throw new GeneralSecurityException("a secret is no pair of keys");
        });
    }

    // ---- public keys

    private static PublicKey publicKey(JwtMethod method, byte[] file) throws GeneralSecurityException, Unfit {
        Block block = block(file, "PUBLIC KEY", "CERTIFICATE");
        PublicKey key = switch (block.label) {
            case "CERTIFICATE" -> CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(block.content)).getPublicKey();
            case "RSA PUBLIC KEY" -> factory(method).generatePublic(new X509EncodedKeySpec(
                    element(0x30, RSA, element(0x03, new byte[1], block.content))));
            default -> factory(method).generatePublic(new X509EncodedKeySpec(block.content));
        };
        // A certificate may hold a key of any kind.
        return (PublicKey) factory(method).translateKey(key);
    }

    // ---- private keys

    private static PrivateKey privateKey(JwtMethod method, byte[] file) throws GeneralSecurityException, Unfit {
        Block block = block(file, "PRIVATE KEY", "PRIVATE KEY");
        byte[] content = switch (block.label) {
            case "RSA PRIVATE KEY" -> element(0x30, VERSION_0, RSA, element(0x04, block.content));
            case "EC PRIVATE KEY" -> element(0x30, VERSION_0, element(0x30, EC, curveOf(block.content)),
                    element(0x04, block.content));
            default -> block.content;
        };
        return factory(method).generatePrivate(new PKCS8EncodedKeySpec(content));
    }

    /** The parameters in an ECPrivateKey (RFC 5915): behind version and number, with the tag [0]. */
    private static byte[] curveOf(byte[] key) throws Unfit {
        int at = content(key, 0);
        at = end(key, at);
        at = end(key, at);
        if (at >= key.length || (key[at] & 0xff) != 0xa0) {
            throw new Unfit("invalid key: it does not say on which curve it is");
        }
        return Arrays.copyOfRange(key, content(key, at), end(key, at));
    }

    /** What verifies what this key signs; the JDK does not say it of itself. */
    private static PublicKey publicOf(PrivateKey key) throws GeneralSecurityException, Unfit {
        return switch (key) {
            case RSAPrivateCrtKey rsa -> KeyFactory.getInstance("RSA")
                    .generatePublic(new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent()));
            case ECPrivateKey ec -> KeyFactory.getInstance("EC")
                    .generatePublic(new ECPublicKeySpec(CurvePoint.times(ec.getS(), ec.getParams()), ec.getParams()));
            case EdECPrivateKey ed -> publicOf(ed);
            default -> throw new Unfit("invalid key: one of an unknown kind");
        };
    }

    /** The JDK computes it only when it makes a pair; so it is given this key as its chance. */
    private static PublicKey publicOf(EdECPrivateKey key) throws GeneralSecurityException, Unfit {
        byte[] seed = key.getBytes().orElseThrow(() -> new Unfit("invalid key: it has no bytes"));
        KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
        generator.initialize(NamedParameterSpec.ED25519, new SecureRandom() {
            private static final long serialVersionUID = 1L;

            @Override
            public void nextBytes(byte[] bytes) {
                System.arraycopy(seed, 0, bytes, 0, Math.min(seed.length, bytes.length));
            }
        });
        return generator.generateKeyPair().getPublic();
    }

    // ---- DER

    private static byte[] element(int tag, byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] magnitude = BigInteger.valueOf(length).toByteArray();
        if (magnitude[0] == 0 && magnitude.length > 1) {
            magnitude = Arrays.copyOfRange(magnitude, 1, magnitude.length);
        }
        int head = length < 0x80 ? 2 : 2 + magnitude.length;
        byte[] element = new byte[head + length];
        element[0] = (byte) tag;
        if (length < 0x80) {
            element[1] = (byte) length;
        } else {
            element[1] = (byte) (0x80 | magnitude.length);
            System.arraycopy(magnitude, 0, element, 2, magnitude.length);
        }
        int at = head;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, element, at, part.length);
            at += part.length;
        }
        return element;
    }

    /** Where the content of the element at {@code at} begins. */
    private static int content(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
    }

    /** Where the element at {@code at} ends. */
    private static int end(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        int length = first;
        if (first >= 0x80) {
            length = new BigInteger(1, Arrays.copyOfRange(der, at + 2, at + 2 + (first & 0x7f))).intValueExact();
        }
        return Math.addExact(content(der, at), length);
    }

    /** Without the keys. */
    @Override
    public String toString() {
        return "JwtKeys[" + (signs == null ? "verify" : "sign and verify") + "]";
    }
}
