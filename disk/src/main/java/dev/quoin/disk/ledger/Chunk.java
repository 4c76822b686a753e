package dev.quoin.disk.ledger;

/**
 * A piece of the ledger that is not known to be durable yet: bytes of one segment, filled from the front by the apply loop,
 * never changed once filled.
 */
final class Chunk {
    /** The position of its first byte. */
    final long start;
    final byte[] bytes;
    /** Of the whole segment. */
    final Usage usage;
    /**
     * How much is filled. Written by the apply loop alone; others read it after something the apply loop published later,
     * so they see at least what they need, and more does no harm.
     */
    int used;

    Chunk(long start, int capacity, Usage usage) {
        this.start = start;
        this.usage = usage;
        bytes = new byte[capacity];
    }

    long end() {
        return start + used;
    }

    boolean holds(long position) {
        return position >= start && position < end();
    }
}
