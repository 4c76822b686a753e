package dev.quoin.net;

import java.io.IOException;
import java.util.concurrent.Executor;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http2.Http2SecurityUtil;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;

/**
 * A dialler's certificates in use, which can be read anew as a {@link TlsContext}'s. No protocol is offered in the
 * handshake: etcd's peer port selects h2 and nothing else, and speaks HTTP/1.1 on it.
 */
final class DialTlsContext {
    private final DialTls files;
    private final Executor handshakes;
    private volatile SslContext context;

    DialTlsContext(DialTls files, Executor handshakes) throws IOException {
        this.files = files;
        this.handshakes = handshakes;
        context = read(files);
    }

    /** Reads the files again. If they cannot be used, what was in use stays in use. */
    void reload() throws IOException {
        context = read(files);
    }

    private static SslContext read(DialTls files) throws IOException {
        try {
            SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .ciphers(Http2SecurityUtil.CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
                    .endpointIdentificationAlgorithm("HTTPS")
                    .trustManager(files.authority().toFile());
            if (files.certificateChain() != null && files.privateKey() != null) {
                builder.keyManager(files.certificateChain().toFile(), files.privateKey().toFile());
            }
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new IOException("cannot use authority " + files.authority() + ", certificate "
                    + files.certificateChain() + " and key " + files.privateKey() + ": " + e.getMessage(), e);
        }
    }

    SslHandler handler(ByteBufAllocator allocator, DialTarget target) {
        String name = files.serverName() == null ? target.host() : files.serverName();
        return context.newHandler(allocator, name, target.port(), handshakes);
    }
}
