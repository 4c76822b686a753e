package dev.quoin.net;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/**
 * Turns the bytes of a {@link LongMessage} into parts and hands them to the call, with the message's prefix in front.
 * Belongs to the thread that makes the bytes, and lets it wait before it begins a part that the client has no room for:
 * so at most one part is in the making, beside what the stream may owe.
 *
 * <p>Whatever happens, a message that is not complete never looks complete: the prefix says how long it is, and less than
 * that is all that can come out of here until {@link #end} has found every byte.
 */
final class PartSink implements LongMessage.Sink {
    private static final int PREFIX_BYTES = 5;

    private final H2Call call;
    private final boolean compressed;
    private final long length;
    private long left;
    private @Nullable ByteBuf part;
    private boolean over;

    PartSink(H2Call call, boolean compressed, long length) {
        this.call = call;
        this.compressed = compressed;
        this.length = length;
        left = length;
    }

    @Override
    public boolean write(byte[] bytes, int offset, int count) {
        Invariant.check(count <= left, "a message of %d bytes has %d left for %d", length, left, count);
        int from = offset;
        int rest = count;
        while (rest > 0) {
            ByteBuf open = open();
            if (open == null) {
                return false;
            }
            int taken = Math.min(rest, open.maxWritableBytes());
            open.writeBytes(bytes, from, taken);
            left -= taken;
            from += taken;
            rest -= taken;
            // The last part waits for end().
            if (open.maxWritableBytes() == 0 && left > 0) {
                ship();
            }
        }
        return true;
    }

    /** The part in the making, or null if the call is over. */
    private @Nullable ByteBuf open() {
        if (part == null && !over) {
            over = !awaitRoom();
            if (!over) {
                int size = (int) Math.min(call.connection().shared().limits.partBytes(), left + PREFIX_BYTES);
                ByteBuf fresh = call.connection().alloc().directBuffer(size, size);
                part = fresh;
                if (left == length) {
                    fresh.writeByte(compressed ? 1 : 0);
                    fresh.writeInt((int) length);
                }
            }
        }
        return part;
    }

    private boolean awaitRoom() {
        try {
            return call.awaitRoom();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void ship() {
        ByteBuf full = part;
        part = null;
        if (full != null) {
            call.sendPart(full);
        }
    }

    /** Hands over the last part; false if the call was over before. */
    boolean end() {
        if (!over && open() != null) {
            Invariant.check(left == 0, "a message of %d bytes ends with %d missing", length, left);
            ship();
        }
        return !over;
    }

    /** Gives back what was not handed over. */
    void release() {
        if (part != null) {
            part.release();
            part = null;
        }
    }
}
