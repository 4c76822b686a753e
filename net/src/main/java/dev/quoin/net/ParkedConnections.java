package dev.quoin.net;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * Connections that have brought an answer and may bring another, by where they lead. For a moment only: whoever listens
 * closes a silent one before long (a member of etcd after 5 s), and what is asked just then is lost. Belongs to the
 * dialler's loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // A connection that does not close well is closed all the same.
final class ParkedConnections implements LoopState.Connection {
    private static final int CONNECTIONS_PER_TARGET_MAX = 64;
    private static final long PARKED_NANOS_MAX = TimeUnit.SECONDS.toNanos(2);

    private record Parked(Channel channel, long sinceNanos) {}

    /** Nobody has asked for anything: whatever comes, or that nothing can come, is the end of it. */
    private static final class Idle extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            ctx.close();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    private final Map<DialTarget, ArrayDeque<Parked>> parked = new HashMap<>();

    /** Keeps a connection whose last handler was taken off; closes it if there are enough. */
    void park(DialTarget target, Channel channel) {
        ArrayDeque<Parked> same = parked.computeIfAbsent(target, none -> new ArrayDeque<>());
        if (same.size() == CONNECTIONS_PER_TARGET_MAX) {
            channel.close();
            return;
        }
        channel.pipeline().addLast(new Idle());
        same.addLast(new Parked(channel, System.nanoTime()));
    }

    /** The one that was used last, without a handler at its end; null if there is none that is alive. */
    @Nullable
    Channel take(DialTarget target) {
        ArrayDeque<Parked> same = parked.getOrDefault(target, new ArrayDeque<>());
        for (Parked last = same.pollLast(); last != null; last = same.pollLast()) {
            if (last.channel.isActive()) {
                last.channel.pipeline().remove(Idle.class);
                return last.channel;
            }
        }
        return null;
    }

    @Override
    public void drain() {
        abort(End.DRAINED);
    }

    @Override
    public void abort(End why) {
        parked.values().forEach(same -> same.forEach(one -> one.channel.close()));
        parked.clear();
    }

    /** Closes those that have waited for too long. */
    @Override
    public void sweep(long nowNanos) {
        for (Iterator<ArrayDeque<Parked>> all = parked.values().iterator(); all.hasNext();) {
            ArrayDeque<Parked> same = all.next();
            while (!same.isEmpty() && nowNanos - same.getFirst().sinceNanos > PARKED_NANOS_MAX) {
                same.removeFirst().channel.close();
            }
            if (same.isEmpty()) {
                all.remove();
            }
        }
    }
}
