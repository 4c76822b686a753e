package dev.quoin.disk.ledger;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.DiskFile;

/** Scans a segment as it was appended. A length is an enemy until it was compared. */
final class SegmentScan implements RecordScan {
    private static final int SECTOR = 512;
    /** How much is checked to find out that a damaged record hides no other; beyond that its place counts as uncertain. */
    private static final long HIDDEN_BYTES_MAX = 64 << 20;

    private final FileWindow window;
    private final int segment;
    private final long size;

    private long end;
    private int at;
    private @Nullable String problem;
    /** Whether the current record is a seal, or must have been one. */
    private boolean sealed;

    /** Scans up to {@code size}, which the file has. */
    SegmentScan(DiskFile file, int segment, long size) {
        window = new FileWindow(file, size);
        this.segment = segment;
        this.size = size;
    }

    /** The format version the head names; 0 if there is no whole head. The scan goes on behind it. */
    int version() {
        if (size < Format.HEAD) {
            return 0;
        }
        int head = window.load(0, Format.HEAD);
        end = Format.HEAD;
        return Format.versionOf(window.bytes(), head, segment);
    }

    /** Scans on from {@code offset}, where a record begins. */
    void from(long offset) {
        end = offset;
    }

    @Override
    public long end() {
        return end;
    }

    /** Of a full segment. Not by its length alone: it may have been cut between two records. */
    @Override
    public boolean isOver() {
        return end == size && sealed;
    }

    boolean isSealed() {
        return sealed;
    }

    @Override
    public @Nullable String problem() {
        return problem;
    }

    @Override
    public long position() {
        return Format.position(segment, end - length());
    }

    @Override
    public int length() {
        return (int) Format.padded(Format.sizeAt(window.bytes(), at));
    }

    @Override
    public byte[] bytes() {
        return window.bytes();
    }

    @Override
    public int at() {
        return at;
    }

    @Override
    public boolean next() {
        problem = null;
        long left = size - end;
        if (left == 0) {
            return false;
        }
        if (left < Format.RECORD_HEAD) {
            problem = isZero(end, size) ? null : "the file ends inside a record";
            return false;
        }
        at = window.load(end, Format.RECORD_HEAD);
        int recordSize = Format.sizeAt(window.bytes(), at);
        if (recordSize == 0) {
            // Written from the front, a sector cannot hold data behind a record that is not there.
            problem = isZero(end, Math.min(size, (end / SECTOR + 1) * SECTOR)) ? null
                    : "a zero length with data behind it";
            return false;
        }
        if (!Format.fits(recordSize, left)) {
            problem = "a record of " + Integer.toUnsignedString(recordSize) + " bytes where " + left + " are left";
            return false;
        }
        if (!verifiesAt(end)) {
            problem = "a record fails its checksum";
            return false;
        }
        boolean shortCommit = kind() == Format.COMMIT && recordSize < Format.RECORD_HEAD + Format.COMMIT_HEAD;
        if (shortCommit || kind() < Format.SEAL) {
            problem = "a record of no known form";
            return false;
        }
        end += length();
        sealed = kind() == Format.SEAL;
        return true;
    }

    /**
     * Another record verifies where the bad one should end, which cannot be by chance, or the segment is over. And none
     * verifies before that: a length that became larger may lead from one record to the one after the next.
     */
    @Override
    public boolean skip() {
        if (size - end < Format.RECORD_HEAD) {
            return false;
        }
        at = window.load(end, Format.RECORD_HEAD);
        int recordSize = Format.sizeAt(window.bytes(), at);
        if (!Format.fits(recordSize, size - end)) {
            return false;
        }
        long next = end + Format.padded(recordSize);
        if ((next < size && !verifiesAt(next)) || mayHideRecord(end + Format.RECORD_HEAD, next)) {
            return false;
        }
        at = window.load(end, (int) Format.padded(recordSize));
        end = next;
        sealed = next == size;
        return true;
    }

    private boolean mayHideRecord(long from, long to) {
        long checked = 0;
        for (long candidate = from; candidate + Format.RECORD_HEAD <= to; candidate += 8) {
            at = window.load(candidate, Format.RECORD_HEAD);
            int recordSize = Format.sizeAt(window.bytes(), at);
            if (!Format.fits(recordSize, to - candidate)) {
                continue;
            }
            checked += recordSize;
            if (checked > HIDDEN_BYTES_MAX || verifiesAt(candidate)) {
                return true;
            }
        }
        return false;
    }

    private boolean verifiesAt(long offset) {
        if (size - offset < Format.RECORD_HEAD) {
            return false;
        }
        at = window.load(offset, Format.RECORD_HEAD);
        int recordSize = Format.sizeAt(window.bytes(), at);
        if (!Format.fits(recordSize, size - offset)) {
            return false;
        }
        at = window.load(offset, (int) Format.padded(recordSize));
        return Format.verifies(window.bytes(), at, Format.position(segment, offset));
    }

    /**
     * Whether something behind {@code offset} proves that it was confirmed: a commit that was written when the ledger was
     * already synced beyond it. A good record alone proves nothing, for sectors may reach the disk in any order.
     */
    boolean wasConfirmed(long offset) {
        long lost = Format.position(segment, offset);
        for (long candidate = offset; candidate + Format.RECORD_HEAD + Format.COMMIT_HEAD <= size; candidate += 8) {
            at = window.load(candidate, Format.RECORD_HEAD + Format.COMMIT_HEAD);
            int recordSize = Format.sizeAt(window.bytes(), at);
            if (recordSize < Format.RECORD_HEAD + Format.COMMIT_HEAD
                    || recordSize > Format.RECORD_HEAD + Format.COMMIT_HEAD + Format.CONFIGURATION_MAX
                    || kind() != Format.COMMIT || !Format.fits(recordSize, size - candidate)) {
                continue;
            }
            at = window.load(candidate, (int) Format.padded(recordSize));
            boolean confirms = Format.longAt(window.bytes(), at + Format.RECORD_HEAD + 8) > lost;
            if (confirms && Format.verifies(window.bytes(), at, Format.position(segment, candidate))) {
                return true;
            }
        }
        return false;
    }

    boolean isZeroFrom(long from) {
        return isZero(from, size);
    }

    private boolean isZero(long from, long to) {
        for (long block = from; block < to; block += FileWindow.BYTES) {
            int length = (int) Math.min(FileWindow.BYTES, to - block);
            int first = window.load(block, length);
            for (int i = first; i < first + length; i++) {
                if (window.bytes()[i] != 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
