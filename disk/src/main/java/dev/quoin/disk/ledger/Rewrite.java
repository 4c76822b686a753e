package dev.quoin.disk.ledger;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/**
 * Copies what is alive in some neighbouring files into one packed file, which then takes their place. The housekeeper drives
 * it in steps, each of about as many bytes as it likes; it never waits.
 *
 * <p>Three things make it safe. A death counts only once it is durable: the swap is put off until the ledger is flushed as
 * far as it had been appended when the last record was judged, for a ledger that came back from before that would ask for the
 * record again. The packed file is durable under its name before a source is deleted. And what cannot be read is never
 * given up: a damaged record whose place is certain is copied as it is, for some reader to be told, and a file in which
 * places are not certain is left alone.
 */
public final class Rewrite {
    private static final int BUFFER = 256 << 10;

    private final Housekeeping house;
    private final Disk disk;
    private final Path target;
    private final List<LedgerFile> sources;
    private final Liveness liveness;
    private final DiskFile file;

    private int current;
    private @Nullable DiskFile source;
    private @Nullable RecordScan scan;

    private final byte[] buffer = new byte[BUFFER];
    private int used;
    private long written;
    private long synced;
    private long[] positions = new long[1024];
    private int[] offsets = new int[1024];
    private int records;
    private long recordsEnd = PackedFormat.HEAD;
    private final Usage usage = new Usage();

    /** Once everything is copied. */
    private @Nullable PackedTable table;
    private long asOf;
    private boolean ended;

    Rewrite(Housekeeping house, Disk disk, Path directory, List<LedgerFile> sources, Liveness liveness) {
        this.house = house;
        this.disk = disk;
        this.sources = List.copyOf(sources);
        this.liveness = liveness;
        String name = FileName.packed(first(), last());
        target = directory.resolve(name);
        file = disk.create(directory.resolve(name + FileName.UNFINISHED));
        byte[] head = PackedFormat.head(first(), last());
        put(head, 0, head.length);
    }

    int first() {
        return sources.getFirst().first();
    }

    int last() {
        return sources.getLast().last();
    }

    /**
     * Goes on, for about as many bytes of the sources.
     *
     * @return true if there is nothing more to do; false also if it must wait for a flush
     */
    public boolean step(int bytesBudget) {
        if (ended) {
            return true;
        }
        if (table == null) {
            copy(bytesBudget);
        } else if (house.isDurable(asOf)) {
            swap(table);
        }
        return ended;
    }

    /** Gives it up. Nothing has happened. */
    public void abandon() {
        if (ended) {
            return;
        }
        end();
        file.close();
        // A swap that failed half-way is for the next start to sort out: that name may be the only one for its records.
        if (!file.path().equals(target)) {
            disk.delete(file.path());
        }
    }

    private void end() {
        ended = true;
        closeSource();
        house.rewriteEnded();
    }

    // --- copying ----------------------------------------------------------------------------------------------------

    private void copy(int bytesBudget) {
        long budget = bytesBudget;
        while (budget > 0) {
            if (current == sources.size()) {
                finishCopy();
                return;
            }
            try {
                budget -= copyNext(sources.get(current));
            } catch (Unsuitable e) {
                sources.get(current).leaveAlone();
                abandon();
                return;
            }
        }
    }

    /** Looks at one record of the current source, or goes on to the next one; about how many bytes that took. */
    private long copyNext(LedgerFile from) throws Unsuitable {
        RecordScan records = scanOf(from);
        if (!advance(records)) {
            if (!records.isOver()) {
                throw new Unsuitable();
            }
            closeSource();
            current++;
            return 1;
        }
        return records.length();
    }

    private RecordScan scanOf(LedgerFile from) throws Unsuitable {
        RecordScan running = scan;
        if (running != null) {
            return running;
        }
        try {
            source = disk.open(from.path());
            RecordScan opened = from.scan(source);
            scan = opened;
            return opened;
        } catch (DiskFailure e) {
            throw new Unsuitable(e);
        }
    }

    /** Copies the next record if it is to be kept; false if there is none. */
    private boolean advance(RecordScan records) throws Unsuitable {
        boolean good;
        try {
            good = records.next();
            if (!good && records.problem() == null) {
                return false;
            }
            if (!good && !records.skip()) {
                throw new Unsuitable();
            }
        } catch (DiskFailure e) {
            // The source cannot be read, which is no reason to stop: it is as good as it was before.
            throw new Unsuitable(e);
        }
        if (!good || isKept(records)) {
            keep(records);
        }
        return true;
    }

    private boolean isKept(RecordScan records) {
        return records.kind() > 0 && liveness.isLive(records.position(), records.main(), records.sub(), records.kind(),
                records.payload());
    }

    private void keep(RecordScan from) {
        if (records == positions.length) {
            positions = Arrays.copyOf(positions, 2 * records);
            offsets = Arrays.copyOf(offsets, 2 * records);
        }
        positions[records] = from.position();
        offsets[records] = Math.toIntExact(recordsEnd / 8);
        records++;
        recordsEnd += from.length();
        usage.add(from.length());
        put(from.bytes(), from.at(), from.length());
    }

    private void put(byte[] bytes, int at, int length) {
        if (length > buffer.length - used) {
            flush();
        }
        if (length > buffer.length) {
            file.writeFully(written, bytes, at, length);
            written += length;
            return;
        }
        System.arraycopy(bytes, at, buffer, used, length);
        used += length;
    }

    private void flush() {
        file.writeFully(written, buffer, 0, used);
        written += used;
        used = 0;
        if (written - synced >= Format.UNSYNCED_BYTES_MAX) {
            file.sync();
            synced = written;
        }
    }

    private void closeSource() {
        DiskFile open = source;
        source = null;
        scan = null;
        if (open != null) {
            open.close();
        }
    }

    private void finishCopy() {
        asOf = house.appendedTo();
        PackedTable copied = new PackedTable(Arrays.copyOf(positions, records), Arrays.copyOf(offsets, records),
                recordsEnd);
        byte[] tableBytes = PackedFormat.table(copied);
        put(tableBytes, 0, tableBytes.length);
        byte[] footer = PackedFormat.footer(first(), last(), copied, tableBytes, asOf);
        put(footer, 0, footer.length);
        flush();
        positions = new long[0];
        offsets = new int[0];
        table = copied;
    }

    // --- the swap ---------------------------------------------------------------------------------------------------

    private void swap(PackedTable copied) {
        file.sync();
        file.renameTo(target);
        Path directory = Disk.parentOf(target);
        disk.syncDirectory(directory);
        LedgerFile packed = new LedgerFile.Packed(target, first(), last(), file.view(written), copied, asOf, usage);
        file.close();
        house.replace(sources, packed);
        // One of the same range was replaced by name.
        boolean deleted = false;
        for (LedgerFile old : sources) {
            if (!old.path().equals(target)) {
                disk.delete(old.path());
                deleted = true;
            }
        }
        if (deleted) {
            disk.syncDirectory(directory);
        }
        end();
    }

    /** A record was forgotten, which may have been copied already. */
    void forgotten(long position) {
        PackedTable copied = table;
        int found = copied == null ? Arrays.binarySearch(positions, 0, records, position) : copied.find(position);
        if (found >= 0) {
            long end = copied == null ? endOf(found) : copied.offset(found) + copied.length(found);
            usage.bury(end - (copied == null ? 8L * offsets[found] : copied.offset(found)));
        }
    }

    private long endOf(int record) {
        return record + 1 < records ? 8L * offsets[record + 1] : recordsEnd;
    }

    /** A source that cannot be rewritten. */
    private static final class Unsuitable extends Exception {
        private static final long serialVersionUID = 1L;

        Unsuitable() {}

        Unsuitable(Throwable cause) {
            super(cause);
        }
    }
}
