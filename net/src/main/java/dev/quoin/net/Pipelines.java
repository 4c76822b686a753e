package dev.quoin.net;

import java.util.concurrent.TimeUnit;

import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The pipelines of one connection, put in place once its client has shown what it speaks. */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
final class Pipelines {
    private static final Logger LOG = LoggerFactory.getLogger(Pipelines.class);

    private final Shared shared;
    private final LoopState loop;
    private final Admission admission;
    private final Channel channel;
    private final @Nullable TlsContext tls;

    Pipelines(Shared shared, LoopState loop, Admission admission, Channel channel, @Nullable TlsContext tls) {
        this.shared = shared;
        this.loop = loop;
        this.admission = admission;
        this.channel = channel;
        this.tls = tls;
    }

    /** The connection went before it had become anything. */
    void lost() {
        admission.close();
    }

    void http2(ChannelPipeline pipeline, boolean encrypted, @Nullable String commonName) {
        if (!encrypted) {
            pipeline.addLast(new MergingHandler(shared.metrics));
        }
        Peer peer = new Peer(channel.remoteAddress(), encrypted, commonName);
        pipeline.addLast(new H2Connection.Builder(shared, loop, peer, admission).build());
        pipeline.addLast(new Last(shared));
    }

    void http1(ChannelPipeline pipeline, boolean encrypted, @Nullable String commonName) {
        NetLimits limits = shared.limits;
        pipeline.addLast(
                new HttpServerCodec(new HttpDecoderConfig().setMaxInitialLineLength(limits.requestLineBytesMax())
                        .setMaxHeaderSize(limits.headerListBytesMax())));
        Peer peer = new Peer(channel.remoteAddress(), encrypted, commonName);
        pipeline.addLast(new Http1Connection(shared, loop, peer, admission));
        pipeline.addLast(new Last(shared));
    }

    void tls(ChannelPipeline pipeline) {
        TlsContext context = java.util.Objects.requireNonNull(tls);
        SslHandler handler = context.handler(channel.alloc(), channel.remoteAddress());
        handler.setHandshakeTimeout(shared.limits.handshakeMillisMax(), TimeUnit.MILLISECONDS);
        Negotiated negotiated = new Negotiated(handler, context);
        pipeline.addLast(new OfferCheck(negotiated::refused));
        pipeline.addLast(handler);
        pipeline.addLast(negotiated);
    }

    /** Waits for the handshake, then serves what was agreed on; without agreement, HTTP/1.1. */
    private final class Negotiated extends ApplicationProtocolNegotiationHandler {
        private final SslHandler handler;
        private final TlsContext context;
        private boolean configured;
        private boolean refused;

        Negotiated(SslHandler handler, TlsContext context) {
            super(ApplicationProtocolNames.HTTP_1_1);
            this.handler = handler;
            this.context = context;
        }

        @Override
        protected void configurePipeline(ChannelHandlerContext ctx, String protocol) {
            configured = true;
            String commonName = commonName(handler.engine().getSession());
            if (protocol.equals(ApplicationProtocolNames.HTTP_2)) {
                http2(ctx.pipeline(), true, commonName);
            } else {
                http1(ctx.pipeline(), true, commonName);
            }
        }

        @Override
        protected void handshakeFailure(ChannelHandlerContext ctx, Throwable cause) {
            context.failed(ctx.channel().remoteAddress(), cause);
            refused(ctx, TlsWords.reason(cause));
            ctx.close();
        }

        /** Counted and told once, whoever finds out first. */
        void refused(ChannelHandlerContext ctx, String why) {
            if (refused) {
                return;
            }
            refused = true;
            shared.metrics.refused(NetMetrics.Refusal.TLS);
            LOG.atWarn()
                    .addKeyValue("remote-addr", String.valueOf(ctx.channel().remoteAddress()).replaceFirst("^/", ""))
                    .addKeyValue("server-name", serverName(handler.engine())).addKeyValue("error", why)
                    .log("rejected connection on " + context.endpoint());
        }

        /** Netty tells of a handshake that was too slow in this way alone. */
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent end
                    && end.cause() instanceof SslHandshakeTimeoutException) {
                handshakeFailure(ctx, end.cause());
                return;
            }
            super.userEventTriggered(ctx, event);
        }

        /** Netty tells of a handshake that failed as of any other bytes that cannot be read. */
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof DecoderException && cause.getCause() instanceof SSLException refusal) {
                handshakeFailure(ctx, refusal);
            } else {
                ctx.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) throws Exception {
            if (!configured) {
                lost();
            }
            super.channelInactive(ctx);
        }
    }

    /** What the client asked for, as far as the handshake got. */
    private static String serverName(SSLEngine engine) {
        if (engine.getHandshakeSession() instanceof ExtendedSSLSession session) {
            for (SNIServerName name : session.getRequestedServerNames()) {
                if (name instanceof SNIHostName host) {
                    return host.getAsciiName();
                }
            }
        }
        return "";
    }

    private static @Nullable String commonName(SSLSession session) {
        try {
            return TlsContext.commonName(session.getPeerPrincipal().getName());
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    /** The end of every pipeline: a connection that breaks is counted and closed, without a stack trace in the log. */
    static final class Last extends ChannelInboundHandlerAdapter {
        private final Shared shared;

        Last(Shared shared) {
            this.shared = shared;
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            boolean isGone = cause instanceof java.io.IOException && !(cause instanceof SSLException);
            if (!isGone) {
                shared.refused(NetMetrics.Refusal.PROTOCOL, ctx.channel());
            }
            if (!(cause instanceof java.io.IOException) && !(cause instanceof io.netty.handler.codec.DecoderException)
                    && !(cause instanceof SSLException)) {
                Faults.internal("connection", cause);
            }
            ctx.close();
        }
    }
}
