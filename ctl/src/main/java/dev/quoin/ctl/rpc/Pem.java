package dev.quoin.ctl.rpc;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** Certificates and private keys in PEM files, in the forms that Go reads. */
final class Pem {
    private static final String BEGIN = "-----BEGIN ";
    private static final String DASHES = "-----";
    /** AlgorithmIdentifier of RSA: rsaEncryption, NULL. */
    private static final byte[] RSA = {0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d,
        0x01, 0x01, 0x01, 0x05, 0x00};
    /** The object identifier of elliptic keys. */
    private static final byte[] EC = {0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01};
    /** The version of a PKCS#8 structure. */
    private static final byte[] VERSION = {0x02, 0x01, 0x00};
    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final int PARAMETERS = 0xa0;

    private Pem() {}

    /** What stands between two lines of dashes. */
    private static final class Block {
        private final String kind;
        private final byte[] content;

        Block(String kind, byte[] content) {
            this.kind = kind;
            this.content = content;
        }
    }

    /** All certificates of a file, in their order. */
    static List<X509Certificate> certificates(String file) throws IOException, GeneralSecurityException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> certificates = new ArrayList<>();
        for (Block block : blocks(file)) {
            if (block.kind.equals("CERTIFICATE")
                    && factory.generateCertificate(
                            new ByteArrayInputStream(block.content)) instanceof X509Certificate one) {
                certificates.add(one);
            }
        }
        return certificates;
    }

    /** The private key of a file: PKCS#8, or the older forms of RSA and elliptic keys. */
    static PrivateKey key(String file) throws IOException, GeneralSecurityException {
        byte[] curve = {};
        for (Block block : blocks(file)) {
            switch (block.kind) {
                case "EC PARAMETERS" -> curve = block.content;
                case "PRIVATE KEY" -> {
                    return pkcs8(block.content);
                }
                case "RSA PRIVATE KEY" -> {
                    return pkcs8(der(SEQUENCE, VERSION, RSA, der(OCTETS, block.content)));
                }
                case "EC PRIVATE KEY" -> {
                    byte[] named = curveOf(block.content, curve);
                    return pkcs8(der(SEQUENCE, VERSION, der(SEQUENCE, EC, named), der(OCTETS, block.content)));
                }
                default -> {
                    // Certificates may stand in the same file.
                }
            }
        }
        throw new GeneralSecurityException("tls: failed to find any PEM data in key input");
    }

    private static PrivateKey pkcs8(byte[] encoded) throws GeneralSecurityException {
        GeneralSecurityException last = null;
        for (String algorithm : new String[]{"RSA", "EC", "EdDSA"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
            } catch (GeneralSecurityException why) {
                last = why;
            }
        }
        throw new GeneralSecurityException("tls: failed to parse private key", last);
    }

    /** The curve that an elliptic key names itself, or that stands before it. */
    private static byte[] curveOf(byte[] key, byte[] before) throws GeneralSecurityException {
        int at = contentAt(key, 0);
        while (at < key.length) {
            int content = contentAt(key, at);
            int end = content + lengthAt(key, at);
            if ((key[at] & 0xff) == PARAMETERS) {
                return Arrays.copyOfRange(key, content, end);
            }
            at = end;
        }
        if (before.length == 0) {
            throw new GeneralSecurityException("tls: failed to parse private key: it names no curve");
        }
        return before;
    }

    private static int contentAt(byte[] der, int at) throws GeneralSecurityException {
        if (at + 1 >= der.length) {
            throw new GeneralSecurityException("tls: failed to parse private key");
        }
        int length = der[at + 1] & 0xff;
        return at + 2 + (length < 0x80 ? 0 : length & 0x7f);
    }

    private static int lengthAt(byte[] der, int at) throws GeneralSecurityException {
        int content = contentAt(der, at);
        int length = content == at + 2 ? der[at + 1] & 0xff : 0;
        for (int i = at + 2; i < content && i < der.length; i++) {
            length = length << 8 | (der[i] & 0xff);
        }
        if (length < 0 || length > der.length - content) {
            throw new GeneralSecurityException("tls: failed to parse private key");
        }
        return length;
    }

    private static byte[] der(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteArrayOutputStream der = new ByteArrayOutputStream(length + 4);
        der.write(tag);
        if (length < 0x80) {
            der.write(length);
        } else {
            // Keys are shorter than 64 KiB.
            der.write(0x82);
            der.write(length >> 8);
            der.write(length);
        }
        for (byte[] part : parts) {
            der.writeBytes(part);
        }
        return der.toByteArray();
    }

    private static List<Block> blocks(String file) throws IOException, GeneralSecurityException {
        String text = read(file);
        List<Block> blocks = new ArrayList<>();
        int at = text.indexOf(BEGIN);
        while (at >= 0) {
            int kindEnd = text.indexOf(DASHES, at + BEGIN.length());
            int contentEnd = kindEnd < 0 ? -1 : text.indexOf("-----END ", kindEnd);
            if (contentEnd < 0) {
                break;
            }
            String content = text.substring(kindEnd + DASHES.length(), contentEnd);
            try {
                blocks.add(new Block(text.substring(at + BEGIN.length(), kindEnd),
                        Base64.getMimeDecoder().decode(content)));
            } catch (IllegalArgumentException notBase64) {
                throw new GeneralSecurityException("tls: " + file + " is no PEM file", notBase64);
            }
            at = text.indexOf(BEGIN, contentEnd);
        }
        return blocks;
    }

    private static String read(String file) throws IOException {
        try {
            return Files.readString(Path.of(file), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException missing) {
            throw new IOException("open " + file + ": no such file or directory", missing);
        } catch (AccessDeniedException denied) {
            throw new IOException("open " + file + ": permission denied", denied);
        }
    }
}
