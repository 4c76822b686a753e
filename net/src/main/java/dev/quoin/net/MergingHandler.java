package dev.quoin.net;

import java.util.ArrayList;
import java.util.List;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the many small writes of HTTP/2 (a frame is two, a unary answer six) into few large ones, below the HTTP/2
 * handler of a plain connection; TLS does it by itself.
 *
 * <p>Four rules keep what is above it honest. A write's promise completes with the merged write, because limits count by
 * promises. What is gathered goes on at {@link #PASS_BYTES} and before any large buffer, because flow control does not
 * see it and order must hold. It is released, and its promises failed, when the connection goes. It is not used under TLS.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty tells of a failed write by closing the channel, which we hear of.
final class MergingHandler extends ChannelDuplexHandler {
    private static final int SMALL_BYTES = 4096;
    private static final int PASS_BYTES = 16 * 1024;

    private final NetMetrics metrics;
    private @Nullable ByteBuf gathered;
    private List<ChannelPromise> promises = new ArrayList<>();
    private long sent;

    MergingHandler(NetMetrics metrics) {
        this.metrics = metrics;
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (!(message instanceof ByteBuf buffer)) {
            passOn(ctx);
            ctx.write(message, promise);
            return;
        }
        int bytes = buffer.readableBytes();
        sent += bytes;
        if (bytes > SMALL_BYTES) {
            passOn(ctx);
            ctx.write(message, promise);
            return;
        }
        ByteBuf into = gathered;
        if (into == null) {
            into = ctx.alloc().directBuffer(PASS_BYTES + SMALL_BYTES);
            gathered = into;
        }
        into.writeBytes(buffer);
        buffer.release();
        promises.add(promise);
        if (into.readableBytes() >= PASS_BYTES) {
            passOn(ctx);
        }
    }

    private void passOn(ChannelHandlerContext ctx) {
        ByteBuf whole = gathered;
        if (whole == null) {
            return;
        }
        gathered = null;
        List<ChannelPromise> parts = promises;
        promises = new ArrayList<>();
        ctx.write(whole).addListener(future -> {
            for (ChannelPromise part : parts) {
                if (future.isSuccess()) {
                    part.trySuccess();
                } else {
                    part.tryFailure(future.cause());
                }
            }
        });
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
        passOn(ctx);
        if (sent > 0) {
            metrics.bytesSent(sent);
            sent = 0;
        }
        ctx.flush();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        drop();
        super.channelInactive(ctx);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        drop();
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        passOn(ctx);
        ctx.flush();
        ctx.close(promise);
    }

    private void drop() {
        ByteBuf whole = gathered;
        if (whole == null) {
            return;
        }
        gathered = null;
        whole.release();
        Exception gone = new java.nio.channels.ClosedChannelException();
        promises.forEach(part -> part.tryFailure(gone));
        promises = new ArrayList<>();
    }
}
