package dev.quoin.server.gateway;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Arrays;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpResponse;

/** A body that is sent in pieces up to some size: a piece goes when it is full, or when it is flushed. One thread. */
final class Pieces extends OutputStream {
    private static final int FIRST_BYTES = 1_024;

    /** Nobody is there any more to whom it could be sent. */
    static final class Gone extends IOException {
        private static final long serialVersionUID = 1L;

        Gone() {
            super("the client is gone");
        }
    }

    private final HttpResponse.Sink sink;
    private final int pieceBytesMax;
    private byte[] piece = new byte[FIRST_BYTES];
    private int used;

    Pieces(HttpResponse.Sink sink, int pieceBytesMax) {
        this.sink = sink;
        this.pieceBytesMax = pieceBytesMax;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[]{(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        int from = offset;
        int rest = length;
        while (rest > 0) {
            if (used == piece.length) {
                grow();
            }
            int taken = Math.min(rest, piece.length - used);
            System.arraycopy(bytes, from, piece, used, taken);
            used += taken;
            from += taken;
            rest -= taken;
        }
    }

    private void grow() throws IOException {
        if (used < pieceBytesMax) {
            piece = Arrays.copyOf(piece, Math.min(pieceBytesMax, 2 * used));
        } else {
            flush();
        }
    }

    @Override
    public void flush() throws IOException {
        if (used == 0) {
            return;
        }
        Bytes full = Bytes.of(piece, 0, used);
        piece = new byte[FIRST_BYTES];
        used = 0;
        try {
            if (!sink.send(full)) {
                throw new Gone();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
