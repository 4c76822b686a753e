package dev.quoin.net;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CRL;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.quoin.base.Bytes;
import dev.quoin.base.KeyPairs;

/**
 * Certificates, keys and revocation lists as operators have them: PEM, what else stands in the file passed over. An error
 * names the file.
 */
final class Pem {
    private static final long FILE_BYTES_MAX = 16 << 20;
    private static final Pattern BLOCK = Pattern
            .compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);
    private static final int INTEGER = 0x02;
    private static final int OCTETS = 0x04;
    private static final int SEQUENCE = 0x30;

    /** @param isLocked whether it says in a header that it is encrypted, as openssl wrote keys once (RFC 1421) */
    private record Block(String label, Bytes content, boolean isLocked) {}

    private Pem() {}

    /** All certificates of a file; at least one. */
    static List<X509Certificate> certificates(Path file) throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Block block : blocks(file)) {
                if (block.label.equals("CERTIFICATE")) {
                    certificates.add((X509Certificate) factory
                            .generateCertificate(new ByteArrayInputStream(block.content.toByteArray())));
                }
            }
        } catch (CertificateException e) {
            throw new IOException("a certificate in " + file + " cannot be read: " + e.getMessage(), e);
        }
        if (certificates.isEmpty()) {
            throw new IOException("there is no PEM certificate in " + file);
        }
        return List.copyOf(certificates);
    }

    /** The key of a certificate, and of no other. */
    static PrivateKey key(Path file, X509Certificate certificate) throws IOException {
        for (Block block : blocks(file)) {
            if (block.label.equals("PRIVATE KEY") || block.label.endsWith(" PRIVATE KEY")) {
                return key(file, block, certificate.getPublicKey());
            }
        }
        throw new IOException("there is no PEM private key in " + file);
    }

    private static PrivateKey key(Path file, Block block, PublicKey certified) throws IOException {
        if (block.isLocked || block.label.equals("ENCRYPTED PRIVATE KEY")) {
            throw new IOException("the private key in " + file + " has a password; write it without one");
        }
        byte[] bare = block.content.toByteArray();
        byte[] content = block.label.equals("PRIVATE KEY") ? bare : wrapped(bare, certified.getEncoded());
        try {
            PrivateKey key = KeyFactory.getInstance(certified.getAlgorithm())
                    .generatePrivate(new PKCS8EncodedKeySpec(content));
            if (KeyPairs.isPair(key, certified)) {
                return key;
            }
        } catch (GeneralSecurityException e) {
            throw new IOException("the private key in " + file + " is not one for the certificate, which has a key for "
                    + certified.getAlgorithm() + ": " + e.getMessage(), e);
        }
        throw new IOException("the private key in " + file + " does not match the certificate");
    }

    /**
     * A bare key (PKCS#1, SEC 1) in the envelope that the JDK reads (PKCS#8, RFC 5958): version, algorithm, key. The
     * algorithm with its parameters is what the certificate says of its own key (RFC 5280 §4.1): the second level's first.
     */
    private static byte[] wrapped(byte[] bareKey, byte[] certified) {
        int outer = headerLength(certified, 0);
        int algorithmEnd = outer + headerLength(certified, outer) + contentLength(certified, outer);
        byte[] algorithm = java.util.Arrays.copyOfRange(certified, outer, algorithmEnd);
        byte[] version = {INTEGER, 1, 0};
        return element(SEQUENCE, version, algorithm, element(OCTETS, bareKey));
    }

    /** Of a DER element that the JDK has encoded, so well-formed: its tag and its length, in bytes. */
    private static int headerLength(byte[] der, int at) {
        int length = der[at + 1] & 0xff;
        return length < 0x80 ? 2 : 2 + (length & 0x7f);
    }

    private static int contentLength(byte[] der, int at) {
        int header = headerLength(der, at);
        if (header == 2) {
            return der[at + 1];
        }
        int length = 0;
        for (int i = at + 2; i < at + header; i++) {
            length = (length << 8) | (der[i] & 0xff);
        }
        return length;
    }

    private static byte[] element(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        int length = content.size();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(tag);
        if (length < 0x80) {
            whole.write(length);
        } else {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
            whole.write(0x80 | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                whole.write(length >>> (8 * i));
            }
        }
        whole.writeBytes(content.toByteArray());
        return whole.toByteArray();
    }

    static X509CRL revocations(Path file) throws IOException {
        try {
            CRL list = CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(read(file)));
            return (X509CRL) list;
        } catch (GeneralSecurityException e) {
            throw new IOException("the revocation list " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<Block> blocks(Path file) throws IOException {
        Matcher matcher = BLOCK.matcher(new String(read(file), StandardCharsets.ISO_8859_1));
        List<Block> blocks = new ArrayList<>();
        while (matcher.find()) {
            String body = matcher.group(2);
            try {
                blocks.add(new Block(matcher.group(1), Bytes.of(Base64.getMimeDecoder().decode(body)),
                        body.contains("Proc-Type: 4,ENCRYPTED")));
            } catch (IllegalArgumentException e) {
                throw new IOException("what " + file + " says between BEGIN and END is not Base64: " + e.getMessage(),
                        e);
            }
        }
        return blocks;
    }

    private static byte[] read(Path file) throws IOException {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new IOException(file + " is longer than " + FILE_BYTES_MAX + " bytes");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new IOException("open " + file + ": no such file or directory", e);
        }
    }
}
