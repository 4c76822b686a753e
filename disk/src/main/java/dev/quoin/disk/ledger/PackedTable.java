package dev.quoin.disk.ledger;

import java.util.Arrays;

/** Where the records of a packed file lie: 12 bytes of heap for each. They lie one behind the other. */
final class PackedTable {
    private final long[] positions;
    /** In units of 8: 16 GiB can be told. */
    private final int[] offsets;
    private final long recordsEnd;

    PackedTable(long[] positions, int[] offsets, long recordsEnd) {
        this.positions = positions;
        this.offsets = offsets;
        this.recordsEnd = recordsEnd;
    }

    int records() {
        return positions.length;
    }

    long recordsEnd() {
        return recordsEnd;
    }

    long recordBytes() {
        return recordsEnd - PackedFormat.HEAD;
    }

    /** The record of that position, or a negative number if it is gone. */
    int find(long position) {
        return Arrays.binarySearch(positions, position);
    }

    long position(int record) {
        return positions[record];
    }

    long offset(int record) {
        return 8L * offsets[record];
    }

    /** What the record takes in the file. */
    int length(int record) {
        long end = record + 1 < positions.length ? offset(record + 1) : recordsEnd;
        return (int) (end - offset(record));
    }
}
