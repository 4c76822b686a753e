package dev.quoin.net;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Executor;

import javax.net.ssl.X509ExtendedTrustManager;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import org.jspecify.annotations.Nullable;

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
            SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK)
                    .protocols(tls.protocols().versionsArray())
                    .ciphers(tls.protocols().suites(), SupportedCipherSuiteFilter.INSTANCE);
            if (tls.trustsAll()) {
                builder.trustManager(InsecureTrustManagerFactory.INSTANCE).endpointIdentificationAlgorithm(null);
            } else {
                AllowedNames allowed = new AllowedNames(tls.commonNames(), tls.hostNames());
                X509ExtendedTrustManager chains = ClientCheck.trusting(tls.authority());
                builder.trustManager(allowed.areAll() ? chains : new ServerCheck(chains, allowed))
                        .endpointIdentificationAlgorithm("HTTPS");
            }
            if (tls.certificateChain() != null && tls.privateKey() != null) {
                List<X509Certificate> chain = Pem.certificates(tls.certificateChain());
                builder.keyManager(Pem.key(tls.privateKey(), chain.getFirst()),
                        chain.toArray(X509Certificate[]::new));
            }
            return new Loaded(stamps, builder.build());
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("cannot use authority " + tls.authority() + ", certificate "
                    + tls.certificateChain() + " and key " + tls.privateKey() + ": " + e.getMessage(), e);
        }
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
        return current.context.newHandler(allocator, wanted == null ? target.host() : wanted, target.port(),
                handshakes);
    }
}
