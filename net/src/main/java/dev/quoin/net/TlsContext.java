package dev.quoin.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executor;

import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.TrustManager;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.OneKey;

/**
 * The server's certificate in use, with what clients must show. It is read anew when its files have changed; connections
 * that are open keep what they have.
 */
final class TlsContext {
    private static final String RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";
    static {
        // A client that asks for handshake after handshake on one connection (TLS 1.2) would pass every bound on handshakes. Go has
        // no such thing. The JDK reads this when it serves its first handshake.
        if (System.getProperty(RENEGOTIATION) == null) {
            System.setProperty(RENEGOTIATION, "true");
        }
    }

    private final NetTls tls;
    private final Executor handshakes;
    private volatile Loaded loaded;

    private record Loaded(FileStamps stamps, TlsEngines engines, Instant expiry) {}

    TlsContext(NetTls tls, Executor handshakes) throws IOException {
        this.tls = tls;
        this.handshakes = handshakes;
        loaded = load(FileStamps.of(tls.files()));
    }

    /**
     * Reads the files again, if they have changed. If they cannot be used, what was in use stays in use, and nobody hears of
     * it again until they change again. One thread at a time.
     *
     * @return whether what is in use has changed
     */
    boolean refresh() throws IOException {
        FileStamps now = FileStamps.of(tls.files());
        Loaded before = loaded;
        if (now.equals(before.stamps)) {
            return false;
        }
        loaded = new Loaded(now, before.engines, before.expiry);
        loaded = load(now);
        return true;
    }

    private Loaded load(FileStamps stamps) throws IOException {
        try {
            List<X509Certificate> chain = Pem.certificates(tls.certificateChain());
            Instant expiry = chain.getFirst().getNotAfter().toInstant();
            return new Loaded(stamps, engines(chain), expiry);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("cannot use certificate " + tls.certificateChain() + " with key " + tls.privateKey()
                    + ": " + e.getMessage(), e);
        }
    }

    private TlsEngines engines(List<X509Certificate> chain) throws IOException, GeneralSecurityException {
        OneKey keys = new OneKey(chain, Pem.key(tls.privateKey(), chain.getFirst()));
        TrustManager trusted = tls.clients().areAsked() ? ClientCheck.of(tls.clients()) : null;
        return new TlsEngines(new TlsEngines.Parts(true, keys, trusted, false, tls.protocols()));
    }

    /** @param client who is at the other end */
    SslHandler handler(ByteBufAllocator allocator, SocketAddress client) {
        int port = client instanceof InetSocketAddress inet ? inet.getPort() : -1;
        return loaded.engines.handler(allocator, host(client), port, handshakes);
    }

    /** A handshake with this client has failed. */
    void failed(SocketAddress client, Throwable cause) {
        loaded.engines.failed(host(client), cause);
    }

    private static String host(SocketAddress client) {
        return client instanceof InetSocketAddress inet ? inet.getAddress().getHostAddress() : "";
    }

    String endpoint() {
        return tls.endpoint();
    }

    /** Until when the certificate in use is valid. */
    Instant expiry() {
        return loaded.expiry;
    }

    /** Of several the last, as Go takes it (crypto/x509/pkix FillFromRDNSequence); null if there is none. */
    static @Nullable String commonName(String distinguishedName) {
        String name = null;
        try {
            // The first part of the list is the first of the certificate, and the last of the text.
            for (Rdn part : new LdapName(distinguishedName).getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    name = String.valueOf(part.getValue());
                }
            }
        } catch (InvalidNameException e) {
            return null;
        }
        return name;
    }
}
