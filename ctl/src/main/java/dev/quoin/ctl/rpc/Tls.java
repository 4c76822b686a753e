package dev.quoin.ctl.rpc;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.KeyPairs;
import dev.quoin.base.OneKey;

/** How this side knows a server, and shows who it is itself. The files are read once, when this is made. */
public final class Tls {
    /** Where Go looks for the system's certificates, on the usual distributions. */
    private static final List<String> SYSTEM_CERTIFICATES = List.of("/etc/ssl/certs/ca-certificates.crt",
            "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem");

    /** Before the name of an alert, in messages of the JDK. */
    private static final String ALERT = "Received fatal alert: ";

    private final SSLContext context;
    private final boolean isVerified;
    private final String serverName;

    private Tls(SSLContext context, boolean isVerified, String serverName) {
        this.context = context;
        this.isVerified = isVerified;
        this.serverName = serverName;
    }

    /**
     * What flags say of TLS; an empty text stands for a flag that was not given.
     *
     * @param serverName the name the server must have, instead of that of its endpoint
     */
    public record Settings(String certificate, String key, String authorities, String serverName, boolean skipsVerify) {
        public boolean isEmpty() {
            return certificate.isEmpty() && key.isEmpty() && authorities.isEmpty() && serverName.isEmpty();
        }
    }

    /** Reads the files; what is wrong with them is told in Go's words. */
    public static Tls of(Settings settings) throws IOException {
        if (settings.certificate.isEmpty() != settings.key.isEmpty()) {
            throw new IOException("KeyFile and CertFile must both be present[key: " + settings.key + ", cert: "
                    + settings.certificate + "]");
        }
        try {
            KeyManager @Nullable [] keys = settings.certificate.isEmpty() ? null
                    : new KeyManager[]{ownKey(Pem.certificates(settings.certificate), Pem.key(settings.key))};
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys, trust(settings), null);
            return new Tls(context, !settings.skipsVerify, settings.serverName);
        } catch (GeneralSecurityException why) {
            throw new IOException(why.getMessage(), why);
        }
    }

    /** Without any settings: a server that the system's authorities vouch for. */
    static Tls ofSystem() throws IOException {
        return of(new Settings("", "", "", "", false));
    }

    private static OneKey ownKey(List<X509Certificate> chain, PrivateKey key) throws GeneralSecurityException {
        if (chain.isEmpty()) {
            throw new GeneralSecurityException("tls: failed to find any PEM data in certificate input");
        }
        PublicKey known = chain.get(0).getPublicKey();
        boolean areOfRsa = known instanceof RSAKey && key instanceof RSAKey;
        if (!areOfRsa && !known.getAlgorithm().equals(key.getAlgorithm())) {
            throw new GeneralSecurityException("tls: private key type does not match public key type");
        }
        if (!KeyPairs.isPair(key, known)) {
            throw new GeneralSecurityException("tls: private key does not match public key");
        }
        return new OneKey(chain, key);
    }

    private static TrustManager @Nullable [] trust(Settings settings) throws IOException, GeneralSecurityException {
        if (settings.skipsVerify) {
            return new TrustManager[]{new Anyone()};
        }
        String file = settings.authorities;
        if (file.isEmpty()) {
            file = SYSTEM_CERTIFICATES.stream().filter(each -> Files.isReadable(Path.of(each))).findFirst().orElse("");
        }
        // Without a file, Java's own list.
        return file.isEmpty() ? null : trusting(Pem.certificates(file));
    }

    private static TrustManager[] trusting(List<X509Certificate> authorities) throws GeneralSecurityException {
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509Certificate authority : authorities) {
            anchors.add(new TrustAnchor(authority, null));
        }
        if (anchors.isEmpty()) {
            throw new GeneralSecurityException("tls: the file of authorities holds no certificate");
        }
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
        parameters.setRevocationEnabled(false);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters));
        return factory.getTrustManagers();
    }

    /**
     * Whether the server there proves by a certificate that it has the name of these settings, and speaks HTTP/2; throws, with the
     * reason, if it does not. Nothing is asked of it.
     *
     * @param patience until when that may last
     */
    public void verify(String host, String port, Deadline patience) throws IOException {
        wrap(Dial.tcp(host, port, patience), host, patience).close();
    }

    /**
     * Shakes hands on a connected socket, for HTTP/2; closes the socket if that fails.
     *
     * @param host its certificate must be of this name, unless the settings have another
     * @param patience until when it may last
     */
    Socket wrap(Socket plain, String host, Deadline patience) throws IOException {
        String whole = serverName.isEmpty() ? host : serverName;
        // As name services write hosts; no certificate does.
        String name = whole.endsWith(".") ? whole.substring(0, whole.length() - 1) : whole;
        try (Fuse fuse = new Fuse(plain, patience.nanosLeft())) {
            try {
                SSLSocket secure = (SSLSocket) context.getSocketFactory().createSocket(plain, name, plain.getPort(),
                        true);
                SSLParameters parameters = secure.getSSLParameters();
                parameters.setApplicationProtocols(new String[]{"h2"});
                if (isVerified) {
                    parameters.setEndpointIdentificationAlgorithm("HTTPS");
                }
                secure.setSSLParameters(parameters);
                secure.startHandshake();
                if (!"h2".equals(secure.getApplicationProtocol())) {
                    throw new IOException("credentials: cannot check peer: missing selected ALPN property");
                }
                return secure;
            } catch (IOException why) {
                plain.close();
                throw new IOException("transport: authentication handshake failed: "
                        + (fuse.hasBurnt() ? "context deadline exceeded" : words(why)), why);
            }
        }
    }

    /** What {@code https} of the JDK needs, without what HTTP/2 does. */
    SSLContext context() {
        return context;
    }

    boolean isVerified() {
        return isVerified;
    }

    /** What went wrong, in Go's words where there are any. */
    static String words(Throwable why) {
        String words = "";
        for (Throwable each = why; each != null; each = each.getCause()) {
            if (each instanceof CertPathBuilderException) {
                return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
            }
            if (each instanceof CertificateException && words.isEmpty()) {
                words = "tls: failed to verify certificate: x509: " + each.getMessage();
            }
        }
        return words.isEmpty() ? ofProtocol(String.valueOf(why.getMessage())) : words;
    }

    private static String ofProtocol(String message) {
        int alert = message.indexOf(ALERT);
        if (alert >= 0) {
            String name = message.substring(alert + ALERT.length());
            return "remote error: tls: " + switch (name) {
                case "unknown_ca" -> "unknown certificate authority";
                case "protocol_version" -> "protocol version not supported";
                default -> name.replace('_', ' ');
            };
        }
        if (message.startsWith("Unsupported or unrecognized SSL message")) {
            return "tls: first record does not look like a TLS handshake";
        }
        return message.startsWith("Remote host terminated the handshake") ? "EOF" : message;
    }

    /** Believes whatever a server says it is: {@code --insecure-skip-tls-verify}. */
    private static final class Anyone extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("this side is no server");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            throw new CertificateException("this side is no server");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            throw new CertificateException("this side is no server");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            // Asked for.
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
            // Asked for.
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
            // Asked for.
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
