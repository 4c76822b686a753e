package dev.quoin.disk.ledger;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.DiskFile;

/** Scans the records of a packed file, whose table says where each begins and ends. */
final class PackedScan implements RecordScan {
    private final FileWindow window;
    private final PackedTable table;
    /** How many records lie before {@link #end}. */
    private int passed;
    private int at;
    private @Nullable String problem;

    /** The file has {@code size} bytes, of which the records are the first. */
    PackedScan(DiskFile file, PackedTable table, long size) {
        window = new FileWindow(file, size);
        this.table = table;
    }

    @Override
    public boolean next() {
        problem = null;
        if (passed == table.records()) {
            return false;
        }
        int length = table.length(passed);
        if (table.offset(passed) + length > window.size()) {
            problem = "the file ends inside a record";
            return false;
        }
        at = window.load(table.offset(passed), length);
        if (Format.padded(Format.sizeAt(window.bytes(), at)) != length
                || !Format.verifies(window.bytes(), at, table.position(passed))) {
            problem = "a record fails its checksum";
            return false;
        }
        passed++;
        return true;
    }

    @Override
    public @Nullable String problem() {
        return problem;
    }

    @Override
    public boolean skip() {
        if (table.offset(passed) + table.length(passed) > window.size()) {
            return false;
        }
        at = window.load(table.offset(passed), table.length(passed));
        passed++;
        return true;
    }

    @Override
    public boolean isOver() {
        return passed == table.records();
    }

    @Override
    public long end() {
        return passed == table.records() ? table.recordsEnd() : table.offset(passed);
    }

    @Override
    public long position() {
        return table.position(passed - 1);
    }

    @Override
    public int length() {
        return table.length(passed - 1);
    }

    @Override
    public byte[] bytes() {
        return window.bytes();
    }

    @Override
    public int at() {
        return at;
    }
}
