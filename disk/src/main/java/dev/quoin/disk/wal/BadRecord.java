package dev.quoin.disk.wal;

/** Bytes in a segment that are not a record that belongs there. Whether that is damage or a torn tail is not said yet. */
final class BadRecord extends Exception {
    private static final long serialVersionUID = 1L;

    /** {@link #claimedEnd} of a record of which nobody can say how far it reaches, but which was not cut short. */
    static final long NOT_TORN = -1;

    /** Where the frame starts. */
    final long offset;
    /** Where the frame would end if its length can be believed, or {@link #NOT_TORN}. */
    final long claimedEnd;

    BadRecord(long offset, long claimedEnd, String what) {
        super(what, null, false, false);
        this.offset = offset;
        this.claimedEnd = claimedEnd;
    }

    String what() {
        return String.valueOf(getMessage());
    }
}
