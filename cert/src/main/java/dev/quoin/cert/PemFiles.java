package dev.quoin.cert;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMException;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemWriter;

/**
 * Certificates and keys in files, as PEM (RFC 7468). What is written is whole or not there, after a loss of power too. Keys are
 * written as PKCS#8, and read as PKCS#1 and SEC 1, too, as openssl has made them over the years.
 */
final class PemFiles {
    private static final long FILE_BYTES_MAX = 1 << 20;
    private static final String FOR_ALL = "rw-r--r--";
    private static final String FOR_ITS_OWNER = "rw-------";

    private PemFiles() {}

    /** The first certificate of a file. */
    static X509Certificate readCertificate(Path file) throws IOException {
        for (Object part : parts(file)) {
            if (part instanceof X509CertificateHolder certificate) {
                try {
                    return new JcaX509CertificateConverter().getCertificate(certificate);
                } catch (GeneralSecurityException e) {
                    throw unreadable(file, e);
                }
            }
        }
        throw new IOException("there is no PEM certificate in " + file);
    }

    /** The first key of a file. */
    static PrivateKey readKey(Path file) throws IOException {
        for (Object part : parts(file)) {
            if (part instanceof PrivateKeyInfo key) {
                return key(file, key);
            }
            if (part instanceof PEMKeyPair pair) {
                return key(file, pair.getPrivateKeyInfo());
            }
            if (part instanceof PEMEncryptedKeyPair || part instanceof PKCS8EncryptedPrivateKeyInfo) {
                throw new IOException("the private key in " + file + " has a password; write it without one");
            }
        }
        throw new IOException("there is no PEM private key in " + file);
    }

    private static PrivateKey key(Path file, PrivateKeyInfo key) throws IOException {
        try {
            return new JcaPEMKeyConverter().getPrivateKey(key);
        } catch (PEMException e) {
            throw unreadable(file, e);
        }
    }

    private static List<Object> parts(Path file) throws IOException {
        String text = read(file);
        List<Object> parts = new ArrayList<>();
        try (PEMParser parser = new PEMParser(new StringReader(text))) {
            for (Object part = parser.readObject(); part != null; part = parser.readObject()) {
                parts.add(part);
            }
            return parts;
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            throw unreadable(file, e);
        }
    }

    private static IOException unreadable(Path file, Exception why) {
        return new IOException("what is in " + file + " cannot be read: " + why.getMessage(), why);
    }

    /** In the place of what is there. */
    static void writeCertificate(Path file, X509Certificate certificate) throws IOException {
        try {
            write(file, pem("CERTIFICATE", certificate.getEncoded()), FOR_ALL);
        } catch (GeneralSecurityException e) {
            throw new IOException("the certificate for " + file + " cannot be written: " + e.getMessage(), e);
        }
    }

    /** In the place of what is there. */
    static void writeKey(Path file, PrivateKey key) throws IOException {
        write(file, pem("PRIVATE KEY", key.getEncoded()), FOR_ITS_OWNER);
    }

    /** Certificates as they stand in one file, into another, in the place of what is there. */
    static void copyCertificates(Path from, Path to) throws IOException {
        write(to, read(from), FOR_ALL);
    }

    private static String pem(String label, byte[] content) throws IOException {
        StringWriter text = new StringWriter();
        try (PemWriter writer = new PemWriter(text)) {
            writer.writeObject(new PemObject(label, content));
        }
        return text.toString();
    }

    private static void write(Path file, String text, String permissions) throws IOException {
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(beside);
        try (FileChannel channel = FileChannel.open(beside,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions)))) {
            ByteBuffer content = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (content.hasRemaining()) {
                channel.write(content);
            }
            channel.force(true);
        }
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String read(Path file) throws IOException {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new IOException(file + " is longer than " + FILE_BYTES_MAX + " bytes");
            }
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new IOException("open " + file + ": no such file or directory", e);
        }
    }
}
