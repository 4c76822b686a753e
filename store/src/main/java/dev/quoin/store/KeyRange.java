package dev.quoin.store;

import dev.quoin.base.Bytes;

/**
 * The keys that a request names, as it names them: one key ({@code rangeEnd} empty), all keys from {@code key} on
 * ({@code rangeEnd} is the single byte 0), or the half-open range from {@code key} to {@code rangeEnd}, which holds
 * nothing when it ends before it starts. Everything is the range from the single byte 0 on, since no key is empty.
 */
public record KeyRange(Bytes key, Bytes rangeEnd) {
    private static final Bytes ZERO_BYTE = Bytes.of(new byte[1]);
    private static final KeyRange EVERYTHING = new KeyRange(ZERO_BYTE, ZERO_BYTE);

    public static KeyRange single(Bytes key) {
        return new KeyRange(key, Bytes.EMPTY);
    }

    public static KeyRange from(Bytes key) {
        return new KeyRange(key, ZERO_BYTE);
    }

    public static KeyRange everything() {
        return EVERYTHING;
    }

    public boolean isSingle() {
        return rangeEnd.isEmpty();
    }

    /** Whether the range has no end. */
    public boolean isUnbounded() {
        return rangeEnd.length() == 1 && rangeEnd.at(0) == 0;
    }

    public boolean contains(Bytes candidate) {
        if (isSingle()) {
            return candidate.equals(key);
        }
        return candidate.compareTo(key) >= 0 && (isUnbounded() || candidate.compareTo(rangeEnd) < 0);
    }

    /** The smallest key that is larger than {@code key}: the end of the range that holds only it. */
    static Bytes successor(Bytes key) {
        byte[] next = new byte[key.length() + 1];
        key.copyTo(next, 0);
        return Bytes.of(next);
    }
}
