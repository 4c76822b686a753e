package dev.quoin.server.dial;

import java.util.Arrays;

import dev.quoin.base.Bytes;

/**
 * What arrives in pieces, as one: in one array, so that it costs what it holds however small the pieces are. For one
 * thread.
 */
public final class Gathered {
    private static final int FIRST_BYTES = 1_024;

    private byte[] bytes = new byte[0];
    private int length;

    public void add(Bytes piece) {
        int needed = Math.addExact(length, piece.length());
        if (needed > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(needed, Math.max(FIRST_BYTES, bytes.length + bytes.length / 2)));
        }
        piece.copyTo(bytes, length);
        length = needed;
    }

    public int length() {
        return length;
    }

    /** All of it; nothing may be added any more. */
    public Bytes whole() {
        return Bytes.of(bytes, 0, length);
    }
}
