package dev.quoin.disk.ledger;

import java.nio.ByteBuffer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/** Reads the records of one segment, front to back, by positional reads. A length is an enemy until it was compared. */
final class SegmentScan {
    private static final int WINDOW = 1 << 20;
    private static final int SECTOR = 512;

    private final DiskFile file;
    private final int segment;
    private final long size;
    /** Handed out in slices, so a new one is made each time. */
    private byte[] window = new byte[0];
    private long windowStart;

    private long end;
    private int at;
    private @Nullable String problem;

    /** Scans up to {@code size}. */
    SegmentScan(DiskFile file, int segment, long size) {
        this.file = file;
        this.segment = segment;
        this.size = size;
    }

    /** The format version the head names; 0 if there is no whole head. The scan goes on behind it. */
    int version() {
        if (size < Format.HEAD) {
            return 0;
        }
        byte[] head = new byte[Format.HEAD];
        if (file.readFully(0, ByteBuffer.wrap(head)) < Format.HEAD) {
            return 0;
        }
        end = Format.HEAD;
        return Format.versionOf(head, segment);
    }

    /** Where the last good record ends. */
    long end() {
        return end;
    }

    /** What is wrong behind {@link #end}, once {@link #next} said that there is nothing more; null if nothing is. */
    @Nullable
    String problem() {
        return problem;
    }

    /** The position of the current record. */
    long position() {
        return Format.position(segment, windowStart + at);
    }

    long main() {
        return Format.mainAt(window, at);
    }

    int sub() {
        return Format.subAt(window, at);
    }

    int kind() {
        return Format.kindAt(window, at);
    }

    Bytes payload() {
        return Format.payloadAt(window, at);
    }

    boolean next() {
        long left = size - end;
        if (left == 0) {
            return false;
        }
        if (left < Format.RECORD_HEAD) {
            problem = isZero(end, size) ? null : "the file ends inside a record";
            return false;
        }
        load(end, Format.RECORD_HEAD);
        int recordSize = Format.sizeAt(window, at);
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
        int padded = (int) Format.padded(recordSize);
        load(end, padded);
        if (!Format.verifies(window, at, Format.position(segment, end))) {
            problem = "a record fails its checksum";
            return false;
        }
        boolean shortCommit = kind() == Format.COMMIT && recordSize < Format.RECORD_HEAD + Format.COMMIT_HEAD;
        if (shortCommit || kind() < Format.SEAL) {
            problem = "a record of no known form";
            return false;
        }
        end += padded;
        return true;
    }

    /**
     * Whether something behind {@code offset} proves that it was confirmed: a commit that was written when the ledger was
     * already synced beyond it. A good record alone proves nothing, for sectors may reach the disk in any order.
     */
    boolean wasConfirmed(long offset) {
        long lost = Format.position(segment, offset);
        for (long candidate = offset; candidate + Format.RECORD_HEAD + Format.COMMIT_HEAD <= size; candidate += 8) {
            load(candidate, Format.RECORD_HEAD + Format.COMMIT_HEAD);
            int recordSize = Format.sizeAt(window, at);
            if (recordSize < Format.RECORD_HEAD + Format.COMMIT_HEAD
                    || recordSize > Format.RECORD_HEAD + Format.COMMIT_HEAD + Format.CONFIGURATION_MAX
                    || kind() != Format.COMMIT || !Format.fits(recordSize, size - candidate)) {
                continue;
            }
            load(candidate, (int) Format.padded(recordSize));
            boolean confirms = Format.longAt(window, at + Format.RECORD_HEAD + 8) > lost;
            if (confirms && Format.verifies(window, at, Format.position(segment, candidate))) {
                return true;
            }
        }
        return false;
    }

    boolean isZeroFrom(long from) {
        return isZero(from, size);
    }

    private boolean isZero(long from, long to) {
        for (long block = from; block < to; block += WINDOW) {
            int length = (int) Math.min(WINDOW, to - block);
            load(block, length);
            for (int i = at; i < at + length; i++) {
                if (window[i] != 0) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Makes {@code window} from {@code at} on be the {@code length} bytes at {@code position}, which the file has. */
    private void load(long position, int length) {
        if (position < windowStart || position + length > windowStart + window.length) {
            window = new byte[(int) Math.min(Math.max(length, WINDOW), size - position)];
            windowStart = position;
            if (file.readFully(position, ByteBuffer.wrap(window)) < window.length) {
                throw new DiskFailure("read at byte " + position, file.path(),
                        "the file became shorter while it was read", null);
            }
        }
        at = (int) (position - windowStart);
    }
}
