package dev.quoin.net;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Executor;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.OneKey;

/**
 * A dialler's certificates in use, read anew as a {@link TlsContext}'s. No protocol is offered in the handshake: etcd's peer
 * port selects h2 and nothing else, and speaks HTTP/1.1 on it.
 */
final class DialTlsContext {
    private final DialTls tls;
    private final Executor handshakes;
    private volatile @Nullable Loaded loaded; // null until somebody is dialled, if there is nothing to be read of ours

    private record Loaded(FileStamps stamps, SslContext context) {}

    DialTlsContext(DialTls tls, Executor handshakes) throws IOException {
        this.tls = tls;
        this.handshakes = handshakes;
        // Reading whom the JDK trusts takes its time, which a cluster without TLS need not wait for.
        if (!tls.files().isEmpty()) {
            loaded = load(FileStamps.of(tls.files()));
        }
    }

    /** As {@link TlsContext#refresh}. */
    boolean refresh() throws IOException {
        FileStamps now = FileStamps.of(tls.files());
        Loaded before = loaded;
        if (before == null || now.equals(before.stamps)) {
            return false;
        }
        loaded = new Loaded(now, before.context);
        loaded = load(now);
        return true;
    }

    private Loaded load(FileStamps stamps) throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys(), trusted(), null);
            return new Loaded(stamps, new JdkSslContext(context, true, tls.protocols().suites(),
                    SupportedCipherSuiteFilter.INSTANCE, ApplicationProtocolConfig.DISABLED, ClientAuth.NONE,
                    tls.protocols().versionsArray(), false));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("cannot use authority " + tls.authority() + ", certificate "
                    + tls.certificateChain() + " and key " + tls.privateKey() + ": " + e.getMessage(), e);
        }
    }

    private KeyManager[] keys() throws IOException {
        Path file = tls.certificateChain();
        Path key = tls.privateKey();
        if (file == null || key == null) {
            return new KeyManager[0];
        }
        List<X509Certificate> chain = Pem.certificates(file);
        return new KeyManager[]{new OneKey(chain, Pem.key(key, chain.getFirst()))};
    }

    private TrustManager[] trusted() throws IOException, GeneralSecurityException {
        if (tls.trustsAll()) {
            return InsecureTrustManagerFactory.INSTANCE.getTrustManagers();
        }
        AllowedNames allowed = new AllowedNames(tls.commonNames(), tls.hostNames());
        X509ExtendedTrustManager chains = ClientCheck.trusting(tls.authority());
        return new TrustManager[]{allowed.areAll() ? chains : new ServerCheck(chains, allowed)};
    }

    /** On the dialler's loop alone. */
    SslHandler handler(ByteBufAllocator allocator, DialTarget target) throws IOException {
        Loaded current = loaded;
        if (current == null) {
            current = load(FileStamps.of(tls.files()));
            loaded = current;
        }
        @Nullable
        String wanted = tls.serverName();
        SslHandler handler = current.context.newHandler(allocator, wanted == null ? target.host() : wanted,
                target.port(), handshakes);
        if (!tls.trustsAll()) {
            SSLParameters parameters = handler.engine().getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            handler.engine().setSSLParameters(parameters);
        }
        return handler;
    }
}
