package dev.quoin.disk.ledger;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.base.Crc32c;

/**
 * The bytes of a checkpoint: a head, and then records as in a segment, whose main is their number from 0 on.
 *
 * <pre>
 * head      8 "QUOINCKP" | 4 format version | 16 zero | 4 CRC-32C of the 28 bytes before
 * mark      number 0, kind -2: 8 position | 8 applied index | 8 term | configuration
 * block     kind and payload are the store's
 * end       kind -3: 8 records before this one | 4 files | 4 zero | for each file of the ledger before the mark
 *           4 first segment | 4 last | 8 length | 8 records | 8 their bytes | 8 dead records | 8 their bytes
 * </pre>
 *
 * <p>Checksums are mixed with the number and, behind the mark, with the mark's position: a block in a wrong place or of
 * another checkpoint does not verify. The last file is the segment with the mark, and as long as the mark is far in.
 */
final class CheckpointFormat {
    static final int VERSION = 1;
    static final int HEAD = 32;
    static final int MARK = -2;
    static final int END = -3;
    static final int MARK_HEAD = 24;
    static final int END_HEAD = 16;
    static final int FILE = 48;
    static final int BLOCK_BYTES_MAX = 4 << 20;

    private static final long MAGIC = 0x504b434e494f5551L; // "QUOINCKP"

    private CheckpointFormat() {}

    /** A file of the ledger as it was when the checkpoint was made. */
    record FileState(int first, int last, long length, long records, long recordBytes, long deadRecords,
            long deadBytes) {

        Usage usage() {
            return new Usage(records, recordBytes, deadRecords, deadBytes);
        }
    }

    static byte[] head() {
        byte[] head = new byte[HEAD];
        Format.putLong(head, 0, MAGIC);
        Format.putInt(head, 8, VERSION);
        Format.putInt(head, HEAD - 4, Crc32c.of(head, 0, HEAD - 4));
        return head;
    }

    /** The version in a head, or 0 if it is none. */
    static int versionOf(byte[] bytes, int at) {
        boolean whole = Format.longAt(bytes, at) == MAGIC
                && Format.intAt(bytes, at + HEAD - 4) == Crc32c.of(bytes, at, HEAD - 4);
        return whole ? Format.intAt(bytes, at + 8) : 0;
    }

    /** What the checksum of a record is mixed with. */
    static long place(long mark, long number) {
        return number == 0 ? 0 : mark + number;
    }

    static Bytes mark(Mark mark) {
        Ledger.Commit commit = mark.commit();
        byte[] bytes = new byte[MARK_HEAD + commit.configuration().length()];
        Format.putLong(bytes, 0, mark.position());
        Format.putLong(bytes, 8, commit.appliedIndex());
        Format.putLong(bytes, 16, commit.term());
        commit.configuration().copyTo(bytes, MARK_HEAD);
        return Bytes.of(bytes);
    }

    static long positionIn(Bytes mark) {
        return Format.longAt(mark.array(), mark.offset());
    }

    static Ledger.Commit commitIn(Bytes mark) {
        long appliedIndex = Format.longAt(mark.array(), mark.offset() + 8);
        long term = Format.longAt(mark.array(), mark.offset() + 16);
        Bytes configuration = mark.slice(MARK_HEAD, mark.length() - MARK_HEAD).compact();
        return new Ledger.Commit(appliedIndex, term, configuration);
    }

    static Bytes end(long records, List<FileState> files) {
        byte[] bytes = new byte[END_HEAD + files.size() * FILE];
        Format.putLong(bytes, 0, records);
        Format.putInt(bytes, 8, files.size());
        int at = END_HEAD;
        for (FileState file : files) {
            Format.putInt(bytes, at, file.first);
            Format.putInt(bytes, at + 4, file.last);
            Format.putLong(bytes, at + 8, file.length);
            Format.putLong(bytes, at + 16, file.records);
            Format.putLong(bytes, at + 24, file.recordBytes);
            Format.putLong(bytes, at + 32, file.deadRecords);
            Format.putLong(bytes, at + 40, file.deadBytes);
            at += FILE;
        }
        return Bytes.of(bytes);
    }

    static boolean isEndOf(long records, Bytes end) {
        return end.length() >= END_HEAD && Format.longAt(end.array(), end.offset()) == records
                && end.length() == END_HEAD + (long) FILE * Format.intAt(end.array(), end.offset() + 8);
    }

    static List<FileState> filesIn(Bytes end) {
        List<FileState> files = new ArrayList<>();
        byte[] bytes = end.array();
        for (int at = end.offset() + END_HEAD; at < end.offset() + end.length(); at += FILE) {
            files.add(new FileState(Format.intAt(bytes, at), Format.intAt(bytes, at + 4), Format.longAt(bytes, at + 8),
                    Format.longAt(bytes, at + 16), Format.longAt(bytes, at + 24), Format.longAt(bytes, at + 32),
                    Format.longAt(bytes, at + 40)));
        }
        return files;
    }
}
