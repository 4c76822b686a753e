package dev.quoin.net;

import java.io.IOException;
import java.util.concurrent.Executor;

import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http2.Http2SecurityUtil;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import org.jspecify.annotations.Nullable;

/**
 * The server's certificate in use. It can be read anew from its files at any time; connections that are open keep what
 * they have. A client that offers only protocols we do not speak gets the alert that says so, as from etcd.
 */
final class TlsContext {
    private final NetTls files;
    private final Executor handshakes;
    private volatile SslContext context;

    TlsContext(NetTls files, Executor handshakes) throws IOException {
        this.files = files;
        this.handshakes = handshakes;
        context = read(files);
    }

    /** Reads the files again. If they cannot be used, what was in use stays in use. */
    void reload() throws IOException {
        context = read(files);
    }

    private static SslContext read(NetTls files) throws IOException {
        try {
            return context(files);
        } catch (IllegalArgumentException e) {
            throw new IOException("cannot use certificate " + files.certificateChain() + " with key "
                    + files.privateKey() + ": " + e.getMessage(), e);
        }
    }

    private static SslContext context(NetTls files) throws IOException {
        SslContextBuilder builder = SslContextBuilder
                .forServer(files.certificateChain().toFile(), files.privateKey().toFile())
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                .ciphers(Http2SecurityUtil.CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
                .applicationProtocolConfig(new ApplicationProtocolConfig(ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.FATAL_ALERT,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        ApplicationProtocolNames.HTTP_2, ApplicationProtocolNames.HTTP_1_1));
        if (files.clientAuthority() != null) {
            builder.trustManager(files.clientAuthority().toFile()).clientAuth(ClientAuth.REQUIRE);
        }
        return builder.build();
    }

    SslHandler handler(ByteBufAllocator allocator) {
        return context.newHandler(allocator, handshakes);
    }

    static @Nullable String commonName(String distinguishedName) {
        try {
            for (Rdn part : new LdapName(distinguishedName).getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    return String.valueOf(part.getValue());
                }
            }
        } catch (InvalidNameException e) {
            return null;
        }
        return null;
    }
}
