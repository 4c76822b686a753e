package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFile;
import dev.quoin.disk.FileView;

/**
 * A file as its readers see it: the segments it stands for, and a view of its bytes. It lives as long as somebody holds it,
 * which the ledger does until something replaces it and a reader does while it copies one record. The last one out closes
 * the view, so a map never goes under a reader, and none stays longer than it is read.
 */
abstract sealed class LedgerFile {
    private final Path path;
    private final int first;
    private final int last;
    private final Usage usage;
    private final AtomicInteger holders = new AtomicInteger(1);
    /** Something in it keeps it from being rewritten. The housekeeper's. */
    private boolean leftAlone;

    private LedgerFile(Path path, int first, int last, Usage usage) {
        this.path = path;
        this.first = first;
        this.last = last;
        this.usage = usage;
    }

    Path path() {
        return path;
    }

    /** The first segment it stands for. */
    int first() {
        return first;
    }

    /** The last segment it stands for. */
    int last() {
        return last;
    }

    Usage usage() {
        return usage;
    }

    boolean isLeftAlone() {
        return leftAlone;
    }

    void leaveAlone() {
        leftAlone = true;
    }

    /** Whether it could be held; if not it was retired, and the ledger has another one in its place. */
    boolean acquire() {
        while (true) {
            int count = holders.get();
            if (count == 0) {
                return false;
            }
            if (holders.compareAndSet(count, count + 1)) {
                return true;
            }
        }
    }

    void release() {
        if (holders.decrementAndGet() == 0) {
            close();
        }
    }

    /** Nobody will find it any more: takes away the ledger's own hold. Once. */
    void retire() {
        release();
    }

    /** What it takes on the disk, or what its view can show as long as it grows. */
    abstract long length();

    /** What the record takes in the file, 0 if it is gone; plausible, not verified. For holders. */
    abstract int lengthOf(long position);

    /** How long the payload of the record is; plausible, not verified. For holders. */
    abstract int payloadLength(long position);

    /** The verified payload. For holders. */
    abstract Bytes read(long position);

    /** Copies bytes of the record, from its head on; nothing is verified but that they are there. For holders. */
    abstract void copy(long position, int from, byte[] to, int length);

    /** Scans its records in {@code file}, which is this one, opened. */
    abstract RecordScan scan(DiskFile file);

    abstract void close();

    /** The file of one segment as it was appended. */
    static final class Segment extends LedgerFile {
        private final FileView view;
        private final boolean grows;

        Segment(Path path, int number, FileView view, Usage usage, boolean grows) {
            super(path, number, number, usage);
            this.view = view;
            this.grows = grows;
        }

        /** Whether it is the last one, which is longer than what it holds. */
        boolean grows() {
            return grows;
        }

        @Override
        long length() {
            return view.length();
        }

        @Override
        int lengthOf(long position) {
            return (int) Format.padded(sizeAt(position));
        }

        @Override
        int payloadLength(long position) {
            return sizeAt(position) - Format.RECORD_HEAD;
        }

        private int sizeAt(long position) {
            long offset = Format.offset(position);
            if (offset + 8 > view.length()) {
                throw new Damaged(path(), offset, "the record lies behind the end of the file");
            }
            byte[] start = new byte[8];
            view.read(offset, start, 0, start.length);
            int size = Format.sizeAt(start, 0);
            if (!Format.fits(size, view.length() - offset)) {
                throw new Damaged(path(), offset, "a record cannot have " + Integer.toUnsignedString(size)
                        + " bytes there");
            }
            return size;
        }

        @Override
        Bytes read(long position) {
            int size = sizeAt(position);
            byte[] record = new byte[(int) Format.padded(size)];
            view.read(Format.offset(position), record, 0, record.length);
            // The bytes may have changed between the two copies: what counts is the second one.
            if (Format.sizeAt(record, 0) != size) {
                throw new Damaged(path(), Format.offset(position), "a record changes while it is read");
            }
            return verified(record, 0, position, path(), Format.offset(position));
        }

        @Override
        void copy(long position, int from, byte[] to, int length) {
            long offset = Format.offset(position) + from;
            if (offset + length > view.length()) {
                throw new Damaged(path(), offset, "the record lies behind the end of the file");
            }
            view.read(offset, to, 0, length);
        }

        @Override
        RecordScan scan(DiskFile file) {
            SegmentScan scan = new SegmentScan(file, first(), Math.min(view.length(), file.size()));
            scan.from(Format.HEAD);
            return scan;
        }

        @Override
        void close() {
            view.close();
        }
    }

    /** What is left of a range of segments. */
    static final class Packed extends LedgerFile {
        private final FileView view;
        private final PackedTable table;
        private final long asOf;

        Packed(Path path, int first, int last, FileView view, PackedTable table, long asOf, Usage usage) {
            super(path, first, last, usage);
            this.view = view;
            this.table = table;
            this.asOf = asOf;
        }

        PackedTable table() {
            return table;
        }

        /** Where the ledger ended when it was last asked what is alive. */
        long asOf() {
            return asOf;
        }

        @Override
        long length() {
            return view.length();
        }

        @Override
        int lengthOf(long position) {
            int record = table.find(position);
            return record < 0 ? 0 : table.length(record);
        }

        @Override
        int payloadLength(long position) {
            int record = find(position);
            byte[] start = new byte[8];
            view.read(table.offset(record), start, 0, start.length);
            return checkedSize(start, record) - Format.RECORD_HEAD;
        }

        @Override
        Bytes read(long position) {
            int record = find(position);
            byte[] bytes = new byte[table.length(record)];
            view.read(table.offset(record), bytes, 0, bytes.length);
            checkedSize(bytes, record);
            return verified(bytes, 0, position, path(), table.offset(record));
        }

        @Override
        void copy(long position, int from, byte[] to, int length) {
            int record = find(position);
            if (from + length > table.length(record)) {
                throw new Damaged(path(), table.offset(record), "the record there has another size than it had");
            }
            view.read(table.offset(record) + from, to, 0, length);
        }

        private int find(long position) {
            int record = table.find(position);
            if (record < 0) {
                throw new Gone(position);
            }
            return record;
        }

        private int checkedSize(byte[] bytes, int record) {
            int size = Format.sizeAt(bytes, 0);
            if (size < Format.RECORD_HEAD || Format.padded(size) != table.length(record)) {
                throw new Damaged(path(), table.offset(record), "the record there has another size than it had");
            }
            return size;
        }

        @Override
        RecordScan scan(DiskFile file) {
            return new PackedScan(file, table, Math.min(view.length(), file.size()));
        }

        @Override
        void close() {
            view.close();
        }
    }

    /** A packed file of which nobody knows what it holds: every read in its range says so. */
    static final class Unreadable extends LedgerFile {
        private final Damaged damage;
        private final long length;

        Unreadable(Path path, int first, int last, long length, Damaged damage, Usage usage) {
            super(path, first, last, usage);
            this.damage = damage;
            this.length = length;
            leaveAlone();
        }

        @Override
        long length() {
            return length;
        }

        @Override
        int lengthOf(long position) {
            throw again();
        }

        @Override
        int payloadLength(long position) {
            throw again();
        }

        @Override
        Bytes read(long position) {
            throw again();
        }

        @Override
        void copy(long position, int from, byte[] to, int length) {
            throw again();
        }

        @Override
        RecordScan scan(DiskFile file) {
            throw again();
        }

        /** Thrown anew each time: an exception's trace is that of its reader. */
        private Damaged again() {
            return new Damaged(path(), damage.offset(), damage.what(), damage);
        }

        @Override
        void close() {}
    }

    /** The payload of the record at {@code at} of an array, if it is the one that was appended at {@code position}. */
    static Bytes verified(byte[] bytes, int at, long position, Path path, long offset) {
        if (!Format.verifies(bytes, at, position)) {
            throw new Damaged(path, offset, "the record there fails its checksum");
        }
        return Format.payloadAt(bytes, at);
    }
}
