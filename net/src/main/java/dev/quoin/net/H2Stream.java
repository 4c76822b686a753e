package dev.quoin.net;

import java.util.concurrent.atomic.AtomicLongFieldUpdater;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Stream;

/**
 * What a gRPC call and an HTTP exchange on an HTTP/2 stream have in common: how much they owe the client, and how a thread
 * waits until it owes less. State belongs to the loop except where it says otherwise.
 */
abstract class H2Stream extends RoomWaiter {
    private static final AtomicLongFieldUpdater<H2Stream> OUTBOX_BYTES = AtomicLongFieldUpdater
            .newUpdater(H2Stream.class, "outboxBytes");

    final H2Connection connection;
    final Http2Stream stream;

    /** Bytes given to the connection that the client has not taken. Kept by {@link OwedBytes}. */
    long owed;
    /** When the client last took any of them, or they began to be owed. */
    long progressNanos;
    boolean watchedForStall;
    boolean remoteEnded;

    private boolean noticeQueued;
    private boolean blocked; // was found not writable, and has not been told otherwise
    private volatile boolean writableHint = true;
    private volatile boolean over;
    @SuppressWarnings("UnusedVariable") // Used through its updater.
    private volatile long outboxBytes; // sent by other threads, not seen by the loop

    H2Stream(H2Connection connection, Http2Stream stream) {
        this.connection = connection;
        this.stream = stream;
    }

    /** DATA came: {@code total} bytes with padding, of which so many are given back to the client's window now. */
    abstract int data(ByteBuf data, int total, boolean end);

    /** The client ended its side without DATA. */
    abstract void remoteEnd();

    /** The stream is closed; nothing can be written any more. */
    abstract void closed(End why);

    /** There is room again after there was none. */
    abstract void becameWritable();

    @Override
    final boolean isOver() {
        return over;
    }

    final void setOver() {
        over = true;
        wakeWaiter();
    }

    /** After a write: may there be another? */
    final void checkWritable() {
        if (!blocked && !connection.hasRoom(this)) {
            blocked = true;
            writableHint = false;
        }
    }

    /** Something left, or a window opened: if that made room, the handler is told at the end of the turn. */
    final void checkRoom() {
        if (blocked && !noticeQueued && !over && connection.hasRoom(this)) {
            noticeQueued = true;
            connection.loop().noticeWritable(this);
        }
    }

    final void writableNotice() {
        noticeQueued = false;
        if (!blocked || over || !connection.hasRoom(this)) {
            return;
        }
        blocked = false;
        writableHint = true;
        wakeWaiter();
        becameWritable();
    }

    @Override
    final boolean hasRoom() {
        return writableHint();
    }

    /** Any thread. */
    final boolean writableHint() {
        return writableHint && !over && outboxBytes < connection.shared().limits.owedBytesPerStreamMax();
    }

    /** From another thread, before the bytes go to the outbox. */
    final void sending(long bytes) {
        OUTBOX_BYTES.addAndGet(this, bytes);
    }

    /** On the loop, after they came out and were written. */
    final void sent(long bytes) {
        OUTBOX_BYTES.addAndGet(this, -bytes);
        wakeWaiter();
    }
}
