package dev.quoin.disk.ledger;

import java.nio.file.Path;

import dev.quoin.base.Crc32c;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * The bytes of a packed file: of a range of segments the records that are still referred to, in their old order, each byte
 * for byte as it was appended. Their checksums were mixed with their positions, so they still tell.
 *
 * <pre>
 * head      8 "QUOINPKD" | 4 format version | 4 first segment | 4 last segment | 8 zero | 4 CRC-32C of the 28 before
 * records
 * table     8 position, for each record, ascending | 4 offset in this file in units of 8, for each | zeros up to 8
 * footer    8 "DNPNIOUQ" | 4 format version | 4 first | 4 last | 4 records | 8 where the table begins | 8 as of |
 *           4 CRC-32C of the table | 16 zero | 4 CRC-32C of the 60 bytes before
 * </pre>
 *
 * <p>{@code as of} is the position up to which the ledger had been appended when it was last asked what is alive. A ledger
 * that ends before it has been cut, and may again need what was left out.
 */
final class PackedFormat {
    static final int VERSION = 1;
    static final int HEAD = 32;
    static final int FOOTER = 64;
    /** What a record takes beside itself. */
    static final int ENTRY = 12;

    private static final long HEAD_MAGIC = 0x444b504e494f5551L; // "QUOINPKD"
    private static final long FOOTER_MAGIC = 0x51554f494e504e44L; // "DNPNIOUQ"

    private PackedFormat() {}

    static long tableBytes(long records) {
        return Format.padded(records * ENTRY);
    }

    /** What a packed file of so many records takes. */
    static long fileBytes(long records, long recordBytes) {
        return HEAD + recordBytes + tableBytes(records) + FOOTER;
    }

    static byte[] head(int first, int last) {
        byte[] head = new byte[HEAD];
        Format.putLong(head, 0, HEAD_MAGIC);
        Format.putInt(head, 8, VERSION);
        Format.putInt(head, 12, first);
        Format.putInt(head, 16, last);
        Format.putInt(head, HEAD - 4, Crc32c.of(head, 0, HEAD - 4));
        return head;
    }

    static byte[] table(PackedTable table) {
        byte[] bytes = new byte[Math.toIntExact(tableBytes(table.records()))];
        for (int i = 0; i < table.records(); i++) {
            Format.putLong(bytes, 8 * i, table.position(i));
            Format.putInt(bytes, 8 * table.records() + 4 * i, (int) (table.offset(i) / 8));
        }
        return bytes;
    }

    static byte[] footer(int first, int last, PackedTable table, byte[] tableBytes, long asOf) {
        byte[] footer = new byte[FOOTER];
        Format.putLong(footer, 0, FOOTER_MAGIC);
        Format.putInt(footer, 8, VERSION);
        Format.putInt(footer, 12, first);
        Format.putInt(footer, 16, last);
        Format.putInt(footer, 20, table.records());
        Format.putLong(footer, 24, table.recordsEnd());
        Format.putLong(footer, 32, asOf);
        Format.putInt(footer, 40, Crc32c.of(tableBytes, 0, tableBytes.length));
        Format.putInt(footer, FOOTER - 4, Crc32c.of(footer, 0, FOOTER - 4));
        return footer;
    }

    /** What the table of a packed file says, and as of when. */
    record Contents(PackedTable table, long asOf) {}

    /**
     * Reads and checks all but the records.
     *
     * @throws Damaged if it is not what was written
     * @throws DiskFailure if a newer Quoin wrote it
     */
    static Contents read(DiskFile file, int first, int last) {
        Path path = file.path();
        try {
            return read(new FileWindow(file, file.size()), path, first, last);
        } catch (NewerFormat e) {
            throw new DiskFailure("open", path, "written in format " + e.version
                    + " by a newer Quoin; this one reads format " + VERSION, null);
        } catch (DiskFailure e) {
            throw new Damaged(path, 0, "what it holds cannot be told: " + e.reason(), e);
        }
    }

    private static Contents read(FileWindow window, Path path, int first, int last) throws NewerFormat {
        long size = window.size();
        require(size >= HEAD + FOOTER && size % 8 == 0, path, 0, "it is too short to be a packed file");
        int at = window.load(0, HEAD);
        byte[] bytes = window.bytes();
        require(Format.longAt(bytes, at) == HEAD_MAGIC && checked(bytes, at, HEAD), path, 0, "its head is not whole");
        if (Format.intAt(bytes, at + 8) != VERSION) {
            throw new NewerFormat(Format.intAt(bytes, at + 8));
        }
        require(Format.intAt(bytes, at + 12) == first && Format.intAt(bytes, at + 16) == last, path, 0,
                "it is the file of other segments");
        long footerAt = size - FOOTER;
        at = window.load(footerAt, FOOTER);
        bytes = window.bytes();
        require(Format.longAt(bytes, at) == FOOTER_MAGIC && checked(bytes, at, FOOTER)
                && Format.intAt(bytes, at + 12) == first && Format.intAt(bytes, at + 16) == last, path, footerAt,
                "its end is not whole");
        int records = Format.intAt(bytes, at + 20);
        long tableAt = Format.longAt(bytes, at + 24);
        long asOf = Format.longAt(bytes, at + 32);
        int crc = Format.intAt(bytes, at + 40);
        require(records >= 0 && tableAt >= HEAD && tableAt + tableBytes(records) == footerAt, path, footerAt,
                "its table does not fit");
        return new Contents(table(window, path, tableAt, records, crc), asOf);
    }

    private static PackedTable table(FileWindow window, Path path, long tableAt, int records, int crc) {
        int length = Math.toIntExact(tableBytes(records));
        int at = window.load(tableAt, length);
        byte[] bytes = window.bytes();
        require(Crc32c.of(bytes, at, length) == crc, path, tableAt, "its table fails its checksum");
        long[] positions = new long[records];
        int[] offsets = new int[records];
        for (int i = 0; i < records; i++) {
            positions[i] = Format.longAt(bytes, at + 8 * i);
            offsets[i] = Format.intAt(bytes, at + 8 * records + 4 * i);
        }
        return new PackedTable(positions, offsets, tableAt);
    }

    private static boolean checked(byte[] bytes, int at, int length) {
        return Format.intAt(bytes, at + length - 4) == Crc32c.of(bytes, at, length - 4);
    }

    private static void require(boolean holds, Path path, long offset, String otherwise) {
        if (!holds) {
            throw new Damaged(path, offset, otherwise);
        }
    }

    private static final class NewerFormat extends Exception {
        private static final long serialVersionUID = 1L;
        final int version;

        NewerFormat(int version) {
            this.version = version;
        }
    }
}
