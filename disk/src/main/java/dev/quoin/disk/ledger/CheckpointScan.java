package dev.quoin.disk.ledger;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.Bytes;
import dev.quoin.disk.Damaged;
import dev.quoin.disk.DiskFailure;
import dev.quoin.disk.DiskFile;

/** Reads a checkpoint, front to back. Whoever wants to believe it reads all of it first. */
final class CheckpointScan {
    private final DiskFile file;
    private final FileWindow window;
    private final long size;
    private long offset;
    private long number;
    private int at;
    private @Nullable Bytes mark;
    private @Nullable Bytes end;

    /** @throws DiskFailure if a newer Quoin wrote it */
    CheckpointScan(DiskFile file) {
        this.file = file;
        size = file.size();
        window = new FileWindow(file, size);
        require(size >= CheckpointFormat.HEAD, "it is too short to be a checkpoint");
        load(CheckpointFormat.HEAD);
        int version = CheckpointFormat.versionOf(window.bytes(), at);
        require(version != 0, "its head is not whole");
        if (version != CheckpointFormat.VERSION) {
            throw new DiskFailure("open", file.path(), "written in format " + version
                    + " by a newer Quoin; this one reads format " + CheckpointFormat.VERSION, null);
        }
        offset = CheckpointFormat.HEAD;
        record();
        require(kind() == CheckpointFormat.MARK && payload().length() >= CheckpointFormat.MARK_HEAD,
                "it does not begin with its mark");
        mark = payload();
    }

    long markPosition() {
        return CheckpointFormat.positionIn(whole(mark));
    }

    Ledger.Commit markCommit() {
        return CheckpointFormat.commitIn(whole(mark));
    }

    /** What the ledger's files held; once the last block was read. */
    List<CheckpointFormat.FileState> files() {
        return CheckpointFormat.filesIn(whole(end));
    }

    long size() {
        return size;
    }

    long offset() {
        return offset;
    }

    int kind() {
        return Format.kindAt(window.bytes(), at);
    }

    Bytes payload() {
        return Format.payloadAt(window.bytes(), at);
    }

    /**
     * Whether there is another block; it is the current one then.
     *
     * @throws Damaged if what is there is not what was written
     */
    boolean next() {
        if (end != null) {
            return false;
        }
        record();
        if (kind() > 0) {
            return true;
        }
        require(kind() == CheckpointFormat.END && CheckpointFormat.isEndOf(number - 1, payload()) && offset == size,
                "it does not end as it should");
        end = payload();
        return false;
    }

    private void record() {
        require(size - offset >= Format.RECORD_HEAD, "it ends too early");
        load(Format.RECORD_HEAD);
        int recordSize = Format.sizeAt(window.bytes(), at);
        require(Format.fits(recordSize, size - offset), "a block reaches beyond the end");
        load((int) Format.padded(recordSize));
        long place = CheckpointFormat.place(mark == null ? 0 : markPosition(), number);
        require(Format.verifies(window.bytes(), at, place) && Format.mainAt(window.bytes(), at) == number,
                "a block fails its checksum");
        offset += Format.padded(recordSize);
        number++;
    }

    private void load(int length) {
        try {
            at = window.load(offset, length);
        } catch (DiskFailure e) {
            throw new Damaged(file.path(), offset, "the checkpoint cannot be read: " + e.reason(), e);
        }
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new Damaged(file.path(), offset, otherwise);
        }
    }

    private Bytes whole(@Nullable Bytes part) {
        if (part == null) {
            throw new Damaged(file.path(), offset, "it was not read to its end");
        }
        return part;
    }
}
