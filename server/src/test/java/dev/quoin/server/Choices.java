package dev.quoin.server;

import java.util.Arrays;

/** An input of a fuzzer, read as choices from the front on. Behind its end all choices are the first one. */
final class Choices {
    private final byte[] input;
    private int at;

    Choices(byte[] input) {
        this.input = input;
    }

    boolean isEmpty() {
        return at >= input.length;
    }

    /** One of {@code count}, 256 at most. */
    int of(int count) {
        return isEmpty() ? 0 : (input[at++] & 0xff) % count;
    }

    /** So many bytes, or what is left. */
    byte[] bytes(int count) {
        int end = Math.min(input.length, at + count);
        byte[] taken = Arrays.copyOfRange(input, Math.min(at, end), end);
        at = end;
        return taken;
    }

    /** Eight bytes, big-endian. */
    long number() {
        long number = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            number = number << Byte.SIZE | of(256);
        }
        return number;
    }
}
