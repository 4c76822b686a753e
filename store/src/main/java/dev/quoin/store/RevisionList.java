package dev.quoin.store;

import java.util.Arrays;

/**
 * Revisions and where their records lie, in arrays of numbers: they may be many. Sorted byte by byte from the lowest on
 * (a radix sort), which takes the same time whatever their order, and none for bytes that are all alike.
 */
final class RevisionList {
    private static final int TOMBSTONE = 1 << 31;
    private static final int BYTE_VALUES = 256;

    private long[] mains = new long[16];
    /** Sub, and in the sign whether it is a deletion. */
    private int[] subs = new int[16];
    private long[] positions = new long[16];
    private int size;

    void add(long main, int sub, boolean tombstone, long position) {
        if (size == mains.length) {
            int capacity = size + (size >> 1);
            mains = Arrays.copyOf(mains, capacity);
            subs = Arrays.copyOf(subs, capacity);
            positions = Arrays.copyOf(positions, capacity);
        }
        mains[size] = main;
        subs[size] = tombstone ? sub | TOMBSTONE : sub;
        positions[size] = position;
        size++;
    }

    void addAll(RevisionList others) {
        for (int at = 0; at < others.size; at++) {
            add(others.mains[at], others.sub(at), others.isTombstone(at), others.positions[at]);
        }
    }

    int size() {
        return size;
    }

    long main(int at) {
        return mains[at];
    }

    int sub(int at) {
        return subs[at] & ~TOMBSTONE;
    }

    boolean isTombstone(int at) {
        return subs[at] < 0;
    }

    long position(int at) {
        return positions[at];
    }

    /** By main, then by sub. */
    void sort() {
        mains = Arrays.copyOf(mains, size);
        subs = Arrays.copyOf(subs, size);
        positions = Arrays.copyOf(positions, size);
        long[] mainsTo = new long[size];
        int[] subsTo = new int[size];
        long[] positionsTo = new long[size];
        for (int digit = 0; digit < Integer.BYTES + Long.BYTES; digit++) {
            int[] starts = starts(digit);
            if (starts.length == 0) {
                continue;
            }
            for (int at = 0; at < size; at++) {
                int to = starts[digit(digit, at)]++;
                mainsTo[to] = mains[at];
                subsTo[to] = subs[at];
                positionsTo[to] = positions[at];
            }
            long[] sortedMains = mainsTo;
            int[] sortedSubs = subsTo;
            long[] sortedPositions = positionsTo;
            mainsTo = mains;
            subsTo = subs;
            positionsTo = positions;
            mains = sortedMains;
            subs = sortedSubs;
            positions = sortedPositions;
        }
    }

    /** Where the entries of each value of a digit go; empty if all have the same one. */
    private int[] starts(int digit) {
        int[] starts = new int[BYTE_VALUES];
        for (int at = 0; at < size; at++) {
            starts[digit(digit, at)]++;
        }
        int sum = 0;
        for (int value = 0; value < BYTE_VALUES; value++) {
            int count = starts[value];
            if (count == size) {
                return new int[0];
            }
            starts[value] = sum;
            sum += count;
        }
        return starts;
    }

    private int digit(int digit, int at) {
        long shifted = digit < Integer.BYTES
                ? sub(at) >>> (Byte.SIZE * digit)
                : mains[at] >>> (Byte.SIZE * (digit - Integer.BYTES));
        return (int) (shifted & 0xff);
    }
}
