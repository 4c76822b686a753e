package dev.quoin.disk.ledger;

import java.nio.file.Path;

import dev.quoin.base.Bytes;
import dev.quoin.base.Invariant;
import dev.quoin.disk.Disk;
import dev.quoin.disk.DiskFile;

/**
 * Writes a checkpoint: the whole state of the store as it was at a mark, in blocks whose meaning is the store's. It takes
 * the place of the one before when it is finished; until then, and if it is abandoned, nothing has happened. The
 * housekeeper's, one at a time.
 */
public final class CheckpointWriter {
    private static final int BUFFER = 256 << 10;

    private final Housekeeping house;
    private final Disk disk;
    private final DiskFile file;
    private final Path unfinished;
    private final Mark mark;
    private byte[] buffer = new byte[BUFFER];
    private int used;
    private long written;
    private long synced;
    private long number;
    private boolean open = true;

    CheckpointWriter(Housekeeping house, Disk disk, DiskFile file, Mark mark) {
        this.house = house;
        this.disk = disk;
        this.file = file;
        unfinished = file.path();
        this.mark = mark;
        write(CheckpointFormat.head());
        record(CheckpointFormat.MARK, CheckpointFormat.mark(mark));
    }

    public Mark mark() {
        return mark;
    }

    /** How long it is so far. */
    public long bytes() {
        return written + used;
    }

    /**
     * Adds a block, which {@link Ledger.Visitor#image} is given when the ledger is opened.
     *
     * @param kind greater than 0
     * @param payload at most 4 MiB
     */
    public void add(int kind, Bytes payload) {
        Invariant.check(kind > 0, "block kind %d", kind);
        Invariant.check(payload.length() <= CheckpointFormat.BLOCK_BYTES_MAX, "a block of %d bytes", payload.length());
        record(kind, payload);
    }

    /** Puts it in the place of the one before, durably. The ledger must be durable up to the mark. */
    public void finish() {
        record(CheckpointFormat.END, CheckpointFormat.end(number, house.filesBefore(mark)));
        flush();
        file.sync();
        file.renameTo(Disk.parentOf(file.path()).resolve(FileName.CHECKPOINT));
        disk.syncDirectory(Disk.parentOf(file.path()));
        close();
        house.checkpointed(mark, written);
    }

    /** Gives it up. */
    public void abandon() {
        if (!open) {
            return;
        }
        close();
        house.checkpointEnded();
        // It may have taken its place already when finishing failed.
        if (file.path().equals(unfinished)) {
            disk.delete(unfinished);
        }
    }

    private void close() {
        open = false;
        file.close();
    }

    private void record(int kind, Bytes payload) {
        Invariant.check(open, "the checkpoint was finished or abandoned");
        int size = Math.toIntExact(Format.padded(Format.RECORD_HEAD + (long) payload.length()));
        if (size > buffer.length - used) {
            flush();
            buffer = size > buffer.length ? new byte[size] : buffer;
        }
        payload.copyTo(buffer, used + Format.RECORD_HEAD);
        long place = CheckpointFormat.place(mark.position(), number);
        Format.finishRecord(buffer, used, place, number, 0, kind, payload.length());
        used += size;
        number++;
    }

    private void write(byte[] bytes) {
        System.arraycopy(bytes, 0, buffer, used, bytes.length);
        used += bytes.length;
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
}
