package dev.quoin.server.gateway;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpResponse;

/** A body that is sent in pieces of some size: a piece goes when it is full, or when it is flushed. One thread. */
final class Pieces extends OutputStream {
    private static final int PIECE_BYTES = 65_536;
    private static final int FIRST_BYTES = 1_024;

    /** Nobody is there any more to whom it could be sent. */
    static final class Gone extends IOException {
        private static final long serialVersionUID = 1L;

        Gone() {
            super("the client is gone");
        }
    }

    private final HttpResponse.Sink sink;
    private byte[] piece = new byte[FIRST_BYTES];
    private int used;

    Pieces(HttpResponse.Sink sink) {
        this.sink = sink;
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
        if (used < PIECE_BYTES) {
            piece = java.util.Arrays.copyOf(piece, Math.min(PIECE_BYTES, 4 * used));
        } else {
            flush();
            piece = new byte[PIECE_BYTES];
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
