package dev.quoin.net;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

import dev.quoin.base.Bytes;

/** gzip for messages, bounded on the way in. Errors read as grpc-go's (rpc_util.go decompress). Pure functions. */
final class Gzip {
    private Gzip() {}

    private static final int HEADER_BYTES = 10;

    static Bytes inflate(Bytes packed, int bytesMax) throws StatusException {
        if (packed.length() < HEADER_BYTES) {
            // Go reads the header whole before it looks at it, Java looks first.
            throw internal("grpc: failed to decompress the message: " + (packed.isEmpty() ? "EOF" : "unexpected EOF"));
        }
        InputStream source = new ByteArrayInputStream(packed.array(), packed.offset(), packed.length());
        GZIPInputStream inflater;
        try {
            inflater = new GZIPInputStream(source, 4096);
        } catch (IOException e) {
            throw internal("grpc: failed to decompress the message: " + text(e, "gzip: invalid header"));
        }
        try (inflater) {
            byte[] plain = inflater.readNBytes(bytesMax);
            if (plain.length == bytesMax && inflater.read() >= 0) {
                throw new StatusException(Status.Code.RESOURCE_EXHAUSTED,
                        "grpc: received message after decompression larger than max " + bytesMax);
            }
            return Bytes.of(plain);
        } catch (IOException e) {
            throw internal("grpc: failed to read decompressed data: " + text(e, "gzip: invalid checksum"));
        }
    }

    private static String text(IOException e, String other) {
        return e instanceof EOFException ? "unexpected EOF" : other;
    }

    private static StatusException internal(String message) {
        return new StatusException(Status.Code.INTERNAL, message);
    }

    static Bytes deflate(Bytes[] pieces) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(256);
        try (GZIPOutputStream deflater = new GZIPOutputStream(packed)) {
            for (Bytes piece : pieces) {
                deflater.write(piece.array(), piece.offset(), piece.length());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("an array cannot fail", e);
        }
        return Bytes.of(packed.toByteArray());
    }
}
