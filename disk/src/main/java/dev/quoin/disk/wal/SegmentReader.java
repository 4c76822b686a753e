package dev.quoin.disk.wal;

import java.nio.ByteBuffer;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;
import dev.quoin.base.ProtoReader;
import dev.quoin.base.ProtoReader.Malformed;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * Reads the frames of one segment, front to back. Everything read is an enemy: a length is compared with what the file has
 * before anything is allocated, and everything that has only one right form must have it.
 */
final class SegmentReader {
    static final int SECTOR = 512;
    private static final int WINDOW = 256 * 1024;
    private static final int TYPE_MAX = 5;

    private final DiskFile file;
    private final long size;
    /** Bytes of the file from {@link #windowStart} on. */
    private byte[] window = new byte[0];
    private long windowStart;
    private int windowLength;

    private final boolean chainKnown;

    private long offset;
    private long end;
    private int crc;
    private int type;
    private Bytes data = Bytes.EMPTY;

    /** Reads {@code file} up to {@code size}; the chain so far is {@code crc}, or starts wherever this segment says. */
    SegmentReader(DiskFile file, long size, int crc, boolean chainKnown) {
        this.file = file;
        this.size = size;
        this.crc = crc;
        this.chainKnown = chainKnown;
    }

    /** Where the current record starts. */
    long offset() {
        return offset;
    }

    /** Where the last good record ends. */
    long end() {
        return end;
    }

    int crc() {
        return crc;
    }

    int type() {
        return type;
    }

    /** The data of the current record; valid until the next one is read. */
    Bytes data() {
        return data;
    }

    /** Moves to the next record; false at the end, which is the end of the file or a zero where a length should be. */
    boolean next() throws BadRecord {
        offset = end;
        if (offset == size) {
            return false;
        }
        if (size - offset < FrameWriter.HEADER) {
            throw new BadRecord(offset, offset + FrameWriter.HEADER, "the file ends inside a length");
        }
        long field = longAt(load(offset, FrameWriter.HEADER));
        if (field == 0) {
            checkZeroSector();
            return false;
        }
        int top = (int) (field >>> 56);
        long length = field & ((1L << 56) - 1);
        int padding = top & 7;
        long claimedEnd = offset + FrameWriter.HEADER + length + padding;
        if (padding != (-length & 7) || top != (padding == 0 ? 0 : 0x80 | padding) || length == 0) {
            throw new BadRecord(offset, claimedEnd, "an impossible length");
        }
        if (claimedEnd > size) {
            throw new BadRecord(offset, claimedEnd, "a record of " + length + " bytes reaches beyond the file");
        }
        int start = load(offset, (int) Math.min(Integer.MAX_VALUE, claimedEnd - offset)) + FrameWriter.HEADER;
        try {
            record(Bytes.of(window, start, (int) length), Bytes.of(window, start + (int) length, padding));
        } catch (Malformed e) {
            throw new BadRecord(offset, claimedEnd, "not a record: " + e.getMessage());
        }
        end = claimedEnd;
        return true;
    }

    private void record(Bytes record, Bytes padding) {
        for (int i = 0; i < padding.length(); i++) {
            if (padding.at(i) != 0) {
                throw new Malformed("padding that is not zero");
            }
        }
        ProtoReader reader = new ProtoReader(record);
        long readType = reader.varint(expect(reader, 1));
        long readCrc = reader.varint(expect(reader, 2));
        if (readType < 1 || readType > TYPE_MAX || readCrc >>> 32 != 0) {
            throw new Malformed("type " + readType + ", checksum " + Long.toHexString(readCrc));
        }
        type = (int) readType;
        if (type == RecordType.CRC) {
            chain((int) readCrc, reader.atEnd());
            return;
        }
        // Metadata that was nil when etcd wrote it has no data field.
        data = reader.atEnd() && type == RecordType.METADATA ? Bytes.EMPTY : reader.bytes(expect(reader, 3));
        if (!reader.atEnd()) {
            throw new Malformed("something follows its data");
        }
        int updated = Crc32c.update(crc, data.array(), data.offset(), data.length());
        if (updated != (int) readCrc) {
            throw new Malformed("checksum " + Integer.toHexString((int) readCrc) + " where "
                    + Integer.toHexString(updated) + " was computed");
        }
        crc = updated;
    }

    /** A checksum record: it must continue the chain, unless the chain starts here. */
    private void chain(int readCrc, boolean atEnd) {
        if (!atEnd) {
            throw new Malformed("a checksum with data");
        }
        boolean chainStarts = end == 0 && !chainKnown;
        if (!chainStarts && crc != readCrc) {
            throw new Malformed("checksum " + Integer.toHexString(readCrc) + " where the log so far has "
                    + Integer.toHexString(crc));
        }
        crc = readCrc;
        data = Bytes.EMPTY;
    }

    /** etcd always writes the fields of a record in order, and all of them. */
    private static int expect(ProtoReader reader, int field) {
        int tag = reader.tag();
        if (ProtoReader.field(tag) != field) {
            throw new Malformed("field " + ProtoReader.field(tag) + " where " + field + " should be");
        }
        return tag;
    }

    /**
     * A zero length ends the log, but only if nothing follows it in its sector: a sector is written from the front, so a
     * header of zeros with data behind it was not torn but wiped out, and with it a record that may have been promised.
     */
    private void checkZeroSector() throws BadRecord {
        int length = (int) (Math.min(size, (offset / SECTOR + 1) * SECTOR) - offset);
        int start = load(offset, length);
        for (int i = start; i < start + length; i++) {
            if (window[i] != 0) {
                throw new BadRecord(offset, BadRecord.NOT_TORN, "a zero length with data behind it");
            }
        }
    }

    /**
     * Whether the record at {@code bad} can have been cut short by power going: it reaches beyond the file, or one of its
     * sectors was never written (etcd's rule). A sector torn inside, which etcd does not know, keeps old zeros at its end;
     * that is looked for only in logs of ours.
     */
    boolean looksTorn(BadRecord bad, boolean tornInside) {
        if (bad.claimedEnd == BadRecord.NOT_TORN) {
            return false;
        }
        if (bad.claimedEnd > size || bad.claimedEnd < bad.offset) {
            return true;
        }
        for (long at = bad.offset; at < bad.claimedEnd;) {
            long sectorEnd = (at / SECTOR + 1) * SECTOR;
            long to = Math.min(sectorEnd, bad.claimedEnd);
            long from = Math.max(at, bad.offset + FrameWriter.HEADER);
            boolean empty = from < to && isZero(from, to);
            boolean tornHere = tornInside && (sectorEnd > size || isZero(sectorEnd - 1, sectorEnd));
            if (empty || tornHere) {
                return true;
            }
            at = to;
        }
        return false;
    }

    private boolean isZero(long from, long to) {
        int length = (int) (to - from);
        int start = load(from, length);
        for (int i = start; i < start + length; i++) {
            if (window[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether there is nothing but zeros from {@code from} to the end of the file. */
    boolean isZeroFrom(long from) {
        for (long at = from; at < size;) {
            long to = Math.min(size, at + WINDOW);
            if (!isZero(at, to)) {
                return false;
            }
            at = to;
        }
        return true;
    }

    /** Where in the window the {@code length} bytes at {@code position} are, which the file has. */
    private int load(long position, int length) {
        if (position < windowStart || position + length > windowStart + windowLength) {
            int wanted = (int) Math.min(Math.max(length, WINDOW), size - position);
            if (window.length < wanted) {
                window = new byte[wanted];
            }
            windowStart = position;
            windowLength = file.readFully(position, ByteBuffer.wrap(window, 0, wanted));
            if (windowLength < length) {
                throw new DiskFailure("read at byte " + position, file.path(),
                        "the file became shorter while it was read", null);
            }
        }
        return (int) (position - windowStart);
    }

    private long longAt(int at) {
        long value = 0;
        for (int i = 7; i >= 0; i--) {
            value = (value << 8) | (window[at + i] & 0xff);
        }
        return value;
    }
}
