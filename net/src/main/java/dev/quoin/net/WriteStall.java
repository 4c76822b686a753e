package dev.quoin.net;

import io.netty.channel.Channel;

/** Finds out that a socket takes nothing any more: not a byte of what is queued for it. Owned by its loop. */
final class WriteStall {
    private long unwritableSinceNanos;
    private long lastQueued = -1;

    /** Looks again; whether not a byte was taken for longer than {@code maxNanos}. */
    boolean isOver(Channel channel, long nowNanos, long maxNanos) {
        long queued = channel.isWritable() ? -1 : channel.bytesBeforeWritable();
        if (queued < 0 || queued != lastQueued) {
            lastQueued = queued;
            unwritableSinceNanos = nowNanos;
            return false;
        }
        return nowNanos - unwritableSinceNanos > maxNanos;
    }
}
