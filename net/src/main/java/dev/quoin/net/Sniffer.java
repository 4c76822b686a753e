package dev.quoin.net;

import java.nio.charset.StandardCharsets;
import java.util.List;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;

/**
 * The first handler of every connection: tells TLS, HTTP/2 and HTTP/1.1 apart by the first bytes, puts the right pipeline
 * in place, and leaves, passing on what it has read. How long it may take is {@link Admission}'s.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
final class Sniffer extends ByteToMessageDecoder {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int TLS_HANDSHAKE = 0x16;

    private final Pipelines pipelines;
    private final boolean plain;
    private final boolean tls;

    Sniffer(Pipelines pipelines, boolean plain, boolean tls) {
        this.pipelines = pipelines;
        this.plain = plain;
        this.tls = tls;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        int readable = in.readableBytes();
        if (readable == 0) {
            return;
        }
        if (tls && in.getUnsignedByte(in.readerIndex()) == TLS_HANDSHAKE) {
            pipelines.tls(ctx.pipeline());
            ctx.pipeline().remove(this);
            return;
        }
        if (!plain) {
            ctx.close();
            return;
        }
        int matched = 0;
        while (matched < readable && matched < PREFACE.length
                && in.getByte(in.readerIndex() + matched) == PREFACE[matched]) {
            matched++;
        }
        if (matched == PREFACE.length) {
            pipelines.http2(ctx.pipeline(), false, null);
            ctx.pipeline().remove(this);
        } else if (matched < readable) {
            pipelines.http1(ctx.pipeline(), false, null);
            ctx.pipeline().remove(this);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        super.channelInactive(ctx);
        pipelines.lost();
    }
}
