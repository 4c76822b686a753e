package dev.quoin.net;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.util.HashSet;
import java.util.Set;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

import org.jspecify.annotations.Nullable;

/**
 * Whether a client may come in, by the certificate that it shows: the JDK's check of the chain, then
 * {@link NetTls.Clients}. Runs on a handshake's thread, where it may wait for the resolver; immutable.
 */
final class ClientCheck extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager chains;
    private final NetTls.Clients clients;
    private final Set<BigInteger> revoked;

    private ClientCheck(X509ExtendedTrustManager chains, NetTls.Clients clients, Set<BigInteger> revoked) {
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
        return new ClientCheck(trusting(clients.authority()), clients, revoked);
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
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        chains.checkClientTrusted(chain, authType, engine);
        X509Certificate own = chain[0];
        for (X509Certificate certificate : chain) {
            if (revoked.contains(certificate.getSerialNumber())) {
                throw new CertificateException(
                        "certificate serial " + certificate.getSerialNumber().toString(16) + " revoked");
            }
        }
        new AllowedNames(clients.commonNames(), clients.hostNames()).check(own);
        CertificateNames names = CertificateNames.of(own);
        if (clients.atAddress() && !names.areNone()) {
            checkAddress(names, engine.getPeerHost());
        }
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
