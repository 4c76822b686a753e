package dev.quoin.net;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Compresses what it is given and passes it on in pieces. The same bytes come out whenever the same bytes, cut in the same
 * way, go in. Compresses for speed: a long message goes through it twice.
 */
final class GzipSink implements LongMessage.Sink, AutoCloseable {
    private static final int PIECE_BYTES = 16 * 1024;

    private static final class Speedy extends GZIPOutputStream {
        Speedy(OutputStream out) throws IOException {
            super(out, PIECE_BYTES);
            def.setLevel(Deflater.BEST_SPEED);
        }

        void end() {
            def.end();
        }
    }

    private final Speedy packer;
    private boolean taken = true;

    GzipSink(LongMessage.Sink target) {
        OutputStream out = new OutputStream() {
            @Override
            public void write(int one) {
                write(new byte[]{(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                taken = taken && target.write(bytes, offset, length);
            }
        };
        try {
            packer = new Speedy(out);
        } catch (IOException e) {
            throw cannotFail(e);
        }
    }

    private static UncheckedIOException cannotFail(IOException e) {
        return new UncheckedIOException("what it writes to does not fail", e);
    }

    @Override
    public boolean write(byte[] bytes, int offset, int length) {
        if (taken) {
            try {
                packer.write(bytes, offset, length);
            } catch (IOException e) {
                throw cannotFail(e);
            }
        }
        return taken;
    }

    /** Everything has been written; false if not all of it was taken. */
    boolean finish() {
        try {
            packer.finish();
        } catch (IOException e) {
            throw cannotFail(e);
        }
        return taken;
    }

    @Override
    public void close() {
        packer.end();
    }
}
