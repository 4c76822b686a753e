package dev.quoin.net;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

import org.jspecify.annotations.Nullable;

/**
 * Whether a client may come in, by the certificate that it shows: the JDK's check of the chain, then
 * {@link NetTls.Clients}. Runs on a handshake's thread, where it may wait for the resolver. For any thread.
 */
final class ClientCheck extends X509ExtendedTrustManager {
    private static final int KNOWN_MAX = 1_024;

    private final X509ExtendedTrustManager chains;
    private final NetTls.Clients clients;
    private final Set<BigInteger> revoked;
    private final InstantSource clock;
    /** Chains that were found good, the one that came last at the end. Whoever trusts others makes another of us. */
    private final Map<List<ByteBuffer>, X509Certificate[]> known = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<ByteBuffer>, X509Certificate[]> eldest) {
            return size() > KNOWN_MAX;
        }
    };

    /**
     * @param chains the check of the chain
     * @param revoked serial numbers
     * @param clock for those who come again
     */
    ClientCheck(X509ExtendedTrustManager chains, NetTls.Clients clients, Set<BigInteger> revoked,
            InstantSource clock) {
        this.clock = clock;
        this.chains = chains;
        this.clients = clients;
        this.revoked = revoked;
    }

    static ClientCheck of(NetTls.Clients clients) throws IOException, GeneralSecurityException {
        Set<BigInteger> revoked = new HashSet<>();
        if (clients.revoked() != null) {
            Set<? extends X509CRLEntry> entries = Pem.revocations(clients.revoked()).getRevokedCertificates();
            for (X509CRLEntry entry : entries == null ? Set.<X509CRLEntry>of() : entries) {
                revoked.add(entry.getSerialNumber());
            }
        }
        return new ClientCheck(trusting(clients.authority()), clients, revoked, InstantSource.system());
    }

    /** @param authority whose certificates are trusted; null: those that the JDK trusts */
    static X509ExtendedTrustManager trusting(java.nio.file.@Nullable Path authority)
            throws IOException, GeneralSecurityException {
        KeyStore anchors = null;
        if (authority != null) {
            anchors = KeyStore.getInstance("PKCS12");
            anchors.load(null, null);
            int number = 0;
            for (X509Certificate certificate : Pem.certificates(authority)) {
                anchors.setCertificateEntry(String.valueOf(number), certificate);
                number++;
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(anchors);
        for (TrustManager manager : factory.getTrustManagers()) {
            if (manager instanceof X509ExtendedTrustManager extended) {
                return extended;
            }
        }
        throw new GeneralSecurityException("this JDK does not check certificates by PKIX");
    }

    /** @param engine whose peer's host is the client's address, as text */
    @Override
    public void checkClientTrusted(X509Certificate[] shown, String authType, SSLEngine engine)
            throws CertificateException {
        X509Certificate[] chain = trusted(shown, authType, engine);
        X509Certificate own = chain[0];
        for (X509Certificate certificate : chain) {
            if (revoked.contains(certificate.getSerialNumber())) {
                throw new CertificateException(
                        "certificate serial " + certificate.getSerialNumber().toString(16) + " revoked");
            }
        }
        CertificateNames names = CertificateNames.of(own);
        new AllowedNames(clients.commonNames(), clients.hostNames()).check(own, names);
        if (clients.atAddress() && !names.areNone()) {
            checkAddress(names, engine.getPeerHost());
        }
    }

    /**
     * The JDK's check. It makes up a third of a handshake, and what it finds of the same bytes changes with the time alone: so
     * a client that comes again is only looked at for that.
     *
     * @return what was shown, as it was read when it came first
     */
    private X509Certificate[] trusted(X509Certificate[] shown, String authType, SSLEngine engine)
            throws CertificateException {
        List<ByteBuffer> encoded = new ArrayList<>(shown.length);
        for (X509Certificate certificate : shown) {
            encoded.add(ByteBuffer.wrap(certificate.getEncoded()));
        }
        X509Certificate[] before;
        synchronized (known) {
            before = known.get(encoded);
        }
        if (before == null) {
            chains.checkClientTrusted(shown, authType, engine);
            synchronized (known) {
                known.put(encoded, shown);
            }
            return shown;
        }
        Date now = Date.from(clock.instant());
        for (X509Certificate certificate : before) {
            certificate.checkValidity(now);
        }
        return before;
    }

    private static void checkAddress(CertificateNames names, @Nullable String address) throws CertificateException {
        if (address == null || !names.areAt(InetAddress.ofLiteral(address))) {
            throw new CertificateException("\"" + address + "\" does not match any of DNSNames " + names.hosts()
                    + " or addresses " + names.addresses());
        }
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return chains.getAcceptedIssuers();
    }

    // An engine is always there, and no server is looked at here.

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("a client without an engine");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("a client without an engine");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("a server where a client is expected");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("a server where a client is expected");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("a server where a client is expected");
    }
}
