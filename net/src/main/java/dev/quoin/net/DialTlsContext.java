package dev.quoin.net;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.Executor;

import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
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

    private record Loaded(FileStamps stamps, TlsEngines engines) {}

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
        loaded = new Loaded(now, before.engines);
        loaded = load(now);
        return true;
    }

    private Loaded load(FileStamps stamps) throws IOException {
        try {
            return new Loaded(stamps,
                    new TlsEngines(new TlsEngines.Parts(false, keys(), trusted(), !tls.trustsAll(), tls.protocols())));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("cannot use authority " + tls.authority() + ", certificate "
                    + tls.certificateChain() + " and key " + tls.privateKey() + ": " + e.getMessage(), e);
        }
    }

    private @Nullable OneKey keys() throws IOException {
        Path file = tls.certificateChain();
        Path key = tls.privateKey();
        if (file == null || key == null) {
            return null;
        }
        List<X509Certificate> chain = Pem.certificates(file);
        return new OneKey(chain, Pem.key(key, chain.getFirst()));
    }

    private TrustManager trusted() throws IOException, GeneralSecurityException {
        if (tls.trustsAll()) {
            return InsecureTrustManagerFactory.INSTANCE.getTrustManagers()[0];
        }
        AllowedNames allowed = new AllowedNames(tls.commonNames(), tls.hostNames());
        X509ExtendedTrustManager chains = ClientCheck.trusting(tls.authority());
        return allowed.areAll() ? chains : new ServerCheck(chains, allowed);
    }

    /** On the dialler's loop alone. */
    SslHandler handler(ByteBufAllocator allocator, DialTarget target) throws IOException {
        Loaded current = loaded;
        if (current == null) {
            current = load(FileStamps.of(tls.files()));
            loaded = current;
        }
        return current.engines.handler(allocator, host(target), target.port(), handshakes);
    }

    /** A handshake with this server has failed. @return whether another one, begun now, may do better */
    boolean failed(DialTarget target, Throwable cause) {
        Loaded current = loaded;
        return current != null && current.engines.failed(host(target), cause);
    }

    private String host(DialTarget target) {
        @Nullable
        String wanted = tls.serverName();
        return wanted == null ? target.host() : wanted;
    }
}
