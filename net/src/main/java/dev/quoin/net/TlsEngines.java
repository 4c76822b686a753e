package dev.quoin.net;

import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;

import javax.net.ssl.KeyManager;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.OpenSslServerContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.handler.ssl.util.SimpleKeyManagerFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.quoin.base.OneKey;

/**
 * The engines of one side of TLS: BoringSSL's (netty-tcnative), which needs half of the processor time for a handshake and
 * little of it for its first one, or the JDK's.
 *
 * <p>The JDK's serve where the native library does not load, where the operator wants it
 * ({@code -Dio.netty.handler.ssl.noOpenSsl=true}), where a cipher suite is chosen that BoringSSL does not have, and where a key is
 * neither RSA nor of the usual curves: BoringSSL, as Netty has it, does not take the other side's Ed25519 certificate. Since it cannot be known beforehand what the other will show, an
 * address with which a handshake {@linkplain #failed failed for that} has the JDK's the next time.
 *
 * <p>For any thread.
 */
final class TlsEngines {
    private static final Logger LOG = LoggerFactory.getLogger(TlsEngines.class);
    private static final Set<String> KEYS_OF_BORINGSSL = Set.of("RSA", "EC");
    private static final int ADDRESSES_MAX = 1_024;
    private static final ApplicationProtocolConfig SERVED = new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN, ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT, ApplicationProtocolNames.HTTP_2,
            ApplicationProtocolNames.HTTP_1_1);

    static {
        Throwable why = OpenSsl.isAvailable() ? null : OpenSsl.unavailabilityCause();
        LOG.atInfo().addKeyValue("engine", why == null ? OpenSsl.versionString() : "JDK")
                .addKeyValue("reason", why == null ? "" : String.valueOf(why.getMessage())).log("TLS engine");
    }

    /**
     * What both kinds of engines are made of.
     *
     * @param keys    what this side shows; null: nothing
     * @param trusted who decides what the other may show; null, for a server: clients are not asked
     * @param checksName whether, for a client, the name that was dialled must be in what the server shows
     */
    record Parts(boolean isServer, @Nullable OneKey keys, @Nullable TrustManager trusted, boolean checksName,
            TlsProtocols protocols) {}

    private final Parts parts;
    private final @Nullable SslContext quick;
    private volatile @Nullable SslContext jdk; // made when the first one needs it
    /** Those who need the JDK's, the one that was here longest first. */
    private final Set<String> slow = Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > ADDRESSES_MAX;
        }
    });

    /** @throws GeneralSecurityException if a key or certificate cannot be used */
    TlsEngines(Parts parts) throws GeneralSecurityException, SSLException {
        this.parts = parts;
        quick = isForBoringSsl(parts) ? quick(parts) : null;
        jdk = quick == null ? slow(parts) : null;
    }

    static boolean isForBoringSsl(Parts parts) {
        if (!OpenSsl.isAvailable()) {
            return false;
        }
        boolean is = OpenSsl.availableJavaCipherSuites().containsAll(parts.protocols.suites())
                && (parts.keys == null || KEYS_OF_BORINGSSL.contains(parts.keys.algorithm()));
        if (parts.trusted instanceof X509ExtendedTrustManager manager) {
            for (X509Certificate authority : manager.getAcceptedIssuers()) {
                is &= KEYS_OF_BORINGSSL.contains(authority.getPublicKey().getAlgorithm());
            }
        }
        return is;
    }

    private static SslContext quick(Parts parts) throws SSLException {
        SslContextBuilder builder = parts.isServer
                ? SslContextBuilder.forServer(shown(parts.keys))
                : SslContextBuilder.forClient().endpointIdentificationAlgorithm(parts.checksName ? "HTTPS" : null);
        if (!parts.isServer && parts.keys != null) {
            builder.keyManager(shown(parts.keys));
        }
        if (parts.trusted != null) {
            builder.trustManager(parts.trusted);
        }
        SslContext context = builder.sslProvider(SslProvider.OPENSSL)
                .protocols(parts.protocols.versionsArray())
                .ciphers(parts.protocols.suites(), SupportedCipherSuiteFilter.INSTANCE)
                .clientAuth(parts.trusted == null ? ClientAuth.NONE : ClientAuth.REQUIRE)
                .applicationProtocolConfig(parts.isServer ? SERVED : ApplicationProtocolConfig.DISABLED).build();
        if (context instanceof OpenSslServerContext server) {
            // A session that is resumed would not be checked again.
            server.sessionContext().setSessionCacheEnabled(false);
        }
        return context;
    }

    /** Read once, not for every handshake. */
    private static OpenSslCachingX509KeyManagerFactory shown(@Nullable OneKey keys) {
        return new OpenSslCachingX509KeyManagerFactory(new SimpleKeyManagerFactory() {
            @Override
            protected void engineInit(KeyStore store, char[] password) {}

            @Override
            protected void engineInit(ManagerFactoryParameters parameters) {}

            @Override
            protected KeyManager[] engineGetKeyManagers() {
                return keys == null ? new KeyManager[0] : new KeyManager[]{keys};
            }
        });
    }

    /** Made of the JDK's parts: Netty's own builder first reads a key of its own, and loads all of Bouncy Castle for it. */
    private static SslContext slow(Parts parts) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(parts.keys == null ? new KeyManager[0] : new KeyManager[]{parts.keys},
                parts.trusted == null ? new TrustManager[0] : new TrustManager[]{parts.trusted}, null);
        if (parts.isServer && parts.trusted != null) {
            // A session that is resumed is not checked again, so none is. 0 would be for ever.
            context.getServerSessionContext().setSessionTimeout(1);
        }
        return new JdkSslContext(context, !parts.isServer, parts.protocols.suites(),
                SupportedCipherSuiteFilter.INSTANCE, parts.isServer ? SERVED : ApplicationProtocolConfig.DISABLED,
                parts.isServer && parts.trusted != null ? ClientAuth.REQUIRE : ClientAuth.NONE,
                parts.protocols.versionsArray(), false);
    }

    /**
     * For one connection.
     *
     * @param host who is at the other end: for a client the name that the server's certificate must be for
     * @param handshakes who does what takes long in a handshake
     */
    SslHandler handler(ByteBufAllocator allocator, String host, int port, Executor handshakes) {
        SslContext context = quick;
        if (context == null || isSlow(host)) {
            context = ofJdk();
        }
        SslHandler handler = context.newHandler(allocator, host, port, handshakes);
        if (parts.checksName && !parts.isServer) {
            SSLParameters parameters = handler.engine().getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            handler.engine().setSSLParameters(parameters);
        }
        return handler;
    }

    private boolean isSlow(String host) {
        synchronized (slow) {
            return slow.contains(host);
        }
    }

    private SslContext ofJdk() {
        SslContext made = jdk;
        if (made == null) {
            try {
                made = slow(parts);
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("the JDK has no TLS for what was read before", e);
            }
            jdk = made;
        }
        return made;
    }

    /**
     * A handshake has failed. If that may be for a certificate which BoringSSL does not ask for, the next ones with this host
     * will be the JDK's.
     *
     * @return whether that is so from now on, and was not before
     */
    boolean failed(String host, Throwable cause) {
        if (quick == null || !TlsWords.mayBeForAlgorithms(cause)) {
            return false;
        }
        synchronized (slow) {
            return slow.add(host);
        }
    }
}
