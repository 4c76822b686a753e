package dev.quoin.net;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Invariant;

/**
 * A {@link LongMessage} on its way from the thread that makes its bytes to the thread that reads them, both virtual or of the
 * system, never a loop. A few parts are held between them; the one waits for the other. A message that is not complete never
 * looks complete: reading it ends with an exception.
 */
final class MessagePipe extends InputStream implements LongMessage.Sink {
    private static final int PARTS_MAX = 4;

    private final int partBytes;

    // The maker's.
    private byte @Nullable [] part;
    private int partUsed;
    private long left;

    // The reader's.
    private byte[] reading = {};
    private int readingAt;

    // Guarded by this.
    private final ArrayDeque<byte[]> parts = new ArrayDeque<>();
    private boolean complete;
    private boolean broken; // by the maker
    private boolean unwanted; // by the reader, or because the call is over

    MessagePipe(long length, int partBytes) {
        this.left = length;
        this.partBytes = partBytes;
    }

    // ---- the maker's side

    @Override
    public boolean write(byte[] bytes, int offset, int length) {
        Invariant.check(length <= left, "a message has %d bytes left for %d", left, length);
        left -= length;
        int from = offset;
        int rest = length;
        while (rest > 0) {
            byte[] open = part;
            if (open == null) {
                open = new byte[(int) Math.min(partBytes, rest + left)];
                part = open;
                partUsed = 0;
            }
            int taken = Math.min(rest, open.length - partUsed);
            System.arraycopy(bytes, from, open, partUsed, taken);
            partUsed += taken;
            from += taken;
            rest -= taken;
            if (partUsed == open.length && !ship(open)) {
                return false;
            }
        }
        return true;
    }

    private synchronized boolean ship(byte[] full) {
        part = null;
        while (parts.size() >= PARTS_MAX && !unwanted) {
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                close();
            }
        }
        if (unwanted) {
            return false;
        }
        parts.add(full);
        notifyAll();
        return true;
    }

    /** All has been written; false if nobody wanted it. */
    synchronized boolean end() {
        if (unwanted) {
            return false;
        }
        Invariant.check(left == 0, "a message ends with %d bytes missing", left);
        complete = true;
        notifyAll();
        return true;
    }

    /** No more will be written: what was not complete before is broken. */
    synchronized void over() {
        broken = !complete;
        notifyAll();
    }

    // ---- the reader's side

    @Override
    public int read() throws IOException {
        return fill() ? reading[readingAt++] & 0xff : -1;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (!fill()) {
            return -1;
        }
        int taken = Math.min(length, reading.length - readingAt);
        System.arraycopy(reading, readingAt, into, offset, taken);
        readingAt += taken;
        return taken;
    }

    /** Waits until there is a byte to read; false at the end of the message. */
    private boolean fill() throws IOException {
        if (readingAt < reading.length) {
            return true;
        }
        synchronized (this) {
            while (parts.isEmpty() && !complete && !broken && !unwanted) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted", e);
                }
            }
            byte[] next = parts.poll();
            if (next == null) {
                if (complete) {
                    return false;
                }
                throw new IOException("a message broke off");
            }
            reading = next;
            readingAt = 0;
            notifyAll();
            return true;
        }
    }

    /** Nobody reads on. */
    @Override
    public synchronized void close() {
        unwanted = true;
        parts.clear();
        notifyAll();
    }
}
